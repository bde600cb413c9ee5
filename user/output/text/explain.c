// SPDX-License-Identifier: Apache-2.0
#include "output/text/explain.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/number.h"
#include "output/text/explain_parts.h"
#include "output/text/site.h"
#include "output/text/target.h"

#define MAX_LINES 8

static void put_sentence(struct screen *screen, const char *text)
{
	screen__to(screen, EXPLAIN_INDENT);
	screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
}

/* --- who came, who stayed ------------------------------------------------------------------------- */

static void put_flow(struct screen *screen, const struct report_site *site)
{
	const struct site_evidence *evidence = &site->view.evidence;
	char arrivals[NUMBER_COUNT_SIZE], departures[NUMBER_COUNT_SIZE];
	char observed[DURATION_SIZE], park[DURATION_SIZE], age[DURATION_SIZE], text[320];

	duration__format(evidence->observed_ns, observed);
	duration__format(site->view.oldest_park_ns, park);
	duration__format(site->view.oldest_age_ns, age);
	number__count(evidence->arrivals, arrivals);
	number__count(evidence->departures, departures);
	snprintf(text, sizeof(text), "In the %s this site has been watched, %s came and %s left.",
		 observed, arrivals, departures);
	put_sentence(screen, text);
	snprintf(text, sizeof(text), "The longest wait has lasted %s, the oldest member is %s old.",
		 park, age);
	put_sentence(screen, text);
}

static void put_stay(struct screen *screen, const struct site_evidence *evidence)
{
	char stayed[NUMBER_COUNT_SIZE], left[NUMBER_COUNT_SIZE];
	char stay[DURATION_SIZE], text[320];
	double all = (double)evidence->stayed + (double)evidence->left;

	if (!evidence->stay_ns)
		return;
	duration__format(evidence->stay_ns, stay);
	number__count(evidence->stayed, stayed);
	number__count(evidence->left, left);
	if (all > 0)
		snprintf(text, sizeof(text),
			 "To stay means %s or longer here: %s did and are still here, "
			 "%s left after that (%.1f %%).",
			 stay, stayed, left, 100 * ((double)evidence->left / all));
	else
		snprintf(text, sizeof(text),
			 "To stay means %s or longer here, and nobody has been seen to.", stay);
	put_sentence(screen, text);
}

/* --- what limits it ------------------------------------------------------------------------------- */

static const char *mode_limit(enum probe_mode mode)
{
	switch (mode) {
	case PROBE_MODE_WAITS:
		return "Mode waits: creations, exits, parks and the ends of waits for each other are all seen "
		       "as they happen.";
	case PROBE_MODE_FULL:
		return "Mode full: creations, exits and parks are all seen as they happen.";
	case PROBE_MODE_LIFECYCLE:
		return "Mode lifecycle: creations and exits are seen as they happen, but when a "
		       "wait began and ended is known from censuses only.";
	case PROBE_MODE_CENSUS:
		break;
	}
	return "Mode census: goroutines are only looked at in intervals. Who came and left between "
	       "two looks was not seen.";
}

static void put_limits(struct screen *screen, const struct report_target *target)
{
	char observed[DURATION_SIZE], text[160];

	explain_part__heading(screen, "what limits this");
	duration__format(target->observed_ns, observed);
	snprintf(text, sizeof(text),
		 "The process was watched for %s. What happened before is not known.", observed);
	put_sentence(screen, text);
	put_sentence(screen, mode_limit(target->mode));
	if (target->totals.inexact)
		put_sentence(screen,
			     "Events were lost since the last complete census: the counts are "
			     "inexact until the next.");
	else if (target->totals.lost)
		put_sentence(screen,
			     "Events were lost. Censuses made the counts exact again, but when "
			     "those came and left whose events they were is not known.");
}

/* --- what would change it ------------------------------------------------------------------------- */

