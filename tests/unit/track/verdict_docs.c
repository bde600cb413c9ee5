// SPDX-License-Identifier: Apache-2.0
/* docs/verdicts.md says what verdict_limits.h has: every number, in the page's own sentences. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "track/verdict_limits.h"

#define PAGE   "docs/verdicts.md"
#define HEADER "user/track/verdict_limits.h"
#define MAX    (256 * 1024)

/* The text of @path with every run of blanks as one. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, MAX);
	size_t n = 0;
	int c;

	cr_assert(file && text, "%s: %s", path, strerror(errno));
	while ((c = fgetc(file)) != EOF && n < MAX - 1) {
		if (!isspace(c))
			text[n++] = (char)c;
		else if (n && text[n - 1] != ' ')
			text[n++] = ' ';
	}
	fclose(file);
	return text;
}

static __attribute__((format(printf, 2, 3))) void says(const char *page, const char *format, ...)
{
	char wanted[400];
	va_list args;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	cr_expect(strstr(page, wanted), "%s does not say \"%s\"", PAGE, wanted);
}

static const char *word(double number)
{
	static const char *const words[] = {"none", "one",   "two",   "three", "four", "five",
					    "six",  "seven", "eight", "nine",  "ten"};

	cr_assert(number >= 0 && number < ARRAY_SIZE(words) && number == (size_t)number);
	return words[(size_t)number];
}

static int minutes(uint64_t ns)
{
	return (int)(ns / (60 * NSEC_PER_SEC));
}

static int seconds(uint64_t ns)
{
	return (int)(ns / NSEC_PER_SEC);
}

/* Minutes of so many times --min-age where that is 10 s. */
static int window(int times)
{
	return times * 10 / 60;
}

Test(verdict_docs, growth)
{
	char *page = read_text(PAGE);

	says(page, "Where more than %.0f %% of those that stayed", GROWTH_MAX_LEFT_SHARE * 100);
	says(page, "T is doubled, %d times at most", GROWTH_MAX_DOUBLINGS);
	says(page, "at least %.0f arrivals must have stayed", GROWTH_MIN_STAYED);
	says(page, "cut into %s periods (%s at least", word(GROWTH_PERIODS),
	     word(GROWTH_MIN_PERIODS));
	cr_expect_eq(GROWTH_PERIOD_MIN_SHARE, 0.25);
	says(page, "less than a quarter of an even share");
	cr_expect_eq(GROWTH_PERIOD_MAX_SHARE, 0.5);
	says(page, "none may hold more than half of it");
	says(page,
	     "at least %.1f T long (%.1f T when %.0f or more have stayed) and 1/%d of the time "
	     "watched, %d minutes at most",
	     GROWTH_WINDOW_TENTHS / 10.0, GROWTH_FAST_WINDOW_TENTHS / 10.0, GROWTH_FAST_STAYED,
	     GROWTH_WATCHED_PART, minutes(GROWTH_WATCHED_MAX_NS));
	says(page, "| after a day of watching | %d minutes |", minutes(GROWTH_WATCHED_MAX_NS));
	says(page, "none for %s times the usual gap", word(GROWTH_MAX_GAPS));
	says(page, "more than %s standard deviations", word(GROWTH_SIGMAS));
	says(page, "has to be %d times `--min-age` (%d minutes), as it has for goroutines of which",
	     GROWTH_CONNECTION_WINDOW, window(GROWTH_CONNECTION_WINDOW));
	says(page, "For these the window has to be %d times `--min-age` (%d minutes). A connection",
	     GROWTH_ACCEPTED_WINDOW, window(GROWTH_ACCEPTED_WINDOW));
	says(page, "| ... that others opened, and have not closed | %d minutes |",
	     window(GROWTH_ACCEPTED_WINDOW));
	says(page, "to be %d times `--min-age` (%d seconds) only", GROWTH_OWN_WINDOW,
	     GROWTH_OWN_WINDOW * 10);
	says(page,
	     "| ... that the process opened itself or others have hung up, and that are silent | %d "
	     "seconds |",
	     GROWTH_OWN_WINDOW * 10 + 10);
	says(page, "The window has to be %d times `--min-age` (%d seconds), since what computes",
	     GROWTH_RUN_WINDOW, GROWTH_RUN_WINDOW * 10);
	says(page, "30 times `--min-age` (%d minutes) in system calls and C",
	     window(GROWTH_LIVES_WINDOW));
	says(page, "| goroutines that run without a break | %d seconds |",
	     GROWTH_RUN_WINDOW * 10 + 10);
	says(page, "For these the window has to be %d times `--min-age` (%d minutes)",
	     GROWTH_QUEUE_WINDOW, window(GROWTH_QUEUE_WINDOW));
	says(page,
	     "the window has to be %d times `--min-age`, until %.0f of the former or %.0f of the latter",
	     GROWTH_QUEUE_WINDOW, GROWTH_POOL_MAX, GROWTH_SIGNAL_MAX);
	says(page,
	     "counts below %.0f a minute only over a window of %d times `--min-age` (%d "
	     "minutes)",
	     GROWTH_LIVES_FAST_RATE * 60, GROWTH_LIVES_WINDOW, window(GROWTH_LIVES_WINDOW));
	says(page, "%d times `--min-age` (%d seconds) where gleakd knows that they exist only",
	     GROWTH_UNFINISHED_WINDOW, GROWTH_UNFINISHED_WINDOW * 10);
	says(page, "| ... that exist only because something was not finished | %d seconds |",
	     GROWTH_UNFINISHED_WINDOW * 10 + 10);
	says(page, "parks shorter than %d times `--min-age` (%d minutes)", GROWTH_TIMER_STAY,
	     window(GROWTH_TIMER_STAY));
	says(page, "--min-age + max(%.1f × --min-age, %.0f / r)", GROWTH_WINDOW_TENTHS / 10.0,
	     GROWTH_MIN_STAYED);
	free(page);
}

