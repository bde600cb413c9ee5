// SPDX-License-Identifier: Apache-2.0
#include "output/text/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/utf8.h"

#define MAX_NAME	32
#define MAX_WORD	60 /* a Go version */
#define PID_SIZE	96
#define PROGRAM_SIZE	512
#define MAX_LINES	6
#define ITEM_GAP	3
#define MICRO		"\xc2\xb5" /* micro sign */
#define UNREADABLE_PART 20	   /* more than one of so many goroutines are worth a note */

/* " (pid 42)", " (pid 42, named by user 1000)" */
static void put_pid(const struct report_target *target, char out[PID_SIZE])
{
	const char *whose = report__named_by(target);

	snprintf(out, PID_SIZE, " (pid %d%s%.*s)", (int)target->pid, *whose ? ", named by " : "",
		 MAX_NAME, whose);
}

void text_part__name(struct screen *screen, const struct report_target *target)
{
	const char *library = report__text(target->library);
	char pid[PID_SIZE];

	screen__put_within(screen, STYLE_BOLD, report__text(target->comm), MAX_NAME);
	put_pid(target, pid);
	screen__put(screen, STYLE_PLAIN, pid);
	if (*library) {
		screen__put(screen, STYLE_PLAIN, " ");
		screen__put_within(screen, STYLE_BOLD, library, MAX_NAME);
	}
}

size_t text_part__name_width(const struct report_target *target)
{
	size_t library = utf8__width(report__text(target->library));
	char pid[PID_SIZE];

	put_pid(target, pid);
	return min_of(utf8__width(report__text(target->comm)), (size_t)MAX_NAME) + strlen(pid) +
	       (library ? 1 + min_of(library, (size_t)MAX_NAME) : 0);
}

/* "label value" after what is already on the line, or on the next when there is no room. */
static void put_item(struct screen *screen, const char *label, enum style style, const char *value)
{
	size_t width = strlen(label) + 1 + utf8__width(value);

	if (screen->column > 0 && screen__room(screen) < ITEM_GAP + width)
		screen__end_line(screen);
	if (screen->column > 0)
		screen__to(screen, screen->column + ITEM_GAP);
	screen__put(screen, STYLE_DIM, label);
	screen__put(screen, STYLE_PLAIN, *label ? " " : "");
	screen__put_within(screen, style, value, MAX_WORD);
}

/* "0.8 µs per goroutine, 0.4% of its CPU (5% allowed)" */
static void put_cost(struct screen *screen, const struct report_target *target)
{
	const struct probe_cost *cost = &target->cost;
	double share = cost->of_core ? cost->ns_per_s / (double)NSEC_PER_SEC : cost->cpu_share;
	double limit = target->overhead_max * (cost->of_core ? COST_BASE_SHARE : 1);
	char each[NUMBER_RATE_SIZE + 24] = "", part[NUMBER_RATE_SIZE], number[NUMBER_RATE_SIZE];
	char allowed[NUMBER_RATE_SIZE + 16] = "";
	char text[sizeof(each) + sizeof(part) + sizeof(allowed) + 16];

	if (cost->basis == COST_NONE)
		return;
	if (cost->ns_per_creation >= 0) {
		number__rate(cost->ns_per_creation / 1000, number);
		snprintf(each, sizeof(each), "%s " MICRO "s per goroutine, ", number);
	}
	if (limit > 0) {
		number__rate(limit * 100, number);
		snprintf(allowed, sizeof(allowed), " (%s%% allowed)", number);
	}
	number__rate(share * 100, part);
	snprintf(text, sizeof(text), "%s%s%% of %s%s", each, part,
		 cost->of_core ? "a core" : "its CPU", allowed);
	put_item(screen, "cost", STYLE_PLAIN, text);
}

void text_part__identity(struct screen *screen, const struct report_target *target)
{
	char observed[DURATION_SIZE];

	screen__put(screen, STYLE_DIM, "gleakd  ");
	text_part__name(screen, target);
	duration__format(target->observed_ns, observed);
	put_item(screen, "", STYLE_PLAIN, report__text(target->go_version));
	put_item(screen, "mode", target->mode >= PROBE_MODE_FULL ? STYLE_PLAIN : STYLE_GROWING,
		 probe_mode__name(target->mode));
	put_item(screen, "observed", STYLE_PLAIN, observed);
	put_cost(screen, target);
	if (target->exited_target)
		put_item(screen, "", STYLE_BOLD, "process ended");
	screen__end_line(screen);
}

static void put_how(struct screen *screen, const struct report_target *target)
{
	if (!target->how || !*target->how)
		return;
	screen__put(screen, STYLE_DIM, "binary  ");
	screen__wrap(screen, STYLE_DIM, target->how, MAX_LINES);
}

/* "program github.com/acme/shop v1.2.3, revision 1b2ddab and changes" */
static void put_program(struct screen *screen, const struct report_target *target)
{
	const char *module = report__text(target->module);
	const char *version = report__text(target->module_version);
	const char *revision = report__text(target->vcs_revision);
	char text[PROGRAM_SIZE];

	if (!*module && !*revision)
		return;
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", module, *module && *version ? " " : "",
		 *module ? version : "", *module && *revision ? ", " : "",
		 *revision ? "revision " : "", revision,
		 *revision && target->vcs_modified ? " and changes" : "");
	screen__put(screen, STYLE_DIM, "program ");
	screen__wrap(screen, STYLE_DIM, text, MAX_LINES);
}

static void put_figure(struct screen *screen, const char *label, uint64_t n)
{
	char count[NUMBER_COUNT_SIZE];

	number__count(n, count);
	put_item(screen, label, STYLE_BOLD, count);
}

