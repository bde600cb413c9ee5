// SPDX-License-Identifier: Apache-2.0
#include "output/text/summary.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/number.h"
#include "output/text/block.h"
#include "output/text/findings.h"
#include "output/text/overview.h"
#include "output/text/target.h"

#define MAX_WORD	60 /* a Go version with its experiments */
#define MAX_LINES	4
#define TIME_OF_DAY	11 /* where it begins in "2026-01-02T03:04:05.678Z" */
#define TIME_OF_DAY_LEN 8

/* "2 leaking sites, 1,509 goroutines" */
static void put_finding(struct screen *screen, enum style style, const char *before,
			const char *noun, uint64_t sites, uint64_t goroutines)
{
	if (sites == 0)
		return;
	screen__put(screen, STYLE_PLAIN, before);
	screen__put_owned(screen, style, number__counted(sites, noun));
	screen__put(screen, style, ", ");
	screen__put_owned(screen, style, number__counted(goroutines, "goroutine"));
}

static void put_findings(struct screen *screen, const struct findings *findings)
{
	put_finding(screen, STYLE_LEAKING, "", "leaking site", findings->leaking_sites,
		    findings->leaking_goroutines);
	put_finding(screen, STYLE_STUCK, findings->leaking_sites ? "; " : "", "stuck site",
		    findings->stuck_sites, findings->stuck_goroutines);
}

/* --- the last words ------------------------------------------------------------------------------- */

/* "; 3 sites still growing" */
static void put_more(struct screen *screen, enum style style, uint64_t sites, const char *words)
{
	if (!sites)
		return;
	screen__put(screen, STYLE_PLAIN, "; ");
	screen__put_owned(screen, style, number__counted(sites, "site"));
	screen__put(screen, STYLE_PLAIN, words);
}

/* "; memory grows at 2 places", "; more and more is open at 1 place" */
static void put_places(struct screen *screen, const char *what, uint64_t places)
{
	if (!places)
		return;
	screen__put(screen, STYLE_PLAIN, "; ");
	screen__put(screen, STYLE_GROWING, what);
	screen__put_owned(screen, STYLE_GROWING, number__counted(places, "place"));
}

/* "(mode full, no events lost)", or of several processes "(3 in mode full, 2 in mode census)". */
static void put_modes(struct screen *screen, const struct findings *findings)
{
	const char *before = "(";

	for (int mode = PROBE_MODE_COUNT - 1; mode >= 0; mode--) {
		unsigned long long n = findings->modes[mode];

		if (!n)
			continue;
		screen__put(screen, STYLE_PLAIN, before);
		if (n < findings->processes)
			screen__putf(screen, STYLE_PLAIN, "%llu in ", n);
		screen__putf(screen, STYLE_PLAIN, "mode %s",
			     probe_mode__name((enum probe_mode)mode));
		before = ", ";
	}
	if (findings->inexact)
		screen__put(screen, STYLE_PLAIN, ", events lost, not yet repaired");
	else if (findings->lost)
		screen__put(screen, STYLE_PLAIN, ", events lost, repaired by census");
	else if (findings->modes[PROBE_MODE_CENSUS] < findings->processes)
		screen__put(screen, STYLE_PLAIN, ", no events lost");
	screen__put(screen, STYLE_PLAIN, ")");
}

/* "looked at 340 goroutines in 12 sites for 42s (mode full, no events lost)" */
static void put_looked_at(struct screen *screen, const struct findings *findings)
{
	char observed[DURATION_SIZE];

	duration__format(findings->observed_ns, observed);
	screen__put(screen, STYLE_PLAIN, "looked at ");
	screen__put_owned(screen, STYLE_PLAIN, number__counted(findings->goroutines, "goroutine"));
	screen__put(screen, STYLE_PLAIN, " in ");
	screen__put_owned(screen, STYLE_PLAIN, number__counted(findings->sites, "site"));
	screen__putf(screen, STYLE_PLAIN, " for %s ", observed);
	put_modes(screen, findings);
	screen__end_line(screen);
}

/* "Found 3 leaking sites, 595 goroutines, in 1 of 4 processes", or that there was nothing. */
static void put_verdict(struct screen *screen, const struct findings *findings, bool any_site,
			bool judged)
{
	unsigned long long all = findings->processes, with = findings->with_findings;

	if (findings__flagged(findings)) {
		screen__put(screen, STYLE_BOLD, "Found ");
		put_findings(screen, findings);
		if (all > 1)
			screen__putf(screen, STYLE_PLAIN, ", in %llu of %llu processes", with, all);
		return;
	}
	if (findings->suspected_sites)
		screen__put(screen, STYLE_GROWING, "Nothing certain yet");
	else if (!judged)
		screen__put(screen, STYLE_PLAIN,
			    !any_site ? "No goroutine was seen" : "No leak was seen so far");
	else
		screen__put(screen, STYLE_GOOD,
			    !any_site ? "No goroutine was seen" :
			    findings->growing_memory || findings->growing_resources ?
					"No goroutine leaks" :
					"No leak found");
	if (all > 1)
		screen__putf(screen, STYLE_PLAIN, " in %llu processes", all);
}