/* docs/verdicts.md has the thresholds and their reasons. NULL at the end. */
static const char *const leaking_changes[] = {
	"Members that leave after they have stayed speak against a leak: when a fifth of them has "
	"left, it is none any more.",
	"When it no longer rises, the verdict stands for as long as it rose before (1m at least, 1h "
	"at most), then it ends.",
	"A load that rises evenly from the moment gleakd begins to watch looks the same. It stops "
	"rising; a leak does not.",
	NULL,
};
static const char *const stuck_changes[] = {
	"One of them that goes on ends it: a lock that is passed on, a value that is received.",
	"Nothing can end a wait on a nil channel or in select {}. Where it is meant, an entry in "
	"the allow-list silences it.",
	NULL,
};
static const char *const suspected_changes[] = {
	"Watching settles it: it becomes leaking when more come and stay, idle when none do.",
	"Whatever comes one by one for as long as the process runs and has reason to stay looks the "
	"same at first: tenants, sessions, subscribers.",
	NULL,
};
static const char *const growing_changes[] = {
	"It becomes leaking when it goes on rising by members that stay: at least 8 of them, spread "
	"over the time it is watched.",
	"Where it rises in step with connections that others opened or that are in use, that takes much "
	"longer, for there may be one goroutine per connection.",
	"It becomes idle or active when it stops rising, or members leave as fast as others come.",
	NULL,
};
static const char *const idle_changes[] = {
	"It becomes growing when more come than leave, and leaking when those stay.",
	"It becomes stuck when a lock it waits for is not passed on for 1m, when nobody receives for "
	"5m what two or more send (15m what one sends), or when nothing can wake it at all: a nil "
	"channel, select {} outside of main.",
	"One that waits to receive, in a select, for a Cond or a WaitGroup, and that everybody has "
	"forgotten, looks from outside like one that waits for its next task: as long as their "
	"number does not rise, it stays idle here.",
	NULL,
};
static const char *const active_changes[] = {
	"It becomes growing when more come than leave, and leaking when those stay.",
	"It becomes idle when its members wait and nobody comes or goes.",
	NULL,
};

static const char *const *changes_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_LEAKING:
		return leaking_changes;
	case VERDICT_STUCK:
		return stuck_changes;
	case VERDICT_SUSPECTED:
		return suspected_changes;
	case VERDICT_GROWING:
		return growing_changes;
	case VERDICT_IDLE:
		return idle_changes;
	case VERDICT_ACTIVE:
		break;
	}
	return active_changes;
}

static void put_suppression(struct screen *screen, const struct report_site *site)
{
	const char *reason = report__text(site->suppressed_reason);

	if (!report__suppressed(site))
		return;
	explain_part__heading(screen, "silenced by the allow-list");
	put_sentence(screen, *reason ? reason : "no reason given");
	put_sentence(screen, "Without its entry there the site would be flagged by its verdict.");
}

static void put_folder(struct screen *screen, const struct report_site *site)
{
	if (!*report__text(site->evidence_folder))
		return;
	explain_part__heading(screen, "evidence is kept in");
	put_sentence(screen, site->evidence_folder);
}

static void put_changes(struct screen *screen, const struct report_site *site)
{
	explain_part__heading(screen, "what would change the verdict");
	for (const char *const *change = changes_of(site->view.verdict); *change; change++)
		put_sentence(screen, *change);
}

/* -------------------------------------------------------------------------------------------------- */

static void put_site(struct screen *screen, const struct report_site *site)
{
	struct site_columns columns = {0};

	text_part__columns_add(&columns, site);
	text_part__site(screen, &columns, site, SITE_STACK);
}

void explain__put(struct screen *screen, const struct report *report,
		  const struct report_target *target, const struct report_site *site)
{
	char time[CLOCK_RFC3339_SIZE];

	text_part__target(screen, target);
	clock__rfc3339(report->realtime_ns, time);
	screen__putf(screen, STYLE_DIM, "site %s at %s", site->id, time);
	screen__end_line(screen);
	screen__end_line(screen);
	put_site(screen, site);
	put_suppression(screen, site);
	put_folder(screen, site);
	explain_part__weights(screen, site);
	explain_part__heading(screen, "who came and who stayed");
	put_flow(screen, site);
	put_stay(screen, &site->view.evidence);
	explain_part__population(screen, &site->view.evidence);
	explain_part__cohorts(screen, &site->view.evidence);
	explain_part__survivors(screen, &site->view.evidence);
	put_limits(screen, target);
	put_changes(screen, site);
}

int explain__write(FILE *out, const struct report *report, const struct report_target *target,
		   const struct report_site *site, const struct screen_options *options)
{
	struct screen_options within = screen_options__within(options, SCREEN_MAX_REPORT);
	struct screen screen;

	screen__init(&screen, &within);
	explain__put(&screen, report, target, site);
	return screen__flush(&screen, out);
}
