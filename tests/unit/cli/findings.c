// SPDX-License-Identifier: Apache-2.0
#include "cli/findings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_sites.h"

Test(findings, by_verdict)
{
	struct made_sites made;

	made_sites__init(&made);
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	made.sites[3].view.verdict = VERDICT_STUCK;
	cr_expect(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	cr_expect(findings__any(&made.report, FINDING_STUCK));
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING));
	made.sites[11].view.verdict = VERDICT_LEAKING;
	cr_expect(findings__any(&made.report, FINDING_LEAKING));
}

Test(findings, what_is_not_sure_counts_where_it_is_asked_for)
{
	struct made_sites made;

	made_sites__init(&made);
	made.sites[5].view.verdict = VERDICT_GROWING;
	cr_expect(findings__any(&made.report, FINDING_GROWING));
	cr_expect_not(findings__any(&made.report, FINDING_SUSPECTED));
	made.sites[3].view.verdict = VERDICT_SUSPECTED;
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	cr_expect(findings__any(&made.report, FINDING_STUCK | FINDING_SUSPECTED));
	made.sites[3].suppressed = true;
	cr_expect_not(findings__any(&made.report, FINDING_STUCK | FINDING_SUSPECTED));
}

Test(findings, suppressed_and_growing_ones_do_not_count)
{
	struct made_sites made;

	made_sites__init(&made);
	made.sites[0].view.verdict = VERDICT_LEAKING;
	made.sites[0].suppressed = true;
	made.sites[1].view.verdict = VERDICT_GROWING;
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	made.report.n_targets = 0;
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
}

Test(findings, growing_ones_count_when_asked_for)
{
	struct made_sites made;

	made_sites__init(&made);
	made.sites[1].view.verdict = VERDICT_GROWING;
	cr_expect(findings__any(&made.report, FINDING_GROWING));
	cr_expect_not(findings__any(&made.report, FINDING_LEAKING | FINDING_STUCK));
	made.sites[1].suppressed = true;
	cr_expect_not(findings__any(&made.report, FINDING_GROWING));
}

/* --- what could have been found ------------------------------------------------------------------- */

#define SECOND NSEC_PER_SEC

/* Of one process, "7" of the command line, watched for @seconds; or of all, one of which this is. */
static struct options watch_of(struct made_sites *made, uint64_t seconds, bool named)
{
	struct options options = {
		.min_age_ns = 10 * SECOND,
		.interval_ns = 2 * SECOND,
		.duration_ns = 60 * SECOND,
		.fail_on = FINDING_LEAKING | FINDING_STUCK,
	};

	made_sites__init(made);
	made->target.pid = 7;
	made->target.mode = PROBE_MODE_FULL;
	made->target.observed_ns = seconds * SECOND;
	if (named)
		options.processes = (struct option_list){.n = 1, .items = {"7"}};
	return options;
}

static void check_not_judged(const struct made_sites *made, const struct options *options,
			     const char *why)
{
	struct failure failure = {""};

	cr_expect_not(findings__judged(&made->report, options, &failure));
	cr_expect_str_eq(failure.text, why);
}

static void check_judged(const struct made_sites *made, const struct options *options)
{
	struct failure failure = {""};

	cr_expect(findings__judged(&made->report, options, &failure), "%s", failure.text);
}

Test(judged, a_watch_of_26_seconds_is_long_enough)
{
	struct made_sites made;
	struct options options = watch_of(&made, 26, true);

	check_judged(&made, &options);
	options = watch_of(&made, 25, true);
	check_not_judged(&made, &options, "25s is too short, a leak takes 26s");
	/* One look is as long as it is. */
	options.once = true;
	check_judged(&made, &options);
}

Test(judged, censuses_alone_take_four_of_them)
{
	struct made_sites made;
	struct options options = watch_of(&made, 49, true);

	options.interval_ns = 10 * SECOND;
	check_judged(&made, &options);
	made.target.mode = PROBE_MODE_CENSUS;
	check_not_judged(&made, &options, "49s is too short, a leak takes 50s");
}

Test(judged, what_does_not_leak_is_seen_sooner)
{
	struct made_sites made;
	struct options options = watch_of(&made, 10, true);

	options.fail_on = FINDING_STUCK;
	check_judged(&made, &options);
	options.fail_on |= FINDING_GROWING;
	check_judged(&made, &options);
	made.target.observed_ns -= SECOND;
	check_not_judged(&made, &options, "9s is too short, it takes 10s");
}

