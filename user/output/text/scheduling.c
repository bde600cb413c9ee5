// SPDX-License-Identifier: Apache-2.0
#include "output/text/scheduling.h"

#include <inttypes.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/text.h"
#include "output/text/block.h"
#include "output/text/threads.h"

/* Lines of where goroutines wait for each other. */
#define MAX_CONTENTION 5

static const char *const delayed_by[] = {
	[REPORT_DELAY_UNKNOWN] = "",
	[REPORT_DELAY_GO] = "; its other goroutines keep its processors",
	[REPORT_DELAY_KERNEL] = "; its threads have no processor either: others use them",
	[REPORT_DELAY_THROTTLED] = "; its control group has used up what it may use",
	[REPORT_DELAY_STOLEN] = "; this machine's processors are given to other machines (steal)",
};

/* Where it waits; of who runs that is not known, but what it is. */
static void put_where(struct screen *screen, const struct report_held *held)
{
	const struct report_site *site = held->at;
	const struct report_frame *frame;

	if (!site)
		return;
	frame = &site->blocked_at;
	if (!*report__text(frame->function)) {
		screen__putf(screen, STYLE_PLAIN, ", %s", report__text(site->start_function));
		frame = &site->created_by;
		if (!*report__text(frame->function))
			return;
		screen__put(screen, STYLE_PLAIN, ", created by");
	}
	screen__putf(screen, STYLE_PLAIN, "%s %s %s:%" PRIu32,
		     frame == &site->blocked_at ? "," : "", frame->function,
		     text__base_name(report__text(frame->file)), frame->line);
}

static void put_waits(struct screen *screen, const struct scheduling_view *view)
{
	char count[NUMBER_COUNT_SIZE], time[DURATION_SIZE];

	if (view->over_10ms_new) {
		number__count(view->over_10ms_new, count);
		duration__format(view->since_ns, time);
		screen__putf(screen, STYLE_PLAIN,
			     "%s waits of more than 10 ms for a processor in %s (one in eight "
			     "goroutines is measured)",
			     count, time);
	}
	if (view->n_late) {
		number__count(view->n_late + view->more_late, count);
		duration__format(view->late[0].waiting_ns, time);
		screen__putf(screen, STYLE_PLAIN, "%s%s wait now, the longest for %s",
			     view->over_10ms_new ? ", " : "", count, time);
	}
	if (view->n_late || view->over_10ms_new)
		screen__put(screen, STYLE_PLAIN, delayed_by[report__delay(view)]);
}

/* Who keeps a processor comes first: on a narrow terminal the end of the line is cut off. */
static void put_line(struct screen *screen, const struct report_scheduling *scheduling)
{
	const struct scheduling_view *view = &scheduling->view;
	const struct scheduling_hog *hog = &view->hogs[0];
	bool waits = view->n_late || view->over_10ms_new;
	char time[DURATION_SIZE];

	text_part__label(screen, "late");
	if (view->n_hogs) {
		duration__format(hog->running_ns, time);
		screen__putf(screen, STYLE_PLAIN,
			     "goroutine %" PRIu64 " keeps a processor for %s%s", hog->goid, time,
			     hog->unyielding ? " and does not yield" : "");
		put_where(screen, &scheduling->hogs[0]);
	}
	if (view->n_hogs && waits)
		screen__put(screen, STYLE_PLAIN, "; ");
	put_waits(screen, view);
	if (!waits && !view->n_hogs)
		screen__putf(screen, STYLE_PLAIN, "%" PRIu64 " threads stay in a system call",
			     view->n_stuck + view->more_stuck);
	screen__end_line(screen);
}

