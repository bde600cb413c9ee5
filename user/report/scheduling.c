// SPDX-License-Identifier: Apache-2.0
#include "report/scheduling.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/site_id.h"
#include "report/thread_groups.h"
#include "session/goroutines/target_scheduling.h"

_Static_assert(REPORT_CALL_SIZE == TARGET_CALL_TEXT, "a call's text is taken as it is");

static void place(const struct target *target, const struct report_site *sites, size_t n,
		  uint64_t goid, struct report_held *held)
{
	const struct site_view *view;
	uint64_t parked_since_ns;
	uint32_t index;

	if (!tracker__find(target__tracker(target), goid, &index, &parked_since_ns))
		return;
	view = site_id__view(target, index);
	if (!view)
		return;
	site_id__of(target, view, held->site);
	for (size_t i = 0; i < n && !held->at; i++) {
		if (!strcmp(sites[i].id, held->site))
			held->at = &sites[i];
	}
}

static void group_threads(const struct target *target, struct report_scheduling *made)
{
	const struct scheduling_call *call;
	char text[TARGET_CALL_TEXT];
	size_t index = 0;

	while ((call = target_scheduling__call(target, &index))) {
		target_scheduling__call_text(target, call, text);
		thread_groups__add(made, text, call->in_c);
	}
	thread_groups__sort(made);
}

int built_scheduling__make(const struct target *target, const struct report_site *sites, size_t n,
			   struct report_scheduling **ret_scheduling)
{
	const struct scheduling_view *view = target_scheduling__get(target);
	struct report_scheduling *made;

	*ret_scheduling = NULL;
	if (!view)
		return 0;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->view = *view;
	for (size_t i = 0; i < view->n_late; i++)
		place(target, sites, n, view->late[i].goid, &made->late[i]);
	for (size_t i = 0; i < view->n_hogs; i++)
		place(target, sites, n, view->hogs[i].goid, &made->hogs[i]);
	for (size_t i = 0; i < view->n_stuck; i++) {
		place(target, sites, n, view->stuck[i].call.goid, &made->stuck[i]);
		target_scheduling__call_text(target, &view->stuck[i].call, made->stuck[i].call);
	}
	if (view->rise.over_ns)
		group_threads(target, made);
	*ret_scheduling = made;
	return 0;
}

void built_scheduling__fill(const struct target *target, const struct report_scheduling *made,
			    uint64_t now_ns, struct report_target *report)
{
	const struct tracker *tracker = target__tracker(target);
	uint64_t since_ns = tracker__waits_since(tracker);

	report->scheduling = made;
	report->threads = target__threads(target);
	report->waits_missed = tracker__waits_missed(tracker);
	if (since_ns)
		report->waits_traced_ns = now_ns - min_of(since_ns, now_ns);
}