/* What could not have been found comes before what was not. */
static void put_not_judged(struct screen *screen, const struct findings *findings,
			   const char *not_judged)
{
	if (!not_judged || findings__flagged(findings))
		return;
	screen__put(screen, STYLE_GROWING, "Not judged: ");
	screen__wrap(screen, STYLE_PLAIN, not_judged, MAX_LINES);
}

static void put_summary(struct screen *screen, const struct overview *overview,
			const char *not_judged, bool single_look)
{
	struct findings findings = {0};
	bool any_site = false;

	for (size_t i = 0; i < overview->n; i++) {
		findings__add(&findings, overview->targets[i]);
		any_site |= overview->targets[i]->n_sites > 0;
	}
	put_not_judged(screen, &findings, not_judged);
	put_verdict(screen, &findings, any_site, !not_judged);
	put_more(screen, STYLE_GROWING, findings.suspected_sites, " suspected");
	put_more(screen, STYLE_GROWING, findings.growing_sites, " still growing");
	put_more(screen, STYLE_PLAIN, findings.suppressed_sites, " silenced");
	put_places(screen, "memory grows at ", findings.growing_memory);
	put_places(screen, "more and more is open at ", findings.growing_resources);
	screen__end_line(screen);
	put_looked_at(screen, &findings);
	if (single_look && !findings.leaking_sites) {
		screen__put(screen, STYLE_DIM,
			    "One census cannot see growth: without --once gleakd keeps watching");
		screen__end_line(screen);
	}
}

#define MAX_NAMED 5

static void put_quarantine(struct screen *screen, const struct report_self *self,
			   const char *before)
{
	if (!self->quarantined)
		return;
	screen__putf(screen, STYLE_GROWING, "%s%llu that did not answer in time: pid", before,
		     (unsigned long long)self->quarantined);
	for (size_t i = 0; i < min_of((size_t)self->quarantined, (size_t)MAX_NAMED); i++)
		screen__putf(screen, STYLE_GROWING, "%s %d", i ? "," : "",
			     (int)self->quarantine[i].pid);
	if (self->quarantined > MAX_NAMED)
		screen__put(screen, STYLE_GROWING, ", and others");
}

void text_part__unwatched(struct screen *screen, const struct report *report)
{
	static const struct {
		enum report_target_state state;
		const char *words;
	} states[] = {
		{REPORT_UNSUPPORTED, "not supported (gleakd list says why)"},
		{REPORT_FAILED, "failed"},
		{REPORT_PAUSED, "beyond gleakd's limits"},
	};
	const char *before = "not watched: ";

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		uint64_t n = report->self.targets[states[i].state];

		if (!n)
			continue;
		screen__putf(screen, STYLE_GROWING, "%s%llu %s", before, (unsigned long long)n,
			     states[i].words);
		before = ", ";
	}
	put_quarantine(screen, &report->self, before);
	if (screen->column > 0)
		screen__end_line(screen);
}

static void put_suspended(struct screen *screen, const struct report_self *self)
{
	char time[DURATION_SIZE];

	if (!self->suspended_ns)
		return;
	duration__format(self->suspended_ns, time);
	screen__putf(screen, STYLE_GROWING,
		     "the machine was suspended for %s meanwhile: waits and ages do not count it",
		     time);
	screen__end_line(screen);
}

void text_part__summary(struct screen *screen, const struct report *report,
			const struct overview *overview, const char *not_judged)
{
	bool one_report = report->end == REPORT_ONCE || report->end == REPORT_PROOF;

	if (overview->n) {
		put_summary(screen, overview, one_report ? NULL : not_judged,
			    report->end == REPORT_ONCE);
	} else {
		screen__put(screen, STYLE_PLAIN, "No Go process was watched");
		screen__end_line(screen);
	}
	text_part__unwatched(screen, report);
	put_suspended(screen, &report->self);
	if (report__final(report) && !one_report) {
		screen__putf(screen, STYLE_DIM, "ended: %s", report_end__words(report->end));
		screen__end_line(screen);
	}
}

/* --- what to do next ----------------------------------------------------------------------------- */

#define STEP_COLUMNS 50 /* where its words begin, on a line that has room for them */

/* "next     gleakd prove 4242                 proof; stops it for a moment" */
static void put_step(struct screen *screen, const char *command, const char *words)
{
	screen__to(screen, BLOCK_INDENT);
	screen__put(screen, STYLE_PLAIN, command);
	screen__next(screen, STEP_COLUMNS);
	screen__wrap(screen, STYLE_DIM, words, 2);
}

