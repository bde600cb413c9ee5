// SPDX-License-Identifier: Apache-2.0
/*
 *	threads     rose from 12 to 400 in 2m; 388 are in system calls or in C, 3 locked to goroutines
 *	            of 256 looked at 250 in read on files below /mnt/x, 6 in futex, called by C
 */
#include "output/text/threads.h"

#include <inttypes.h>

#include "base/duration.h"
#include "base/number.h"
#include "output/text/block.h"

/* Kinds of calls on a line. */
#define MAX_KINDS 3

static void put_count(struct screen *screen, uint64_t n, const char *before, const char *after)
{
	char count[NUMBER_COUNT_SIZE];

	number__count(n, count);
	screen__putf(screen, STYLE_PLAIN, "%s%s%s", before, count, after);
}

static void put_groups(struct screen *screen, const struct report_scheduling *scheduling)
{
	if (!scheduling->n_groups)
		return;
	text_part__label(screen, "");
	put_count(screen, scheduling->looked_at, "of ", " looked at ");
	for (size_t i = 0; i < min_of(scheduling->n_groups, (size_t)MAX_KINDS); i++) {
		const struct report_thread_group *group = &scheduling->groups[i];

		put_count(screen, group->threads, i ? ", " : "", " in ");
		screen__putf(screen, STYLE_PLAIN, "%s%s%s%s", group->call,
			     *group->where ? " on " : "", group->where,
			     group->in_c ? ", called by C" : "");
	}
	screen__end_line(screen);
}

void text_part__threads(struct screen *screen, const struct report_target *target, bool all)
{
	const struct report_scheduling *scheduling = target->scheduling;
	const struct scheduling_view *view = &scheduling->view;
	const struct threads_rise *rise = &view->rise;
	char time[DURATION_SIZE];

	if (!rise->over_ns && !(all && target->threads && (view->in_calls || view->locked)))
		return;
	text_part__label(screen, "threads");
	if (rise->over_ns) {
		duration__format(rise->over_ns, time);
		put_count(screen, rise->from, "rose from ", "");
		put_count(screen, rise->to, " to ", "");
		screen__putf(screen, STYLE_PLAIN, " in %s", time);
	} else {
		put_count(screen, target->threads, "", "");
	}
	put_count(screen, view->in_calls, "; ", " in system calls or in C");
	if (view->locked)
		put_count(screen, view->locked, ", ", " locked to goroutines");
	screen__end_line(screen);
	if (rise->over_ns)
		put_groups(screen, scheduling);
}