static void put_late(struct screen *screen, const struct report_scheduling *scheduling)
{
	const struct scheduling_view *view = &scheduling->view;
	char time[DURATION_SIZE];

	for (size_t i = 0; i < view->n_late; i++) {
		const struct scheduling_late *late = &view->late[i];

		duration__format(late->waiting_ns, time);
		text_part__label(screen, "");
		screen__putf(screen, STYLE_PLAIN, "goroutine %" PRIu64 " %s for %s%s%s", late->goid,
			     late->by_kernel ?
				     "has its turn, but its thread waits for a processor" :
				     "waits for a processor",
			     late->measured ? "" : "at least ", time,
			     late->never_ran ? ", and has never run" : "");
		put_where(screen, &scheduling->late[i]);
		screen__end_line(screen);
	}
}

static void put_hogs(struct screen *screen, const struct report_scheduling *scheduling)
{
	const struct scheduling_view *view = &scheduling->view;
	char time[DURATION_SIZE];

	for (size_t i = 0; i < view->n_hogs; i++) {
		duration__format(view->hogs[i].running_ns, time);
		text_part__label(screen, "");
		screen__putf(screen, STYLE_PLAIN, "goroutine %" PRIu64 " %s for %s",
			     view->hogs[i].goid,
			     view->hogs[i].unyielding ? "does not yield its processor" :
							"was found running each time",
			     time);
		put_where(screen, &scheduling->hogs[i]);
		screen__end_line(screen);
	}
}

static void put_stuck(struct screen *screen, const struct report_scheduling *scheduling)
{
	const struct scheduling_view *view = &scheduling->view;
	char time[DURATION_SIZE];

	for (size_t i = 0; i < view->n_stuck; i++) {
		const struct scheduling_stuck *stuck = &view->stuck[i];

		duration__format(stuck->for_ns, time);
		text_part__label(screen, i ? "" : "in a call");
		screen__putf(screen, STYLE_PLAIN,
			     "goroutine %" PRIu64 " %s%s for at least %s, thread %" PRIu64,
			     stuck->call.goid, stuck->call.in_c ? "in C, " : "",
			     scheduling->stuck[i].call, time, stuck->call.tid);
		put_where(screen, &scheduling->stuck[i]);
		screen__end_line(screen);
	}
}

/*
 * "waited  about 12m3s in sum, sync.Mutex.Lock, main.serve main.go:17", or of waits that were traced
 * "waited  12m3s in sum of 1,204, sync.Mutex.Lock, main.serve main.go:17 (each wait traced, for 5m)"
 */
static void put_contention(struct screen *screen, const struct report_target *target)
{
	const struct report_site *sites[REPORT_MAX_CONTENTION];
	size_t n = min_of(report__contention(target, sites), (size_t)MAX_CONTENTION);
	bool traced = target->waits_traced_ns;
	char time[DURATION_SIZE], count[NUMBER_COUNT_SIZE];

	for (size_t i = 0; i < n; i++) {
		const struct report_held held = {.at = sites[i]};

		duration__format(sites[i]->view.waited_ns, time);
		text_part__label(screen, i ? "" : "waited");
		screen__putf(screen, STYLE_PLAIN, "%s%s in sum", traced ? "" : "about ", time);
		number__count(sites[i]->view.parks, count);
		if (sites[i]->view.parks)
			screen__putf(screen, STYLE_PLAIN, " of %s", count);
		screen__putf(screen, STYLE_PLAIN, ", %s", report__text(sites[i]->wait_reason));
		put_where(screen, &held);
		if (traced && !i) {
			duration__format(target->waits_traced_ns, time);
			screen__putf(screen, STYLE_PLAIN, " (each wait traced, for %s)", time);
		}
		screen__end_line(screen);
	}
}

void text_part__scheduling(struct screen *screen, const struct report_target *target, bool all)
{
	const struct report_scheduling *scheduling = target->scheduling;

	if (all)
		put_contention(screen, target);
	if (!scheduling)
		return;
	if (!report__gets_on(scheduling))
		put_line(screen, scheduling);
	text_part__threads(screen, target, all);
	if (!all)
		return;
	put_late(screen, scheduling);
	put_hogs(screen, scheduling);
	put_stuck(screen, scheduling);
}
