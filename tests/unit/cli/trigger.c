// SPDX-License-Identifier: Apache-2.0
#include "cli/trigger.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define MS NSEC_PER_MSEC

static struct trigger parse(const char *text)
{
	struct trigger trigger = {0};
	struct failure failure = {""};

	cr_assert_eq(trigger__parse(text, &trigger, &failure), 0, "%s: %s", text, failure.text);
	return trigger;
}

static void expect_refused(const char *text, const char *words)
{
	struct trigger trigger = {.limit = 1};
	struct failure failure = {""};

	cr_expect_eq(trigger__parse(text, &trigger, &failure), -EINVAL, "%s", text);
	cr_expect(strstr(failure.text, words), "%s: %s", text, failure.text);
	cr_expect_eq(trigger.limit, 1, "%s: left as it was", text);
}

Test(trigger, each_in_its_unit)
{
	struct trigger trigger = parse("runnable>100ms for 10s");

	cr_expect_eq(trigger.subject, TRIGGER_RUNNABLE);
	cr_expect_eq(trigger.limit, 100 * MS);
	cr_expect_eq(trigger.for_ns, 10 * NSEC_PER_SEC);
	cr_expect_eq(parse("in_call>30s").limit, 30 * NSEC_PER_SEC);
	cr_expect_eq(parse("goroutines>50000").limit, 50000);
	cr_expect_eq(parse("threads>503").limit, 503);
	cr_expect_eq(parse("heap_live>2G").limit, 2ULL << 30);
	cr_expect_eq(parse("resident>512M").limit, 512ULL << 20);
	cr_expect_eq(parse("leaking").verdict, VERDICT_LEAKING);
	cr_expect_eq(parse("stuck").verdict, VERDICT_STUCK);
	cr_expect_eq(parse("growing").verdict, VERDICT_GROWING);
}

Test(trigger, blanks_say_nothing)
{
	struct trigger one = parse("goroutines>7 for 3s"),
		       same = parse("  goroutines \t> 7   for  3s "),
		       another = parse("goroutines>7");

	cr_expect_str_eq(one.text, "goroutines>7 for 3s");
	cr_expect_str_eq(same.text, one.text);
	cr_expect_str_eq(same.id, one.id);
	cr_expect_str_neq(another.id, one.id);
	cr_expect_eq(strlen(one.id), 8);
}

Test(trigger, what_is_none_says_what_is)
{
	expect_refused("", "does not begin with one of runnable, in_call, goroutines");
	expect_refused("gorutines>5", "'gorutines>5' does not begin with");
	expect_refused(">5", "does not begin with");
	expect_refused("goroutines", "behind 'goroutines' has to be '>' and a whole number");
	expect_refused("goroutines<5", "does not begin with");
	expect_refused("goroutines < 5", "has to be '>'");
	expect_refused("goroutines>", "a whole number");
	expect_refused("goroutines>5K", "a whole number");
	expect_refused("goroutines>99999999999999999999999", "a whole number");
	expect_refused("heap_live>2GB", "a size, as 512M or 2G");
	expect_refused("runnable>fast", "a duration, as 100ms or 10s");
	expect_refused("runnable>1s 10s", "only 'for' and a time of 24h at most may follow");
	expect_refused("runnable>1s for", "only 'for'");
	expect_refused("runnable>1s for 0s", "only 'for'");
	expect_refused("runnable>1s for 25h", "only 'for'");
	expect_refused("runnable>1s for 10s more", "only 'for'");
	expect_refused("leaking for 10s", "nothing may follow 'leaking'");
	expect_refused("leaking>3", "nothing may follow 'leaking'");
}

Test(trigger, is_met_above_its_limit)
{
	struct report_scheduling scheduling = {.view = {.n_late = 1, .n_stuck = 1}};
	struct report_target target = {
		.totals.alive = 7,
		.threads = 11,
		.scheduling = &scheduling,
		.counters_known = true,
		.counters = {.marked = true, .live_bytes = 1 << 20},
		.resident_bytes = 2 << 20,
	};
	const char *const met[] = {"goroutines>6",   "threads>10",	"runnable>99ms",
				   "in_call>4999ms", "heap_live>1023K", "resident>1M"};
	const char *const not_met[] = {"goroutines>7", "threads>11",   "runnable>100ms",
				       "in_call>5s",   "heap_live>1M", "resident>2M",
				       "leaking"};

	scheduling.view.late[0].waiting_ns = 100 * MS;
	scheduling.view.stuck[0].for_ns = 5000 * MS;
	for (size_t i = 0; i < ARRAY_SIZE(met); i++) {
		struct trigger trigger = parse(met[i]);

		cr_expect(trigger__is_met(&trigger, &target), "%s", met[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(not_met); i++) {
		struct trigger trigger = parse(not_met[i]);

		cr_expect_not(trigger__is_met(&trigger, &target), "%s", not_met[i]);
	}
}

Test(trigger, what_is_not_known_meets_nothing)
{
	static const char *const all[] = {"threads>0", "runnable>0", "in_call>0", "heap_live>0",
					  "resident>0"};
	const struct report_target target = {.counters.live_bytes = 7};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct trigger trigger = parse(all[i]);

		cr_expect_not(trigger__is_met(&trigger, &target), "%s", all[i]);
	}
}

Test(trigger, a_verdict_is_of_sites_that_are_not_silenced)
{
	struct report_site site = {.view.verdict = VERDICT_LEAKING};
	struct trigger leaking = parse("leaking"), stuck = parse("stuck"),
		       figure = parse("goroutines>0");

	cr_expect(trigger__wants(&leaking, &site));
	cr_expect_not(trigger__wants(&stuck, &site));
	cr_expect_not(trigger__wants(&figure, &site));
	site.suppressed = true;
	cr_expect_not(trigger__wants(&leaking, &site));
}

Test(trigger, a_figure_in_words)
{
	struct trigger goroutines = parse("goroutines>1"), late = parse("runnable>1ms"),
		       heap = parse("heap_live>1M");
	char text[TRIGGER_FIGURE_SIZE];

	trigger__figure_text(&goroutines, 61204, text);
	cr_expect_str_eq(text, "61,204");
	trigger__figure_text(&late, 130 * MS, text);
	cr_expect_str_eq(text, "130ms");
	trigger__figure_text(&heap, 2400000000, text);
	cr_expect_str_eq(text, "2.4 GB");
}
