// SPDX-License-Identifier: Apache-2.0
#include "output/repair.h"

#include <string.h>

#define PAGE "docs/repairs.md"

struct row {
	const char *function; /* how the name of one on the stack begins; NULL: any */
	const char *reason;   /* what the runtime calls the wait, or how that begins; NULL: any */
	bool of_wait_group;   /* only where that is what is waited for */
	struct repair repair;
};

/* The first that applies; what says more comes first. */
static const struct row rows[] = {
	{"net/http.(*persistConn).",
	 NULL,
	 false,
	 {"read each response's body to its end and close it, on errors too: defer resp.Body.Close(); "
	  "one http.Client for all requests",
	  PAGE "#http-client"}},
	{"database/sql.",
	 NULL,
	 false,
	 {"close what was opened: rows.Close(), tx.Rollback() or Commit(), and one sql.DB for the whole "
	  "program",
	  PAGE "#database"}},
	{"google.golang.org/grpc",
	 NULL,
	 false,
	 {"close each ClientConn, and cancel the context of each stream that is not read to its end",
	  PAGE "#grpc"}},
	{NULL,
	 "chan receive (nil chan)",
	 false,
	 {"the channel is nil: make it before the goroutine begins", PAGE "#nil-channel"}},
	{NULL,
	 "chan send (nil chan)",
	 false,
	 {"the channel is nil: make it before the goroutine begins", PAGE "#nil-channel"}},
	{NULL,
	 "chan send",
	 false,
	 {"give the channel room for every sender (make(chan T, n)), or send in a select with "
	  "<-ctx.Done()",
	  PAGE "#send"}},
	{NULL,
	 "chan receive",
	 false,
	 {"close the channel when its senders are done, or receive in a select with <-ctx.Done()",
	  PAGE "#receive"}},
	{NULL,
	 "select (no cases)",
	 false,
	 {"select {} never ends: wait for ctx.Done() instead", PAGE "#select"}},
	{NULL,
	 "select",
	 false,
	 {"add the case <-ctx.Done(), and cancel that context wherever the work is given up",
	  PAGE "#select"}},
	{NULL,
	 "sync.Mutex.Lock",
	 false,
	 {"unlock on every path (defer mu.Unlock()), and take locks in one order everywhere",
	  PAGE "#lock"}},
	{NULL,
	 "sync.RWMutex.",
	 false,
	 {"unlock on every path (defer mu.Unlock()), and no RLock by who has one already",
	  PAGE "#lock"}},
	{NULL,
	 "sync.WaitGroup.Wait",
	 false,
	 {"call Done on every path (defer wg.Done() first in the goroutine), and Add before go",
	  PAGE "#waitgroup"}},
	{NULL,
	 "sync.Cond.Wait",
	 false,
	 {"Signal or Broadcast after each change of what is waited for, also when it is given up",
	  PAGE "#cond"}},
	/* Before Go 1.20, and of WaitGroups before 1.24. */
	{NULL,
	 "semacquire",
	 true,
	 {"call Done on every path (defer wg.Done() first in the goroutine), and Add before go",
	  PAGE "#waitgroup"}},
	{NULL,
	 "semacquire",
	 false,
	 {"let go of it on every path: defer mu.Unlock(), defer wg.Done()", PAGE "#lock"}},
	{NULL,
	 "IO wait",
	 false,
	 {"set a deadline (SetDeadline), and close the connection when nobody needs it any more",
	  PAGE "#io"}},
	{NULL,
	 "sleep",
	 false,
	 {"wait in a select with a timer and <-ctx.Done(), so that it can end", PAGE "#sleep"}},
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(report__text(text), with, strlen(with));
}

static bool is_on_stack(const struct report_site *site, const char *function)
{
	if (begins(site->blocked_at.function, function) || begins(site->start_function, function))
		return true;
	for (size_t i = 0; i < site->n_stack; i++) {
		if (begins(site->stack[i].function, function))
			return true;
	}
	return false;
}

static bool waits_on_group(const struct report_site *site)
{
	const struct wait_objects *objects = site->objects;

	return objects && objects->n_top && objects->top[0].kind == WAIT_OBJECT_WAIT_GROUP;
}

const struct repair *report__repair(const struct report_site *site)
{
	if (!verdict__is_suspect(site->view.verdict))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if ((!row->function || is_on_stack(site, row->function)) &&
		    (!row->reason || begins(site->wait_reason, row->reason)) &&
		    (!row->of_wait_group || waits_on_group(site)))
			return &row->repair;
	}
	return NULL;
}
