// SPDX-License-Identifier: Apache-2.0
#include "output/text/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "output/text/explain_parts.h"
#include "output/shorten.h"
#include "output/text/parts.h"

#define MIN_COLUMNS 60U
#define MAX_COLUMNS 200U
#define MAX_LINES   8

static bool is(const char *text, const char *word)
{
	return strcmp(report__text(text), word) == 0;
}

static void put_sentence(struct screen *screen, const char *text)
{
	screen__to(screen, EXPLAIN_INDENT);
	screen__wrap(screen, STYLE_PLAIN, text, MAX_LINES);
}

/* --- who came, who stayed ------------------------------------------------------------------------- */

static void put_flow(struct screen *screen, const struct report_site *site)
{
	const struct report_evidence *evidence = &site->evidence;
	char arrivals[SHORTEN_COUNT_SIZE], departures[SHORTEN_COUNT_SIZE];
	char observed[DURATION_SIZE], park[DURATION_SIZE], age[DURATION_SIZE], text[320];

	duration__format(duration__from_seconds(evidence->observed_seconds), observed);
	duration__format(duration__from_seconds(site->oldest_park_seconds), park);
	duration__format(duration__from_seconds(site->oldest_age_seconds), age);
	shorten__count(evidence->arrivals, arrivals);
	shorten__count(evidence->departures, departures);
	snprintf(text, sizeof(text), "In the %s this site has been watched, %s came and %s left.",
		 observed, arrivals, departures);
	put_sentence(screen, text);
	snprintf(text, sizeof(text), "The longest wait has lasted %s, the oldest member is %s old.",
		 park, age);
	put_sentence(screen, text);
}

static void put_stay(struct screen *screen, const struct report_evidence *evidence)
{
	char stayed[SHORTEN_COUNT_SIZE], left[SHORTEN_COUNT_SIZE];
	char stay[DURATION_SIZE], text[320];
	double all = (double)evidence->stayed + (double)evidence->left;

	if (!(evidence->stay_seconds > 0))
		return;
	duration__format(duration__from_seconds(evidence->stay_seconds), stay);
	shorten__count(evidence->stayed, stayed);
	shorten__count(evidence->left, left);
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

static void put_mode_limit(struct screen *screen, const struct report_target *target)
{
	if (is(target->mode, "full"))
		put_sentence(screen,
			     "Mode full: creations, exits and parks are all seen as they happen.");
	else if (is(target->mode, "lifecycle"))
		put_sentence(screen,
			     "Mode lifecycle: creations and exits are seen as they happen, but "
			     "when a wait began and ended is known from censuses only.");
	else
		put_sentence(screen,
			     "Mode census: goroutines are only looked at in intervals. Who came "
			     "and left between two looks was not seen.");
}

static void put_limits(struct screen *screen, const struct report_target *target)
{
	char observed[DURATION_SIZE], text[160];

	explain_part__heading(screen, "what limits this");
	duration__format(duration__from_seconds(target->observed_seconds), observed);
	snprintf(text, sizeof(text),
		 "The process was watched for %s. What happened before is not known.", observed);
	put_sentence(screen, text);
	put_mode_limit(screen, target);
	if (target->inexact)
		put_sentence(screen,
			     "Events were lost since the last complete census: the counts are "
			     "inexact until the next.");
	else if (target->lost_events)
		put_sentence(screen,
			     "Events were lost. Censuses made the counts exact again, but when "
			     "those came and left whose events they were is not known.");
}

/* --- what would change it ------------------------------------------------------------------------- */

/* docs/verdicts.md has the thresholds and their reasons. */
static const struct {
	const char *verdict;
	const char *sentences[4];
} changes[] = {
	{"leaking",
	 {"Members that leave after they have stayed speak against a leak: when a fifth of them has "
	  "left, it is none any more.",
	  "When it no longer rises, the verdict stands for as long as it rose before (1m at least, 1h "
	  "at most), then it ends.",
	  "A load that rises evenly from the moment gleakd begins to watch looks the same. It stops "
	  "rising; a leak does not."}},
	{"stuck",
	 {"One of them that goes on ends it: a lock that is passed on, a value that is received.",
	  "Nothing can end a wait on a nil channel or in select {}. Where it is meant, an entry in "
	  "the allow-list silences it."}},
	{"growing",
	 {"It becomes leaking when it goes on rising by members that stay: at least 8 of them, spread "
	  "over the time it is watched.",
	  "Where it rises in step with connections or open files, that takes much longer, for there may "
	  "be one goroutine per connection.",
	  "It becomes idle or active when it stops rising, or members leave as fast as others come."}},
	{"idle",
	 {"It becomes growing when more come than leave, and leaking when those stay.",
	  "It becomes stuck when a lock it waits for is not passed on for 1m, when nobody receives for "
	  "5m what two or more send (15m what one sends), or when nothing can wake it at all: a nil "
	  "channel, select {} outside of main.",
	  "One that waits to receive, in a select, for a Cond or a WaitGroup, and that everybody has "
	  "forgotten, looks from outside like one that waits for its next task: as long as their "
	  "number does not rise, it stays idle here."}},
	{"active",
	 {"It becomes growing when more come than leave, and leaking when those stay.",
	  "It becomes idle when its members wait and nobody comes or goes."}},
};

static void put_silence(struct screen *screen, const struct report_site *site)
{
	const char *reason = report__text(site->silenced_reason);

	if (!report__silenced(site))
		return;
	explain_part__heading(screen, "silenced by the allow-list");
	put_sentence(screen, *reason ? reason : "no reason given");
	put_sentence(screen, "Without its entry there the site would be flagged by its verdict.");
}

static void put_changes(struct screen *screen, const struct report_site *site)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		if (!is(site->verdict, changes[i].verdict))
			continue;
		explain_part__heading(screen, "what would change the verdict");
		for (size_t s = 0; s < ARRAY_SIZE(changes[i].sentences); s++) {
			if (changes[i].sentences[s])
				put_sentence(screen, changes[i].sentences[s]);
		}
	}
}

