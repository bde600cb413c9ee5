// SPDX-License-Identifier: Apache-2.0
/*
 *	allocating  4 goroutines in 30s, by a probe where the runtime takes a sample, one per 524 kB
 *	  allocated         per second      objects     in use  goroutine
 *	   1.2 GB   ±3 %        40 MB/s   12,003,112     12 MB  18  main.worker  created at main.go:12
 */
#include <stdio.h>

#include "base/duration.h"
#include "base/number.h"
#include "output/text/alloc_sites.h"

#define FIRST_FEW    10
#define MAX_LINES    6
#define PERCENT_SIZE 16
#define INDENT	     6

/* Where columns end; all but the last are aligned to the right. */
enum {
	ALLOC_END = 11,
	ERROR_END = 19,
	RATE_END = 31,
	OBJECTS_END = 45,
	IN_USE_END = 56,
	NAME = 58
};

static const char *noun_of(enum report_alloc_by by)
{
	switch (by) {
	case REPORT_ALLOC_BY_GOROUTINE:
		return "goroutine";
	case REPORT_ALLOC_BY_CREATION:
		return "go statement";
	case REPORT_ALLOC_BY_LABEL:
		return "set";
	default:
		return "type";
	}
}

static void put_right(struct screen *screen, enum style style, const char *text, unsigned int begin,
		      unsigned int end)
{
	screen__put_right(screen, style, text, begin, end - begin);
}

/* How it is known, and what that has cost. */
static void put_source(struct screen *screen, const struct report_alloc_groups *groups)
{
	const struct alloc_figures *figures = &groups->figures;
	double watched = (double)figures->watched_ns;
	char rate[NUMBER_BYTES_SIZE], time[DURATION_SIZE], text[256];

	duration__format(figures->watched_ns, time);
	number__bytes(figures->rate, rate);
	switch (figures->source) {
	case ALLOC_SOURCE_SAMPLE_HITS:
		snprintf(text, sizeof(text),
			 " in %s, by a probe where the runtime takes a sample, one per %s", time,
			 rate);
		break;
	case ALLOC_SOURCE_WINDOWS:
		snprintf(text, sizeof(text),
			 " in %s, by probes on each allocation, for %.2g %% of the time in %llu %s",
			 time, watched > 0 ? 100 * (double)figures->attached_ns / watched : 0,
			 (unsigned long long)figures->windows,
			 figures->windows == 1 ? "window" : "windows");
		break;
	default:
		snprintf(text, sizeof(text), " in %s, by probes on each allocation", time);
	}
	screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
}

static void put_notes(struct screen *screen, const struct report_alloc_groups *groups)
{
	const struct alloc_figures *figures = &groups->figures;
	char text[512];

	if (figures->lost || figures->refused) {
		snprintf(text, sizeof(text),
			 "%llu of %llu hits were lost, %llu were beyond what gleakd keeps",
			 (unsigned long long)figures->lost, (unsigned long long)figures->hits,
			 (unsigned long long)figures->refused);
		screen__to(screen, 4);
		screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
	}
	if (*figures->ended) {
		screen__to(screen, 4);
		screen__put(screen, STYLE_PLAIN, "no more is seen: ");
		screen__wrap(screen, STYLE_PLAIN, figures->ended, MAX_LINES);
	}
}

static void put_header(struct screen *screen, const struct report_alloc_groups *groups)
{
	screen__put(screen, STYLE_DIM, "allocating");
	screen__to(screen, 11);
	screen__put_owned(screen, STYLE_BOLD,
			  number__counted(groups->n_groups, noun_of(groups->by)));
	put_source(screen, groups);
	put_notes(screen, groups);
	if (!groups->n_groups)
		return;
	put_right(screen, STYLE_DIM, "allocated", 0, ALLOC_END);
	put_right(screen, STYLE_DIM, "per second", ERROR_END, RATE_END);
	put_right(screen, STYLE_DIM, "objects", RATE_END, OBJECTS_END);
	put_right(screen, STYLE_DIM, groups->in_use_known ? "in use" : "", OBJECTS_END, IN_USE_END);
	screen__to(screen, NAME);
	screen__put(screen, STYLE_DIM, noun_of(groups->by));
	screen__end_line(screen);
}

static void put_frame(struct screen *screen, const char *before, const struct report_frame *frame)
{
	if (!report__frame_known(frame))
		return;
	screen__put(screen, STYLE_DIM, before);
	screen__put_function(screen, STYLE_PLAIN, frame->function, screen__room(screen));
	if (frame->file && *frame->file) {
		screen__put(screen, STYLE_PLAIN, "  ");
		screen__put_location(screen, STYLE_DIM, frame->file, frame->line,
				     screen__room(screen));
	}
}

