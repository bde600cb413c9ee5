// SPDX-License-Identifier: Apache-2.0
#include "output/text/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "output/shorten.h"
#include "output/text/target.h"

#define MAX_WORD	24 /* a Go version */
#define TIME_OF_DAY	11 /* where it begins in "2026-01-02T03:04:05.678Z" */
#define TIME_OF_DAY_LEN 8

/* Flagged sites and their goroutines, by verdict. */
struct flagged_count {
	uint64_t leaking_sites, leaking_goroutines;
	uint64_t stuck_sites, stuck_goroutines;
};

static void put_observed(struct screen *screen, enum style style, const char *before,
			 const struct report_target *target)
{
	char text[DURATION_SIZE];

	duration__format(target->observed_ns, text);
	screen__putf(screen, style, "%s%s", before, text);
}

static struct flagged_count count_flagged(const struct report_target *target)
{
	struct flagged_count count = {0};

	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];

		if (!report__flagged(site))
			continue;
		switch (site->view.verdict) {
		case VERDICT_LEAKING:
			count.leaking_sites++;
			count.leaking_goroutines += site->view.goroutines;
			break;
		case VERDICT_STUCK:
			count.stuck_sites++;
			count.stuck_goroutines += site->view.goroutines;
			break;
		case VERDICT_SUSPECTED:
		case VERDICT_GROWING:
		case VERDICT_IDLE:
		case VERDICT_ACTIVE:
			break;
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

static size_t count_verdict(const struct report_target *target, enum verdict verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		n += !report__silenced(&target->sites[i]) &&
		     target->sites[i].view.verdict == verdict;
	return n;
}

/* "; 3 sites still growing" */
static void put_more(struct screen *screen, enum style style, size_t sites, const char *words)
{
	if (!sites)
		return;
	screen__put(screen, STYLE_PLAIN, "; ");
	screen__put_owned(screen, style, shorten__counted(sites, "site"));
	screen__put(screen, STYLE_PLAIN, words);
}

static size_t count_populated(const struct report_target *target)
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		n += target->sites[i].view.goroutines > 0;
	return n;
}

/* "looked at 340 goroutines in 12 sites for 42s (mode full, no events lost)" */
static void put_looked_at(struct screen *screen, const struct report_target *target)
{
	screen__put(screen, STYLE_PLAIN, "looked at ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__counted(target->totals.alive, "goroutine"));
	screen__put(screen, STYLE_PLAIN, " in ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__counted(count_populated(target), "site"));
	put_observed(screen, STYLE_PLAIN, " for ", target);
	screen__putf(screen, STYLE_PLAIN, " (mode %s", probe_mode__name(target->mode));
	if (target->totals.inexact)
		screen__put(screen, STYLE_PLAIN, ", events lost, not yet repaired");
	else if (target->totals.lost)
		screen__put(screen, STYLE_PLAIN, ", events lost, repaired by census");
	else if (target->mode != PROBE_MODE_CENSUS)
		screen__put(screen, STYLE_PLAIN, ", no events lost");
	screen__put(screen, STYLE_PLAIN, ")");
	screen__end_line(screen);
}

static void put_target_summary(struct screen *screen, const struct report_target *target,
			       bool name_it, bool single_look)
{
	struct flagged_count count = count_flagged(target);
	size_t suspected = count_verdict(target, VERDICT_SUSPECTED);

	if (name_it) {
		text_part__name(screen, target);
		screen__put(screen, STYLE_PLAIN, ": ");
	}
	if (count.leaking_sites || count.stuck_sites) {
		screen__put(screen, STYLE_BOLD, "Found ");
		put_findings(screen, &count);
	} else if (suspected) {
		screen__put(screen, STYLE_GROWING, "Nothing certain yet");
	} else {
		screen__put(screen, STYLE_GOOD,
			    target->n_sites ? "No leak found" : "No goroutine was seen");
	}
	put_more(screen, STYLE_GROWING, suspected, " suspected");
	put_more(screen, STYLE_GROWING, count_verdict(target, VERDICT_GROWING), " still growing");
	put_more(screen, STYLE_PLAIN, report__count_silenced(target), " silenced");
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
	struct flagged_count count = count_flagged(target);

	put_time(screen, report);
	if (named)
		text_part__name(screen, target);
	else
		screen__putf(screen, STYLE_PLAIN, "pid %d", (int)target->pid);
	put_count(screen, "  ", target->totals.alive, " goroutines");
	/* A name takes its room. */
	if (!named)
		put_count(screen, ", ", target->totals.parked, " parked");
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
		struct flagged_count count = count_flagged(target);

		if (target->exited_target)
			continue;
		processes++;
		alive += target->totals.alive;
		parked += target->totals.parked;
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
	text_part__name(screen, target);
	screen__put(screen, STYLE_PLAIN, "  watched from now on, ");
	screen__put_within(screen, STYLE_PLAIN, report__text(target->go_version), MAX_WORD);
	screen__put(screen, STYLE_PLAIN, ", ");
	screen__put_owned(screen, STYLE_PLAIN, shorten__counted(target->totals.alive, "goroutine"));
	screen__end_line(screen);
}

void text_part__gone(struct screen *screen, const struct report *report, pid_t pid,
		     const char *name)
{
	const struct report_target target = {.pid = pid, .comm = name};

	put_time(screen, report);
	text_part__name(screen, &target);
	screen__put(screen, STYLE_PLAIN, "  no longer watched");
	screen__end_line(screen);
}
