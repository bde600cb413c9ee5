// SPDX-License-Identifier: Apache-2.0
/* What is held up, by census; and threads that stay in one call, from when until when. */
#include <string.h>

#include "record/recorder_private.h"

static void put_point(struct recorded *recorded, const struct scheduling_view *view,
		      uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorded->recorder, PUT_SCHEDULING);
	const char *delayed_by = report_delay__name(report__delay(view));

	record_bind__count(statement, 1, now_ns);
	record_bind__count(statement, 2, recorded->number);
	if (view->latencies_known)
		record_bind__count(statement, 3, view->over_10ms);
	record_bind__count(statement, 4, view->n_late + view->more_late);
	record_bind__count(statement, 5, view->n_late ? view->late[0].waiting_ns : 0);
	record_bind__count(statement, 6, view->n_hogs);
	record_bind__count(statement, 7, view->n_stuck + view->more_stuck);
	if (view->cpu_new.throttled_known)
		record_bind__count(statement, 8, view->cpu_new.throttled_ns);
	if (view->cpu_new.run_delay_known)
		record_bind__count(statement, 9, view->cpu_new.run_delay_ns);
	if (*delayed_by)
		record_bind__text(statement, 10, delayed_by);
	if (view->cpu_new.stolen_known)
		record_bind__count(statement, 11, view->cpu_new.stolen_ns);
	record_bind__count(statement, 12, view->in_calls);
	record_bind__count(statement, 13, view->locked);
	recorder__put(recorded->recorder, PUT_SCHEDULING);
}

static bool is_same(const struct scheduling_call *a, const struct scheduling_call *b)
{
	return a->goid == b->goid && a->tid == b->tid && a->number == b->number && a->sp == b->sp &&
	       a->switches == b->switches;
}

/* The number of a call in the recording and when it was first seen, as in the census before if it was there. */
static struct open_call take_call(struct recorded *recorded, const struct scheduling_stuck *stuck,
				  uint64_t now_ns)
{
	for (size_t i = 0; i < recorded->n_calls; i++) {
		if (is_same(&recorded->calls[i].call, &stuck->call))
			return recorded->calls[i];
	}
	return (struct open_call){
		.call = stuck->call,
		.number = ++recorded->recorder->n_stuck_calls,
		.begin_ns = now_ns - min_of(stuck->for_ns, now_ns),
	};
}

static void put_call(struct recorded *recorded, const struct open_call *open,
		     const struct report_held *held, uint64_t now_ns)
{
	sqlite3_stmt *statement = recorder__bind(recorded->recorder, PUT_STUCK_CALL);

	record_bind__count(statement, 1, open->number);
	record_bind__count(statement, 2, recorded->number);
	record_bind__count(statement, 3, open->call.goid);
	record_bind__count(statement, 4, open->call.tid);
	record_bind__text(statement, 5, held->call);
	sqlite3_bind_int(statement, 6, open->call.in_c);
	record_bind__text(statement, 7, held->site);
	record_bind__count(statement, 8, open->begin_ns);
	record_bind__count(statement, 9, now_ns - min_of(open->begin_ns, now_ns));
	recorder__put(recorded->recorder, PUT_STUCK_CALL);
}

void record_scheduling__write(struct recorded *recorded, const struct report_scheduling *scheduling,
			      uint64_t now_ns)
{
	struct open_call calls[SCHEDULING_MAX_TOLD];
	size_t n;

	if (!scheduling)
		return;
	if (recorder__room(recorded->recorder) == ROOM_FOR_REPORT) {
		recorded->left_out_points++;
		return;
	}
	n = min_of(scheduling->view.n_stuck, (size_t)SCHEDULING_MAX_TOLD);
	put_point(recorded, &scheduling->view, now_ns);
	for (size_t i = 0; i < n; i++) {
		calls[i] = take_call(recorded, &scheduling->view.stuck[i], now_ns);
		put_call(recorded, &calls[i], &scheduling->stuck[i], now_ns);
	}
	memcpy(recorded->calls, calls, n * sizeof(*calls));
	recorded->n_calls = n;
}