/* Nothing where it is not known. */
static void put_bytes(struct screen *screen, const char *label, uint64_t n)
{
	char bytes[NUMBER_BYTES_SIZE];

	if (!n)
		return;
	number__bytes(n, bytes);
	put_item(screen, label, STYLE_BOLD, bytes);
}

/* "created 812 (19/s)" */
static void put_flow(struct screen *screen, const char *label, uint64_t n, double per_second)
{
	char count[NUMBER_COUNT_SIZE], rate[NUMBER_RATE_SIZE];
	char text[sizeof(count) + sizeof(rate) + 8];

	number__count(n, count);
	number__rate(per_second, rate);
	if (per_second >= 0)
		snprintf(text, sizeof(text), "%s (%s/s)", count, rate);
	else
		snprintf(text, sizeof(text), "%s", count);
	put_item(screen, label, STYLE_BOLD, text);
}

static void put_goroutines(struct screen *screen, const struct report_target *target)
{
	put_figure(screen, "goroutines", target->totals.alive);
	put_figure(screen, "parked", target->totals.parked);
	put_flow(screen, "created", target->totals.created, target->created_per_second);
	put_flow(screen, "exited", target->totals.exited, target->exited_per_second);
	screen__end_line(screen);
}

/* "RSS 412 MB   heap live 310 MB   goal 620 MB   allocated 1.2 GB   collections 1,204" */
static void put_memory(struct screen *screen, const struct report_target *target)
{
	const struct heap_counters *counters = &target->counters;

	if (!target->counters_known)
		return;
	put_bytes(screen, "RSS", target->resident_bytes);
	put_bytes(screen, "heap live", counters->marked ? counters->live_bytes : 0);
	put_bytes(screen, "goal", counters->has_goal ? counters->goal_bytes : 0);
	put_bytes(screen, "stacks", counters->counted ? counters->stack_bytes : 0);
	put_bytes(screen, "allocated", counters->counted ? counters->total_bytes : 0);
	put_figure(screen, "collections", counters->gc_cycles);
	screen__end_line(screen);
}

/* Who stands still has goroutines that look stuck. */
static void put_execution(struct screen *screen, const struct report_target *target)
{
	char words[EXECUTION_TEXT];

	execution__text(&target->execution, words);
	if (!words[0] || target->exited_target)
		return;
	screen__put(screen, STYLE_GROWING, words);
	screen__wrap(screen, STYLE_PLAIN,
		     ": its goroutines cannot run, and its figures stand still", MAX_LINES);
}

void text_part__mode(struct screen *screen, const struct report_target *target)
{
	if (target->mode == PROBE_MODE_WAITS || !target->mode_reason || !*target->mode_reason)
		return;
	screen__put(screen, STYLE_GROWING, probe_mode__name(target->mode));
	screen__put(screen, STYLE_GROWING, " only: ");
	screen__wrap(screen, STYLE_PLAIN, target->mode_reason, MAX_LINES);
}

static void put_note(struct screen *screen, uint64_t n, const char *noun, const char *rest)
{
	if (n == 0)
		return;
	screen__put(screen, STYLE_GROWING, "note: ");
	screen__put_owned(screen, STYLE_PLAIN, number__counted(n, noun));
	screen__wrap(screen, STYLE_PLAIN, rest, MAX_LINES);
}

void text_part__losses(struct screen *screen, const struct report_target *target)
{
	char repaired[NUMBER_COUNT_SIZE];

	if (target->totals.lost || target->totals.inexact) {
		number__count(target->totals.repaired, repaired);
		screen__put(screen, STYLE_GROWING, "lost: ");
		screen__put_owned(screen, STYLE_PLAIN,
				  number__counted(target->totals.lost, "event"));
		screen__putf(screen, STYLE_PLAIN, "; creations and exits found by census: %s; %s",
			     repaired,
			     target->totals.inexact ? "not yet repaired" :
						      "counts are exact again");
		screen__end_line(screen);
	}
	/* A running program moves on under the reader now and then: a few say nothing. */
	if (target->unreadable > target->totals.alive / UNREADABLE_PART)
		put_note(screen, target->unreadable, "goroutine",
			 " could not be read: most ran on meanwhile; the next census reads them "
			 "again");
	put_note(screen, target->totals.refused, "goroutine",
		 " beyond gleakd's limits not followed");
	if (target->census_stretch > 1)
		put_note(screen, target->census_stretch, "round",
			 " for each time that this process is looked at: that costs more than its "
			 "share of what gleakd may use (--max-self-cpu)");
}

void text_part__triggers(struct screen *screen, const struct report_target *target)
{
	for (size_t i = 0; i < target->n_triggers; i++) {
		const struct report_trigger *trigger = &target->triggers[i];
		const char *folder = report__text(trigger->evidence_folder);

		screen__put(screen, STYLE_GROWING, "trigger: ");
		screen__put(screen, STYLE_PLAIN, report__text(trigger->text));
		screen__putf(screen, STYLE_PLAIN, "%s%s%s", trigger->met ? "" : " (no longer)",
			     *folder ? "; kept in " : "; what is known of it is being kept",
			     folder);
		screen__end_line(screen);
	}
}

void text_part__target(struct screen *screen, const struct report_target *target)
{
	text_part__identity(screen, target);
	put_how(screen, target);
	put_program(screen, target);
	put_goroutines(screen, target);
	put_memory(screen, target);
	put_execution(screen, target);
	text_part__mode(screen, target);
	text_part__losses(screen, target);
}
