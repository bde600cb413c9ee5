// SPDX-License-Identifier: Apache-2.0
/* Who is watched, and what came out of it: the lines above the sites and those below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/utf8.h"
#include "output/shorten.h"
#include "output/text/parts.h"

#define MAX_NAME	32
#define MAX_WORD	24 /* a Go version, a mode */
#define MAX_LINES	6
#define ITEM_GAP	3
#define TIME_OF_DAY	11 /* where it begins in "2026-01-02T03:04:05.678Z" */
#define TIME_OF_DAY_LEN 8

static bool is_mode(const struct report_target *target, const char *mode)
{
	return strcmp(report__text(target->mode), mode) == 0;
}

static void put_observed(struct screen *screen, enum style style, const char *before,
			 const struct report_target *target)
{
	char text[DURATION_SIZE];

	duration__format(duration__from_seconds(target->observed_seconds), text);
	screen__putf(screen, style, "%s%s", before, text);
}

static void put_name(struct screen *screen, const struct report_target *target)
{
	screen__put_owned(screen, STYLE_BOLD, shorten__text(report__text(target->comm), MAX_NAME));
	screen__putf(screen, STYLE_PLAIN, " (pid %d)", (int)target->pid);
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
	screen__put(screen, style, value);
}

static void put_identity(struct screen *screen, const struct report_target *target)
{
	char observed[DURATION_SIZE], budget[48];
	char *version = shorten__text(report__text(target->go_version), MAX_WORD);
	char *mode = shorten__text(report__text(target->mode), MAX_WORD);

	screen->failed |= !version || !mode;
	screen__put(screen, STYLE_DIM, "gleakd  ");
	put_name(screen, target);
	duration__format(duration__from_seconds(target->observed_seconds), observed);
	put_item(screen, "", STYLE_PLAIN, report__text(version));
	put_item(screen, "mode", is_mode(target, "full") ? STYLE_PLAIN : STYLE_GROWING,
		 report__text(mode));
	put_item(screen, "observed", STYLE_PLAIN, observed);
	if (target->overhead_max > 0) {
		snprintf(budget, sizeof(budget), "%.2g%% of %.2g%%", target->overhead * 100,
			 target->overhead_max * 100);
		put_item(screen, "cost", STYLE_PLAIN, budget);
	}
	if (target->exited_target)
		put_item(screen, "", STYLE_BOLD, "process ended");
	screen__end_line(screen);
	free(version);
	free(mode);
}

static void put_how(struct screen *screen, const struct report_target *target)
{
	if (!target->how || !*target->how)
		return;
	screen__put(screen, STYLE_DIM, "binary  ");
	screen__wrap(screen, STYLE_DIM, target->how, MAX_LINES);
}

static void put_figure(struct screen *screen, const char *label, uint64_t n)
{
	char count[SHORTEN_COUNT_SIZE];

	shorten__count(n, count);
	put_item(screen, label, STYLE_BOLD, count);
}

/* "created 812 (19/s)" */
static void put_flow(struct screen *screen, const char *label, uint64_t n, double per_second)
{
	char count[SHORTEN_COUNT_SIZE], rate[SHORTEN_RATE_SIZE];
	char text[sizeof(count) + sizeof(rate) + 8];

	shorten__count(n, count);
	shorten__rate(per_second, rate);
	snprintf(text, sizeof(text), "%s (%s/s)", count, rate);
	put_item(screen, label, STYLE_BOLD, text);
}

static void put_goroutines(struct screen *screen, const struct report_target *target)
{
	put_figure(screen, "goroutines", target->alive);
	put_figure(screen, "parked", target->parked);
	put_flow(screen, "created", target->created, target->created_per_second);
	put_flow(screen, "exited", target->exited, target->exited_per_second);
	screen__end_line(screen);
}

void text_part__mode(struct screen *screen, const struct report_target *target)
{
	if (is_mode(target, "full") || !target->mode_reason || !*target->mode_reason)
		return;
	screen__put_owned(screen, STYLE_GROWING,
			  shorten__text(report__text(target->mode), MAX_WORD));
	screen__put(screen, STYLE_GROWING, " only: ");
	screen__wrap(screen, STYLE_PLAIN, target->mode_reason, MAX_LINES);
}