Test(judged, memory_takes_looks_at_samples)
{
	struct made_sites made;
	struct options options = watch_of(&made, 10, true);
	struct report_alloc_site site = {.judgement.verdict = ALLOC_NOT_JUDGED};
	struct report_allocations allocations = {.missing = "", .sites = &site, .n_sites = 1};

	options.fail_on = FINDING_MEMORY;
	made.target.allocations = &allocations;
	check_not_judged(
		&made, &options,
		"whether memory of process 7 keeps growing takes 14 looks, 10s (--min-age) "
		"and two collections apart, from six times that after its start on");
	site.judgement.verdict = ALLOC_STEADY;
	check_judged(&made, &options);
	cr_expect_not(findings__any(&made.report, FINDING_MEMORY));
	site.judgement.verdict = ALLOC_GROWING;
	cr_expect(findings__any(&made.report, FINDING_MEMORY));
	cr_expect_not(findings__any(&made.report, FINDING_GROWING), "goroutines do not");
	/* Each that is asked for has to be told. */
	options.fail_on |= FINDING_LEAKING;
	check_not_judged(&made, &options, "10s is too short, a leak takes 26s");
	options.fail_on = FINDING_MEMORY;
	allocations = (struct report_allocations){.missing = "linked without memory profiling"};
	check_not_judged(&made, &options,
			 "where process 7 allocates memory is not known: linked without memory "
			 "profiling");
	options.no_heap = true;
	check_not_judged(&made, &options,
			 "whether memory of process 7 keeps growing is not told with --no-heap");
}

Test(judged, what_a_state_file_knows_counts)
{
	struct made_sites made;
	struct options options = watch_of(&made, 3, true);

	made.sites[MADE_SITES - 1].view.evidence.observed_ns = 3600 * SECOND;
	check_judged(&made, &options);
}

Test(judged, a_process_that_was_named_has_to_stay)
{
	struct made_sites made;
	struct options options = watch_of(&made, 40, true);

	made.target.exited_target = true;
	check_not_judged(&made, &options,
			 "process 7 ended after 40s, before --duration 1m was over");
	options.duration_ns = 0;
	check_judged(&made, &options);
	made.target.observed_ns = 12 * SECOND;
	check_not_judged(&made, &options, "12s is too short, a leak takes 26s");
	options.once = true;
	check_judged(&made, &options);
	made.target.n_sites = 0;
	check_not_judged(&made, &options, "process 7 ended before it was looked at");
}

Test(judged, all_that_are_named_but_any_of_a_host)
{
	struct made_sites made;
	struct options options = watch_of(&made, 40, true);
	struct report_target both[2] = {made.target, made.target};

	both[0].pid = 8;
	both[0].observed_ns = SECOND;
	made.report.targets = both;
	made.report.n_targets = 2;
	options.processes = (struct option_list){.n = 2, .items = {"7", "8"}};
	check_not_judged(&made, &options, "process 8: 1s is too short, a leak takes 26s");
	options.processes.n = 0;
	check_judged(&made, &options);
	both[1].observed_ns = 2 * SECOND;
	check_not_judged(&made, &options, "process 7: 2s is too short, a leak takes 26s");
}

Test(judged, nobody)
{
	struct made_sites made;
	struct options options = watch_of(&made, 40, false);

	made.report.n_targets = 0;
	check_not_judged(&made, &options, "there is no Go process on this host");
	options.exclude = (struct option_list){.n = 1, .items = {"*"}};
	check_not_judged(&made, &options, "no Go process is left by --exclude");
	options.only = (struct option_list){.n = 1, .items = {"shop"}};
	check_not_judged(&made, &options,
			 "no Go process matches --only shop; 'gleakd list' shows those there are");
	options.only = (struct option_list){.n = 2, .items = {"shop", "api"}};
	check_not_judged(&made, &options,
			 "no Go process matches --only shop or another --only; 'gleakd list' shows "
			 "those there are");
	made.report.self.targets[REPORT_ATTACHED] = 1;
	made.report.self.targets[REPORT_FAILED] = 2;
	made.report.self.targets[REPORT_UNSUPPORTED] = 3;
	check_not_judged(&made, &options,
			 "none of 5 Go processes can be watched; 'gleakd list' says why");
}
