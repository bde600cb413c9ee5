// SPDX-License-Identifier: Apache-2.0
#include "probe/open_plan.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "probe/function_code.h"

/*
 * Where Go 1.23 keeps the runtime's timer in what a *time.Timer leads to (src/runtime/time.go timeTimer), and versions
 * before it in the Timer itself (src/time/sleep.go): behind a channel, and a word that says whether it is there.
 */
#define IN_TIME_TIMER	16u
#define IN_OLD_TIMER	8u
#define WITH_TIME_TIMER 23

/* In place of a register: it points to an interface, a map's key, whose value is meant. */
#define OF_KEY 0x80u

/* Arguments by their registers; an interface has two, of which the second leads to the value. */
static const struct opening {
	enum open_function function;
	const char *name;
	const char *callee; /* the probe is at the one call of it; NULL: at the entry */
	uint8_t reg;
} openings[] = {
	/* SetFinalizer(obj, finalizer any) */
	{OPEN_FINALIZER, "runtime.SetFinalizer", NULL, 1},
	/* (c *cancelCtx) propagateCancel(parent, child); until Go 1.20 propagateCancel(parent, child) */
	{OPEN_CONTEXT, "context.(*cancelCtx).propagateCancel", NULL, 0},
	{OPEN_CONTEXT, "context.propagateCancel", NULL, 3},
	/* (t *timer) modify(...) of the new one; until Go 1.22 startTimer(t *timer) */
	{OPEN_TIMER, "time.newTimer", "runtime.(*timer).modify", 0},
	{OPEN_TIMER, "time.startTimer", NULL, 0},
	/* (rs *Rows) initContextClose(...) */
	{OPEN_ROWS, "database/sql.(*Rows).initContextClose", NULL, 0},
	/*
	 * (db *DB) conn(...) takes one for whatever is to be done with it. One that was there, or
	 * that another goroutine has opened for it: (dc *driverConn) resetSession(ctx). One that it
	 * has opened itself is the key of a map: mapaccess1(type, map, key), as (db *DB)
	 * addDepLocked(x, dep) is inlined.
	 */
	{OPEN_CONN, "database/sql.(*driverConn).resetSession", NULL, 0},
	{OPEN_CONN, "database/sql.(*DB).conn", "runtime.mapaccess1", OF_KEY | 2},
	/* (db *DB) prepareDC(ctx, dc, ...) */
	{OPEN_STMT, "database/sql.(*DB).prepareDC", NULL, 3},
	/* (pc *persistConn) roundTrip(...), (cc *ClientConn) roundTrip(req, ...) */
	{OPEN_HTTP_CONN, "net/http.(*persistConn).roundTrip", NULL, 0},
	{OPEN_HTTP2, "net/http.(*http2ClientConn).roundTrip", NULL, 1},
	{OPEN_HTTP2, "net/http.(*http2ClientConn).RoundTrip", NULL, 1},
	{OPEN_HTTP2, "net/http/internal/http2.(*ClientConn).roundTrip", NULL, 1},
	{OPEN_HTTP2, "golang.org/x/net/http2.(*ClientConn).roundTrip", NULL, 1},
	{OPEN_HTTP2, "golang.org/x/net/http2.(*ClientConn).RoundTrip", NULL, 1},
	/* newHandleProcess(pid, handle): from Go 1.25 on a Process has no finalizer */
	{OPEN_PROCESS, "os.newHandleProcess", NULL, 0},
	/* (p *Pool) Get(), Put(x) */
	{OPEN_POOL_GET, "sync.(*Pool).Get", NULL, 0},
	{OPEN_POOL_PUT, "sync.(*Pool).Put", NULL, 0},
};

static bool is_of_pools(enum open_function function)
{
	return function == OPEN_POOL_GET || function == OPEN_POOL_PUT;
}

#define MAX_NAMES (2 * ARRAY_SIZE(openings))

_Static_assert(ARRAY_SIZE(openings) <= ALLOC_PLAN_MAX_SITES, "all have room");

struct planner {
	struct elf_image *image;
	const char *names[MAX_NAMES]; /* of each opening, and behind these what it calls */
	struct pclntab_func functions[MAX_NAMES];
};

static int point_of(const struct planner *planner, size_t i, struct path_point *point)
{
	const struct path_query query = {.at_check = true};
	uint64_t callee = planner->functions[ARRAY_SIZE(openings) + i].entry;
	__cleanup_free uint8_t *bytes = NULL;
	struct code code;
	int err = function_code__read(planner->image, &planner->functions[i], &bytes, &code);

	if (err)
		return err;
	if (!openings[i].callee)
		return path__cheapest(&code, &query, point);
	return callee ? path__only_call(&code, callee, point) : -ENOENT;
}

/* Without one of them only what it opens stays without a place. */
static int add_site(const struct planner *planner, size_t i, struct alloc_plan *plan)
{
	struct alloc_site_plan *site = &plan->sites[plan->n];
	struct path_point point;
	int err = planner->functions[i].entry ? point_of(planner, i, &point) : -ENOENT;

	if (!err)
		err = probe_site__set(&site->site, planner->image, planner->functions[i].entry,
				      planner->names[i], &point);
	if (err)
		return err == -ENOMEM ? err : 0;
	site->kind = GL_ALLOC_OPEN;
	site->min_size = GL_ALLOC_OPEN_WHAT(openings[i].function, openings[i].reg & ~OF_KEY,
					    openings[i].callee != NULL, openings[i].reg & OF_KEY);
	plan->n++;
	return 0;
}

int open_plan__make(struct go_binary *binary, enum open_watched watched,
		    struct alloc_plan *ret_plan, struct failure *failure)
{
	struct planner planner = {.image = go_binary__image(binary)};
	struct alloc_plan plan = {0};
	int n, err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		planner.names[i] = openings[i].name;
		planner.names[ARRAY_SIZE(openings) + i] =
			openings[i].callee ? openings[i].callee : openings[i].name;
	}
	n = pclntab__find(go_binary__pclntab(binary), planner.names, planner.functions, MAX_NAMES);
	if (n < 0)
		return failure__set(failure, n == -ENOMEM ? n : -EIO,
				    "cannot look up what opens files and contexts in the "
				    "executable: %s",
				    strerror(-n));
	for (size_t i = 0; i < ARRAY_SIZE(openings) && !err; i++) {
		if (is_of_pools(openings[i].function) == (watched == OPEN_WATCH_POOLS))
			err = add_site(&planner, i, &plan);
	}
	if (err)
		return failure__set(failure, err, "out of memory");
	*ret_plan = plan;
	return 0;
}

uint64_t open_function__object(enum open_function function, uint64_t word, int go_minor)
{
	if (function != OPEN_TIMER)
		return word;
	return word - (go_minor < WITH_TIME_TIMER ? IN_OLD_TIMER : IN_TIME_TIMER);
}