Test(verdict_docs, alarms_that_end_and_rises)
{
	char *page = read_text(PAGE);

	says(page, "(%s minute at least, %s hour at most)", word(ALARM_MIN_HOLD * 10.0 / 60),
	     word(minutes(ALARM_MAX_NS) / 60.0));
	cr_expect_eq(ALARM_LEFT_SHARE, 5);
	says(page, "ends at once when a fifth of them have left, whoever else has come");
	cr_expect_eq(GROWING_MIN_RISE_SHARE, 0.1);
	says(page, "it rose by %.0f and by a tenth of its members at least", GROWING_MIN_RISE);
	says(page, "in no quarter of the last %s minutes (or of the last quarter of the watch",
	     word(minutes(GROWING_TREND_NS)));
	cr_expect_eq(GROWING_TREND_PART, 4);
	says(page, "no more than one in %s of them came or left", word(IDLE_CHANGE_PART));
	cr_expect_eq(GROWTH_FIRST_PARK_NS, NSEC_PER_SEC / 2);
	says(page, "begins within half a second of the goroutine's creation");
	free(page);
}

Test(verdict_docs, confirmed)
{
	char *page = read_text(PAGE);

	says(page, "`leaking` when %s of those that wait came during the watch",
	     word(CONFIRMED_MIN_CAME));
	cr_expect_eq(CONFIRMED_APART_PART, 4);
	says(page, "not all within a quarter of `--min-age`");
	cr_expect_eq(minutes(ALARM_MAX_NS), 60);
	says(page, "none for an hour, or for %s times the usual gap", word(GROWTH_MAX_GAPS));
	free(page);
}

Test(verdict_docs, bundles)
{
	char *page = read_text(PAGE);

	says(page, "of at least %.0f of each, %s in ten have one of the other", GROWTH_MIN_STAYED,
	     word(BUNDLE_MIN_SHARE * 10));
	cr_expect_eq(BUNDLE_GAP_PART, 4);
	says(page, "within a fourth of the usual gap");
	says(page, "or up to %d times as many", BUNDLE_MAX_TIMES);
	free(page);
}

Test(verdict_docs, calls)
{
	char *page = read_text(PAGE);

	says(page,
	     "when %d goroutines or more of one call have stayed and next to none of them left, "
	     "while %d of another have ended; or when %d each of several calls",
	     APART_MIN, APART_MIN, APART_MIN);
	free(page);
}

Test(verdict_docs, stuck)
{
	char *page = read_text(PAGE);

	says(page,
	     "one has waited for %d s and nobody got past this place meanwhile; in the first "
	     "minute of a watch: for %d minutes |",
	     seconds(STUCK_LOCK_NS), minutes(STUCK_UNWATCHED_LOCK_NS));
	cr_expect_eq(minutes(STUCK_WATCH_NS), 1);
	says(page, "for the first minute of a watch, of senders at least half");
	says(page, "two or more have waited for %d minutes, or one for %d", minutes(STUCK_SEND_NS),
	     minutes(STUCK_LONE_SEND_NS));
	says(page, "also %d where scans of the heap", minutes(STUCK_LONE_SEND_NS));
	says(page, "must have watched for the %d or %d minutes", minutes(STUCK_SEND_NS),
	     minutes(STUCK_LONE_SEND_NS));
	says(page, "at least %s times the longest wait", word(STUCK_TIMES_LONGEST));
	says(page, "| lock: the oldest has waited for t minutes; send: for t/%d |",
	     minutes(STUCK_SEND_NS) / minutes(STUCK_LOCK_NS));
	free(page);
}