static void put_note(struct screen *screen, uint64_t n, const char *noun, const char *rest)
{
	if (n == 0)
		return;
	screen__put(screen, STYLE_GROWING, "note: ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__counted(n, noun));
	screen__put(screen, STYLE_PLAIN, rest);
	screen__end_line(screen);
}

void text_part__losses(struct screen *screen, const struct report_target *target)
{
	char repaired[SHORTEN_COUNT_SIZE];

	if (target->lost_events || target->inexact) {
		shorten__count(target->repaired, repaired);
		screen__put(screen, STYLE_GROWING, "lost: ");
		screen__put_owned(screen, STYLE_PLAIN,
				  shorten__counted(target->lost_events, "event"));
		screen__putf(screen, STYLE_PLAIN, "; creations and exits found by census: %s; %s",
			     repaired,
			     target->inexact ? "not yet repaired" : "counts are exact again");
		screen__end_line(screen);
	}
	put_note(screen, target->unreadable, "read", " of goroutines or stacks failed");
	put_note(screen, target->refused, "goroutine", " beyond gleakd's limits not followed");
}

void text_part__target(struct screen *screen, const struct report_target *target)
{
	put_identity(screen, target);
	put_how(screen, target);
	put_goroutines(screen, target);
	text_part__mode(screen, target);
	text_part__losses(screen, target);
}

struct flagged_count text_part__count_flagged(const struct report_target *target)
{
	struct flagged_count count = {0};

	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];

		if (!site->flagged)
			continue;
		if (strcmp(report__text(site->verdict), "leaking") == 0) {
			count.leaking_sites++;
			count.leaking_goroutines += site->goroutines;
		} else {
			count.stuck_sites++;
			count.stuck_goroutines += site->goroutines;
		}
	}
	return count;
}

/* "2 leaking sites, 1,509 goroutines" */
static void put_finding(struct screen *screen, enum style style, const char *before,
			const char *noun, uint64_t sites, uint64_t goroutines)
{
	if (sites == 0)
		return;
	screen__put(screen, STYLE_PLAIN, before);
	screen__put_owned(screen, style, shorten__counted(sites, noun));
	screen__put(screen, style, ", ");
	screen__put_owned(screen, style, shorten__counted(goroutines, "goroutine"));
}

static void put_findings(struct screen *screen, const struct flagged_count *count)
{
	put_finding(screen, STYLE_LEAKING, "", "leaking site", count->leaking_sites,
		    count->leaking_goroutines);
	put_finding(screen, STYLE_STUCK, count->leaking_sites ? "; " : "", "stuck site",
		    count->stuck_sites, count->stuck_goroutines);
}

static size_t count_growing(const struct report_target *target)
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		n += !report__silenced(&target->sites[i]) &&
		     strcmp(report__text(target->sites[i].verdict), "growing") == 0;
	return n;
}

static size_t count_populated(const struct report_target *target)
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		n += target->sites[i].goroutines > 0;
	return n;
}