void text_part__alloc_group_name(struct screen *screen, enum report_alloc_by by,
				 const struct report_alloc_group *group)
{
	const char *name = report__text(group->name);

	if (by == REPORT_ALLOC_BY_LABEL)
		screen__put(screen, *name ? STYLE_PLAIN : STYLE_DIM,
			    *name	   ? name :
			    group->unknown ? "(labels that were gone too soon)" :
					     "(no labels)");
	else if (by == REPORT_ALLOC_BY_TYPE)
		screen__put(screen, *name ? STYLE_PLAIN : STYLE_DIM, *name ? name : "(bytes)");
	else if (by == REPORT_ALLOC_BY_GOROUTINE && group->goid)
		screen__putf(screen, STYLE_PLAIN, "%llu  %s", (unsigned long long)group->goid,
			     report__text(group->start_function));
	else if (report__frame_known(&group->created_by))
		put_frame(screen, "", &group->created_by);
	else
		screen__put(screen, STYLE_DIM,
			    group->goroutines ? "(the program itself)" : "(the runtime itself)");
}

void text_part__alloc_group(struct screen *screen, const struct report_alloc_groups *groups,
			    const struct report_alloc_group *group)
{
	char bytes[NUMBER_BYTES_SIZE], rate[NUMBER_BYTES_SIZE + 2], objects[NUMBER_COUNT_SIZE],
		in_use[NUMBER_BYTES_SIZE], error[PERCENT_SIZE] = "", per_second[NUMBER_BYTES_SIZE];
	double percent = min_of(group->relative_error * 100, 999.0);

	number__bytes(group->alloc_bytes, bytes);
	number__bytes((uint64_t)group->bytes_per_second, per_second);
	snprintf(rate, sizeof(rate), "%.*s/s", NUMBER_BYTES_SIZE - 1, per_second);
	number__count(group->alloc_objects, objects);
	number__bytes(group->in_use_bytes, in_use);
	if (percent >= 0.5)
		snprintf(error, sizeof(error), "%s%.0f %%", screen->options.ascii ? "+-" : "±",
			 percent);
	put_right(screen, STYLE_BOLD, bytes, 0, ALLOC_END);
	put_right(screen, STYLE_DIM, error, ALLOC_END, ERROR_END);
	put_right(screen, STYLE_PLAIN, rate, ERROR_END, RATE_END);
	put_right(screen, STYLE_PLAIN, objects, RATE_END, OBJECTS_END);
	if (groups->in_use_known)
		put_right(screen, STYLE_PLAIN, in_use, OBJECTS_END, IN_USE_END);
	screen__to(screen, NAME);
	text_part__alloc_group_name(screen, groups->by, group);
	screen__end_line(screen);
	if (groups->by == REPORT_ALLOC_BY_GOROUTINE && report__frame_known(&group->created_by)) {
		screen__to(screen, INDENT);
		put_frame(screen, "created by ", &group->created_by);
		screen__end_line(screen);
	}
	if (!report__frame_known(&group->allocated_at))
		return;
	screen__to(screen, INDENT);
	put_frame(screen, "most of it at ", &group->allocated_at);
	screen__end_line(screen);
}

void text_part__alloc_groups(struct screen *screen, const struct report_alloc_groups *groups,
			     const struct alloc_sites_options *options)
{
	size_t shown, few = options->few ? options->few : FIRST_FEW;

	if (!groups)
		return;
	if (*groups->figures.missing || (*groups->figures.ended && !groups->figures.windows)) {
		screen__put(screen, STYLE_DIM, "allocating ");
		screen__put(screen, STYLE_PLAIN, "not known who: ");
		screen__wrap(screen, STYLE_PLAIN,
			     *groups->figures.missing ? groups->figures.missing :
							groups->figures.ended,
			     MAX_LINES);
		return;
	}
	put_header(screen, groups);
	shown = options->all ? groups->n_groups : min_of(groups->n_groups, few);
	for (size_t i = 0; i < shown; i++)
		text_part__alloc_group(screen, groups, &groups->groups[i]);
	if (shown == groups->n_groups)
		return;
	screen__to(screen, 4);
	screen__put_owned(screen, STYLE_DIM,
			  number__counted(groups->n_groups - shown, noun_of(groups->by)));
	screen__put(screen, STYLE_DIM, " more; --all shows them");
	screen__end_line(screen);
}