Test(verdict_docs, suspected)
{
	char *page = read_text(PAGE);

	says(page, "%d or more of them, %s in ten of which", SUSPECT_MIN_ARRIVED,
	     word(SUSPECT_MIN_SHARE * 10));
	cr_expect_eq(SUSPECT_MIN_LIFE_SHARE, 0.75);
	says(page, "the oldest for %d minutes and for three quarters of the process' life",
	     minutes(SUSPECT_MIN_NS));
	says(page, "in %s equal parts of that time (%s to %s, when it is short)",
	     word(SUSPECT_PERIODS), word(GROWTH_MIN_PERIODS), word(SUSPECT_PERIODS));
	cr_expect_eq(SUSPECT_PERIOD_MIN_SHARE, GROWTH_PERIOD_MIN_SHARE);
	cr_expect_eq(SUSPECT_PERIOD_MAX_SHARE, GROWTH_PERIOD_MAX_SHARE);
	says(page, "when %s in a hundred have left", word(100.0 / SUSPECT_MAX_LEFT_PART));
	says(page, "waited for less than %s tenths of that, by a minute (or an ",
	     word(FIRST_LOOK_LIFE_SHARE * 10));
	cr_expect_eq(seconds(FIRST_LOOK_BEFORE_NS), 60);
	says(page, "%dth of the process' life, if that is shorter) and the distance of two",
	     FIRST_LOOK_BEFORE_PART);
	says(page, "%d or more have come so within %d seconds or longer", SUSPECT_YOUNG_ARRIVED,
	     seconds(SUSPECT_YOUNG_NS));
	cr_expect_eq(SUSPECT_STEP_MIN_SHARE, 0.5);
	says(page, "in all but one of these half as many as that came");
	cr_expect_eq(SUSPECT_STEP_MAX_SHARE, 2);
	says(page, "in none twice as many");
	cr_expect_eq(FIRST_LOOK_UNEVEN, 4);
	says(page, "a quarter of what its goid among all that were handed out makes likely");
	free(page);
}

/* "+4" or "−10", with the minus sign of typographers. */
static const char *decibans(double number, char out[16])
{
	snprintf(out, 16, "%s%g", number < 0 ? "−" : "+", number < 0 ? -number : number);
	return out;
}

Test(verdict_docs, confidence)
{
	static const struct {
		const char *format;
		double weight;
	} rows[] = {
		{"most rises that last this long are something else | %s |", DECIBANS_LEAK},
		{"| nobody who stayed ever left / n waits (or lives) as long have ended | %s / ",
		 DECIBANS_NONE_LEFT},
		{"| growth in every period | %s |", DECIBANS_EVERY_PERIOD},
		{"+2 when they did in every period", DECIBANS_EVERY_PERIOD},
		{"| found by lives: they wake up now and then | %s |", DECIBANS_OF_LIVES},
		{"%s where the goroutines of waits as long woke up and went on", DECIBANS_OF_LIVES},
		{"| in step with connections or open files | %s |", DECIBANS_IN_STEP},
		{"| in step with connections or files that the process opened itself | %s |",
		 DECIBANS_IN_STEP_OWN},
		{"Growth that has ended, while the alarm holds: %s to start with", DECIBANS_PAST},
		{"| more than one | %s |", DECIBANS_SEVERAL},
		{"| a lone sender | %s |", DECIBANS_LONE_SENDER},
		{"%s for what several scans confirm", DECIBANS_CONFIRMED},
		{"%s for what one picture proves", DECIBANS_PROVEN},
		{"| others got past here before | %s |", DECIBANS_GOT_PAST},
		{"`growing`: %s to start with", DECIBANS_RISE},
		{"`suspected`: %s to start with", DECIBANS_SUSPICION},
		{"| nil channel | %s |", DECIBANS_NIL_CHANNEL},
		{"| `select {}` | %s |", DECIBANS_SELECT_NONE},
		{"| channel send, lock | %s |", DECIBANS_SEND_LOCK},
		{"| `Cond`, bare semaphore | %s |", DECIBANS_COND},
		{"| exists only while the program has not finished something | %s |",
		 DECIBANS_ABANDONED},
		{"| one per connection / serves its owner | %s / ", DECIBANS_CONNECTION},
		{"| one per connection / serves its owner | −3 / %s |", DECIBANS_SERVICE},
		{"| an armed timer will wake most of them | %s |", DECIBANS_TIMER},
		{"| all wait on the same object, as a pool does | %s |", DECIBANS_SHARED},
		{"| each waits on an object of its own | %s |", DECIBANS_OWN},
		{"| events were lost since the last census | %s |", DECIBANS_LOSSES},
	};
	char *page = read_text(PAGE), number[16], wanted[200];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strstr(rows[i].format, "%s");

		decibans(rows[i].weight, number);
		snprintf(wanted, sizeof(wanted), "%.*s%s%s",
			 at ? (int)(at - rows[i].format) : (int)strlen(rows[i].format),
			 rows[i].format, at ? number : "", at ? at + 2 : "");
		says(page, "%s", wanted);
	}
	says(page, "0 to %.2f", CONFIDENCE_MAX);
	says(page, "| n arrived in the window and stayed | 10 log10(n/2), at most %.0f |",
	     DECIBANS_MAX_BY_NUMBER);
	free(page);
}

/* A number that is new has to be told, too. */
Test(verdict_docs, no_number_is_left_out)
{
	char *header = read_text(HEADER), *tests = read_text(__FILE__), name[64];

	for (const char *at = header; (at = strstr(at, "#define ")); at++) {
		cr_assert_eq(sscanf(at, "#define %63[A-Z0-9_]", name), 1);
		if (strncmp(name, "GLEAKD_", 7) != 0)
			cr_expect(strstr(tests, name), "no test holds %s against %s", name, PAGE);
	}
	free(tests);
	free(header);
}