static void put_site_steps(struct screen *screen, const struct report *report, int pid,
			   const char *site)
{
	char command[64];

	snprintf(command, sizeof(command), "gleakd --pid %d --explain %s", pid, site);
	put_step(screen, command, "its stack and evidence");
	if (report->end != REPORT_PROOF) {
		snprintf(command, sizeof(command), "gleakd prove %d", pid);
		put_step(screen, command, "proof; stops it for a moment");
	}
	snprintf(command, sizeof(command), "gleakd holders %d --site %s", pid, site);
	put_step(screen, command, "who could still wake them");
}

static void put_steps(struct screen *screen, const struct report *report,
		      const struct report_target *target)
{
	const struct findings findings = findings__of(target);
	const struct report_site *worst = overview__worst(target);
	int pid = (int)target->pid;
	char command[64];

	screen__put(screen, STYLE_DIM, "next");
	if (worst && findings__flagged(&findings))
		put_site_steps(screen, report, pid, worst->id);
	if (findings.growing_memory) {
		snprintf(command, sizeof(command), "gleakd heap %d --duration 2m", pid);
		put_step(screen, command, "what grows, and what holds it");
	}
	if (findings.growing_resources) {
		snprintf(command, sizeof(command), "gleakd resources %d --duration 2m", pid);
		put_step(screen, command, "what is opened, and where");
	}
}

static bool has_news(const struct report_target *target)
{
	const struct findings findings = findings__of(target);

	return !target->exited_target && (findings__flagged(&findings) || findings.growing_memory ||
					  findings.growing_resources);
}

void text_part__next_steps(struct screen *screen, const struct report *report,
			   const struct overview *overview)
{
	if (report->end == REPORT_TARGET_EXITED || report->end == REPORT_TARGET_EXECUTED)
		return;
	for (size_t i = 0; i < overview->n; i++) {
		if (!has_news(overview->targets[i]))
			continue;
		put_steps(screen, report, overview->targets[i]);
		return;
	}
}

/* --- single lines --------------------------------------------------------------------------------- */

static void put_time(struct screen *screen, const struct report *report)
{
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(report->realtime_ns, time);
	screen__putf(screen, STYLE_DIM, "%.*sZ  ", TIME_OF_DAY_LEN, time + TIME_OF_DAY);
}

static void put_count(struct screen *screen, const char *before, uint64_t n, const char *after)
{
	char count[NUMBER_COUNT_SIZE];

	number__count(n, count);
	screen__putf(screen, STYLE_PLAIN, "%s%s%s", before, count, after);
}

void text_part__status(struct screen *screen, const struct report *report,
		       const struct report_target *target, bool named)
{
	struct findings findings = findings__of(target);

	put_time(screen, report);
	if (named)
		text_part__name(screen, target);
	else
		screen__putf(screen, STYLE_PLAIN, "pid %d", (int)target->pid);
	put_count(screen, "  ", findings.goroutines, " goroutines");
	/* A name takes its room. */
	if (!named)
		put_count(screen, ", ", findings.parked, " parked");
	screen__put(screen, STYLE_PLAIN, "  ");
	if (findings__flagged(&findings))
		put_findings(screen, &findings);
	else
		screen__put(screen, STYLE_PLAIN, "nothing flagged");
	screen__end_line(screen);
}

static void put_sites(struct screen *screen, const struct findings *findings)
{
	if (findings->leaking_sites)
		screen__put_owned(screen, STYLE_LEAKING,
				  number__counted(findings->leaking_sites, "leaking site"));
	if (findings->leaking_sites && findings->stuck_sites)
		screen__put(screen, STYLE_PLAIN, ", ");
	if (findings->stuck_sites)
		screen__put_owned(screen, STYLE_STUCK,
				  number__counted(findings->stuck_sites, "stuck site"));
	if (!findings__flagged(findings))
		screen__put(screen, STYLE_PLAIN, "nothing flagged");
}

void text_part__host_status(struct screen *screen, const struct report *report)
{
	struct findings findings = {0};

	for (size_t i = 0; i < report->n_targets; i++) {
		if (!report->targets[i].exited_target)
			findings__add(&findings, &report->targets[i]);
	}
	put_time(screen, report);
	put_count(screen, "", findings.processes,
		  findings.processes == 1 ? " Go process" : " Go processes");
	put_count(screen, "  ", findings.goroutines, " goroutines");
	put_count(screen, ", ", findings.parked, " parked  ");
	put_sites(screen, &findings);
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
	screen__put_owned(screen, STYLE_PLAIN, number__counted(target->totals.alive, "goroutine"));
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
