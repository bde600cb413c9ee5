// SPDX-License-Identifier: Apache-2.0
#include "output/text/explain.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "track/verdict_limits.h"

static char *explain(const struct sample *sample, size_t index, unsigned int columns, bool color)
{
	const struct screen_options options = {.columns = columns, .color = color};
	struct sample_stream stream;
	char *text;

	sample__open(&stream);
	cr_assert_eq(explain__write(stream.file, &sample->report, &sample->target,
				    &sample->sites[index], &options),
		     0);
	text = strdup(sample__added(&stream));
	cr_assert_not_null(text);
	sample__close(&stream);
	return text;
}

static void check_golden(const char *name, const struct sample *sample, size_t index,
			 unsigned int columns, bool color)
{
	char *text = explain(sample, index, columns, color);

	sample__golden(name, text);
	free(text);
}

Test(explain, leaking)
{
	struct sample sample;

	sample__leaks(&sample);
	check_golden("explain-leaking.txt", &sample, 0, 100, false);
}

Test(explain, the_longest_verdict_does_not_run_into_what_follows)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.sites[0].view.verdict = VERDICT_SUSPECTED;
	text = explain(&sample, 0, 80, false);
	cr_expect_not_null(strstr(text, "\nSUSPECTED  a1b2c3d4  94 % sure  "), "%s", text);
	free(text);
}

Test(explain, narrow_in_colour_and_suppressed_with_losses)
{
	struct sample sample;

	sample__suppressed(&sample);
	sample.target.mode = PROBE_MODE_LIFECYCLE;
	sample.target.mode_reason = "parks cost too much";
	sample.target.totals.lost = 17;
	sample.target.totals.inexact = true;
	check_golden("explain-silenced-60.txt", &sample, 1, 60, true);
}

Test(explain, hostile)
{
	struct sample sample;

	sample__hostile(&sample);
	check_golden("explain-hostile.txt", &sample, 0, 80, false);
}

Test(explain, idle_has_no_weights_but_says_what_would_change_it)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	text = explain(&sample, 4, 100, false);
	cr_expect_not_null(strstr(text, "\nIDLE  "));
	cr_expect_null(strstr(text, "sure"));
	cr_expect_null(strstr(text, "decibans"));
	cr_expect_null(strstr(text, "goroutines over time"));
	cr_expect_not_null(strstr(text, "\nwhat would change the verdict\n  It becomes growing"));
	free(text);
}

Test(explain, every_verdict_says_what_would_change_it)
{
	const enum verdict verdicts[] = {VERDICT_LEAKING, VERDICT_STUCK, VERDICT_SUSPECTED,
					 VERDICT_GROWING, VERDICT_IDLE,	 VERDICT_ACTIVE};
	struct sample sample;

	sample__leaks(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		char *text;

		sample.sites[0].view.verdict = verdicts[i];
		text = explain(&sample, 0, 100, false);
		cr_expect_not_null(strstr(text, "what would change the verdict\n  "), "%s",
				   verdict__name(verdicts[i]));
		free(text);
	}
}

/* Runs of blanks, line ends among them, become one blank. */
static void unwrap(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		bool blank = *from == ' ' || *from == '\n';

		if (!blank || (to > text && to[-1] != ' '))
			*to++ = blank ? ' ' : *from;
	}
	*to = '\0';
}

static void says(enum verdict verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void says(enum verdict verdict, const char *format, ...)
{
	struct sample sample;
	char wanted[300], *text;
	va_list args;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	sample__leaks(&sample);
	sample.sites[0].view.verdict = verdict;
	text = explain(&sample, 0, 100, false);
	unwrap(text);
	cr_expect(strstr(text, wanted), "%s does not say \"%s\"", verdict__name(verdict), wanted);
	free(text);
}

static int minutes(uint64_t ns)
{
	return (int)(ns / (60 * NSEC_PER_SEC));
}

Test(explain, the_numbers_are_those_of_the_verdicts)
{
	cr_expect_eq(ALARM_LEFT_SHARE, 5);
	says(VERDICT_LEAKING, "when a fifth of them has left");
	says(VERDICT_LEAKING, "(%dm at least, %dh at most)", ALARM_MIN_HOLD * 10 / 60,
	     minutes(ALARM_MAX_NS) / 60);
	says(VERDICT_GROWING, "at least %.0f of them", GROWTH_MIN_STAYED);
	says(VERDICT_IDLE,
	     "is not passed on for %dm, when nobody receives for %dm what two or more "
	     "send (%dm what one sends)",
	     minutes(STUCK_LOCK_NS), minutes(STUCK_SEND_NS), minutes(STUCK_LONE_SEND_NS));
}

/* What the table says must follow from it; where it does not, the reader is told. */
Test(explain, the_sum_makes_the_confidence)
{
	struct site_weight weights[] = {{7, "a"}, {-3, "b"}};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.sites[0].view.evidence.weights = weights;
	sample.sites[0].view.evidence.n_weights = ARRAY_SIZE(weights);
	sample.sites[0].view.confidence = 0.7153;
	text = explain(&sample, 0, 100, false);
	cr_expect_not_null(
		strstr(text, "+4.0  in all\n            1 / (1 + 10^(-4.0 / 10)) = 71.5 %\n"), "%s",
		text);
	free(text);
	sample.sites[0].view.confidence = 0.5;
	text = explain(&sample, 0, 100, false);
	cr_expect_not_null(strstr(text, " = 71.5 %; the report says 50 %\n"), "%s", text);
	free(text);
	weights[0].decibans = 30;
	sample.sites[0].view.confidence = 0.99;
	text = explain(&sample, 0, 100, false);
	cr_expect_not_null(strstr(text, " = 99.8 %, of which 99 % is the most that is claimed\n"),
			   "%s", text);
	free(text);
}

Test(explain, modes_say_what_they_do_not_see)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	text = explain(&sample, 0, 100, false);
	cr_expect_not_null(strstr(text, "\n  Mode full: "));
	free(text);
	sample.target.mode = PROBE_MODE_CENSUS;
	text = explain(&sample, 0, 100, false);
	cr_expect_not_null(strstr(text, "\n  Mode census: "));
	free(text);
}

Test(explain, any_site_of_any_report_fits)
{
	for (unsigned int seed = 1; seed <= 200; seed++) {
		unsigned int columns = 60 + seed % 100;
		struct sample sample;

		sample__random(&sample, seed);
		for (size_t i = 0; i < sample.target.n_sites; i += 5) {
			char *text = explain(&sample, i, columns, seed % 2);

			sample__check_lines(text, columns, sample.sites[i].id);
			free(text);
		}
		sample__random_free(&sample);
	}
}

Test(explain, widths_have_limits)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	text = explain(&sample, 0, 1, false);
	sample__check_lines(text, 60, "narrow");
	free(text);
	text = explain(&sample, 0, 100000, false);
	sample__check_lines(text, 200, "wide");
	free(text);
}

Test(explain, a_full_disk_is_reported)
{
	struct sample sample;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		cr_skip_test("needs /dev/full");
	sample__leaks(&sample);
	cr_assert_eq(explain__write(full, &sample.report, &sample.target, &sample.sites[0],
				    &(struct screen_options){.columns = 80}),
		     -ENOSPC);
	fclose(full);
}