/* "looked at 340 goroutines in 12 sites for 42s (mode full, no events lost)" */
static void put_looked_at(struct screen *screen, const struct report_target *target)
{
	screen__put(screen, STYLE_PLAIN, "looked at ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__counted(target->alive, "goroutine"));
	screen__put(screen, STYLE_PLAIN, " in ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__counted(count_populated(target), "site"));
	put_observed(screen, STYLE_PLAIN, " for ", target);
	screen__put(screen, STYLE_PLAIN, " (mode ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__text(report__text(target->mode), MAX_WORD));
	if (target->inexact)
		screen__put(screen, STYLE_PLAIN, ", events lost, not yet repaired");
	else if (target->lost_events)
		screen__put(screen, STYLE_PLAIN, ", events lost, repaired by census");
	else if (!is_mode(target, "census"))
		screen__put(screen, STYLE_PLAIN, ", no events lost");
	screen__put(screen, STYLE_PLAIN, ")");
	screen__end_line(screen);
}

static void put_target_summary(struct screen *screen, const struct report_target *target,
			       bool name_it, bool single_look)
{
	struct flagged_count count = text_part__count_flagged(target);
	size_t growing = count_growing(target), silenced = report__count_silenced(target);

	if (name_it) {
		put_name(screen, target);
		screen__put(screen, STYLE_PLAIN, ": ");
	}
	if (count.leaking_sites || count.stuck_sites) {
		screen__put(screen, STYLE_BOLD, "Found ");
		put_findings(screen, &count);
	} else {
		screen__put(screen, STYLE_GOOD,
			    target->n_sites ? "No leak found" : "No goroutine was seen");
	}
	if (growing) {
		screen__put(screen, STYLE_PLAIN, "; ");
		screen__put_owned(screen, STYLE_GROWING, shorten__counted(growing, "site"));
		screen__put(screen, STYLE_PLAIN, " still growing");
	}
	if (silenced) {
		screen__put(screen, STYLE_PLAIN, "; ");
		screen__put_owned(screen, STYLE_PLAIN, shorten__counted(silenced, "site"));
		screen__put(screen, STYLE_PLAIN, " silenced");
	}
	screen__end_line(screen);
	put_looked_at(screen, target);
	if (single_look && count.leaking_sites == 0) {
		screen__put(screen, STYLE_DIM,
			    "One census cannot see growth: without --once gleakd keeps watching");
		screen__end_line(screen);
	}
}

void text_part__summary(struct screen *screen, const struct report *report)
{
	const char *reason = report->final_reason;
	bool once = reason && strcmp(reason, "once") == 0;

	for (size_t i = 0; i < report->n_targets; i++)
		put_target_summary(screen, &report->targets[i], report->n_targets > 1, once);
	if (reason && *reason && !once) {
		screen__put(screen, STYLE_DIM, "ended: ");
		screen__wrap(screen, STYLE_DIM, reason, 2);
	}
}

static void put_time(struct screen *screen, const struct report *report)
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(report->realtime_ns, time);
	screen__putf(screen, STYLE_DIM, "%.*sZ  ", TIME_OF_DAY_LEN, time + TIME_OF_DAY);
}

static void put_count(struct screen *screen, const char *before, uint64_t n, const char *after)
{
	char count[SHORTEN_COUNT_SIZE];

	shorten__count(n, count);
	screen__putf(screen, STYLE_PLAIN, "%s%s%s", before, count, after);
}

void text_part__status(struct screen *screen, const struct report *report,
		       const struct report_target *target, bool named)
{
	struct flagged_count count = text_part__count_flagged(target);

	put_time(screen, report);
	if (named)
		put_name(screen, target);
	else
		screen__putf(screen, STYLE_PLAIN, "pid %d", (int)target->pid);
	put_count(screen, "  ", target->alive, " goroutines");
	/* A name takes its room. */
	if (!named)
		put_count(screen, ", ", target->parked, " parked");
	screen__put(screen, STYLE_PLAIN, "  ");
	if (count.leaking_sites || count.stuck_sites)
		put_findings(screen, &count);
	else
		screen__put(screen, STYLE_PLAIN, "nothing flagged");
	screen__end_line(screen);
}

static void put_sites(struct screen *screen, uint64_t leaking, uint64_t stuck)
{
	if (leaking)
		screen__put_owned(screen, STYLE_LEAKING, shorten__counted(leaking, "leaking site"));
	if (leaking && stuck)
		screen__put(screen, STYLE_PLAIN, ", ");
	if (stuck)
		screen__put_owned(screen, STYLE_STUCK, shorten__counted(stuck, "stuck site"));
	if (!leaking && !stuck)
		screen__put(screen, STYLE_PLAIN, "nothing flagged");
}

void text_part__host_status(struct screen *screen, const struct report *report)
{
	uint64_t processes = 0, alive = 0, parked = 0, leaking = 0, stuck = 0;

	for (size_t i = 0; i < report->n_targets; i++) {
		const struct report_target *target = &report->targets[i];
		struct flagged_count count = text_part__count_flagged(target);

		if (target->exited_target)
			continue;
		processes++;
		alive += target->alive;
		parked += target->parked;
		leaking += count.leaking_sites;
		stuck += count.stuck_sites;
	}
	put_time(screen, report);
	put_count(screen, "", processes, processes == 1 ? " Go process" : " Go processes");
	put_count(screen, "  ", alive, " goroutines");
	put_count(screen, ", ", parked, " parked  ");
	put_sites(screen, leaking, stuck);
	screen__end_line(screen);
}

void text_part__came(struct screen *screen, const struct report *report,
		     const struct report_target *target)
{
	put_time(screen, report);
	put_name(screen, target);
	screen__put(screen, STYLE_PLAIN, "  watched from now on, ");
	screen__put_owned(screen, STYLE_PLAIN,
			  shorten__text(report__text(target->go_version), MAX_WORD));
	screen__put(screen, STYLE_PLAIN, ", ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__counted(target->alive, "goroutine"));
	screen__end_line(screen);
}

void text_part__gone(struct screen *screen, const struct report *report, pid_t pid,
		     const char *name)
{
	const struct report_target target = {.pid = pid, .comm = name};

	put_time(screen, report);
	put_name(screen, &target);
	screen__put(screen, STYLE_PLAIN, "  no longer watched");
	screen__end_line(screen);
}