/* -------------------------------------------------------------------------------------------------- */

static void put_site(struct screen *screen, const struct report_site *site)
{
	struct site_columns columns = {0};

	text_part__columns_add(&columns, site);
	text_part__site(screen, &columns, site, SITE_STACK);
}

static void put_all(struct screen *screen, const struct report *report,
		    const struct report_target *target, const struct report_site *site)
{
	char time[CLOCK_RFC3339_SIZE];

	text_part__target(screen, target);
	clock__rfc3339(report->realtime_ns, time);
	screen__putf(screen, STYLE_DIM, "site %s at %s", site->id, time);
	screen__end_line(screen);
	screen__end_line(screen);
	put_site(screen, site);
	put_silence(screen, site);
	explain_part__weights(screen, site);
	explain_part__heading(screen, "who came and who stayed");
	put_flow(screen, site);
	put_stay(screen, &site->evidence);
	explain_part__population(screen, &site->evidence);
	explain_part__cohorts(screen, &site->evidence);
	explain_part__survivors(screen, &site->evidence);
	put_limits(screen, target);
	put_changes(screen, site);
}

int explain__write(FILE *out, const struct report *report, const struct report_target *target,
		   const struct report_site *site, unsigned int columns, bool color)
{
	struct screen screen;
	int err;

	columns = max_of(columns, MIN_COLUMNS);
	screen__init(&screen, min_of(columns, MAX_COLUMNS), color);
	put_all(&screen, report, target, site);
	err = screen__error(&screen);
	errno = 0;
	if (!err && (fwrite(screen.data, 1, screen.len, out) != screen.len || fflush(out) != 0))
		err = errno ? -errno : -EIO;
	screen__release(&screen);
	return err;
}
