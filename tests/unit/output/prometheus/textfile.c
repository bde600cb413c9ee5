// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/textfile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "occurrences.h"
#include "rendered.h"
#include "sample.h"

static const struct textfile_options build = {
	.version = "1.2.3",
	.revision = "0123456789ab",
	.libbpf = "1.1.2",
	.arch = "x86_64",
};

/* Whether the line is there, as a whole. */
static bool has(const char *text, const char *line)
{
	const char *found = text;
	size_t length = strlen(line);

	while ((found = strstr(found, line))) {
		if ((found == text || found[-1] == '\n') && found[length] == '\n')
			return true;
		found += length;
	}
	return false;
}

#define expect_lines(report, options, ...)                                                  \
	do {                                                                                \
		const char *const lines_[] = {__VA_ARGS__};                                 \
		char *text_ = rendered(report, options);                                    \
		for (size_t i_ = 0; i_ < ARRAY_SIZE(lines_); i_++)                          \
			cr_expect(has(text_, lines_[i_]), "no line %s in:\n%s", lines_[i_], \
				  text_);                                                   \
		free(text_);                                                                \
	} while (0)

#define CONTAINER "8c7a3f1de0b94a52c6d8e97f01a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4"
#define POD	  "0f3b7c7e-5d3a-4d0e-9a55-2f6f1d9a2b11"

/* What a daemon knows that a sample of one process does not. */
static void add_costs(struct sample *sample)
{
	sample->target.group = "shop";
	sample->target.unit = "shop.service";
	sample->target.container_id = CONTAINER;
	sample->target.pod_uid = POD;
	sample->target.start_time_seconds = 1767320000;
	sample->target.probe_hits[0] = 4826;
	sample->target.probe_hits[1] = 4120;
	sample->target.probe_hits[2] = 20101;
	sample->target.probe_ns = 36500000;
	sample->target.overhead = 0.0042;
	sample->target.overhead_max = 0.01;
	sample->target.mode_changes = 2;
	sample->target.dearer = 3.5;
	sample->target.remote_reads = 812;
	sample->target.remote_bytes = 9 << 20;
	sample->target.totals.lifetime_seconds = 5011.25;
	for (size_t i = 0; i < TRACKER_LIFETIMES; i++)
		sample->target.totals.lifetimes[i] = 3000 >> i;
	sample->sites[0].view.confidence = 0.97;
	sample->sites[1].view.confidence = 0.8;
	sample->sites[2].view.confidence = 0.912;
	sample->report.self = (struct report_self){
		.start_time_seconds = 1767323000,
		.targets = {1, 2, 3, 4},
		.attach_attempts = 6,
		.attach_failures = 5,
		.events_received = 29047,
		.events_malformed = 1,
		.emulated_hit_ns = 910,
		.single_step_hit_ns = 1830,
		.cpu_seconds = 0.82,
		.resident_bytes = 12 << 20,
		.bpf_bytes = 3 << 20,
		.open_fds = 31,
		.max_fds = 65536,
		.bpf_links = 3,
		.processes_seen = 311,
		.processes_rejected = 301,
		.cycle_ns = 13100000,
		.held = {.ns = 23 * NSEC_PER_MSEC, .by = HELD_BY_CENSUS},
		.interval_stretch = 4,
		.process_events_lost = 1013,
		.state_errors = 7,
		.worker_restarts = 3,
	};
}

static void check_golden(const char *name, const struct report *report)
{
	char *text = rendered(report, &build);

	sample__golden(name, text);
	free(text);
}

Test(textfile, leaks)
{
	struct sample sample;

	sample__leaks(&sample);
	add_costs(&sample);
	check_golden("leaks.prom", &sample.report);
}

Test(textfile, hostile)
{
	struct sample sample;

	sample__hostile(&sample);
	check_golden("hostile.prom", &sample.report);
}

Test(textfile, no_process)
{
	struct sample sample;

	sample__empty(&sample);
	add_costs(&sample);
	sample.report.n_targets = 0;
	check_golden("empty.prom", &sample.report);
}

Test(textfile, anything_at_all_can_be_read)
{
	for (unsigned int seed = 1; seed <= 200; seed++) {
		struct report_target targets[5];
		struct report report;
		struct sample sample;

		sample__random(&sample, seed);
		for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
			targets[i] = sample.target;
			targets[i].group = i == 0 ? sample.target.comm : i == 1 ? "" : "a\xff";
			targets[i].unit = sample.target.how;
			targets[i].n_sites = sample.target.n_sites / (i + 1);
			targets[i].exited_target = i == 3;
			targets[i].overhead = sample.target.created_per_second;
		}
		report = sample.report;
		report.targets = targets;
		report.n_targets = seed % 6;
		free(rendered(&report, &build));
		sample__random_free(&sample);
	}
}

/* --- processes and sites ---------------------------------------------------------------------- */

#define MAX_MADE 64

/* Processes with sites, made by the tests. */
struct made {
	struct report report;
	struct report_target targets[MAX_MADE];
	struct report_site sites[MAX_MADE][MAX_MADE];
};

static struct report_target *make_target(struct made *made, const char *group)
{
	size_t i = made->report.n_targets++;

	cr_assert_lt(i, MAX_MADE);
	made->report.realtime_ns = SAMPLE_TIME_NS;
	made->report.targets = made->targets;
	made->targets[i] = (struct report_target){
		.pid = (pid_t)(100 + i),
		.start_time_seconds = 1767320000 + i,
		.group = group,
		.exe = "/bin/x",
		.mode = PROBE_MODE_FULL,
		.sites = made->sites[i],
	};
	return &made->targets[i];
}

static struct report_site *make_site(struct made *made, struct report_target *target,
				     unsigned int id, enum verdict verdict, uint64_t goroutines)
{
	struct report_site *site = &made->sites[target - made->targets][target->n_sites++];

	cr_assert_leq(target->n_sites, MAX_MADE);
	*site = (struct report_site){
		.view.verdict = verdict,
		.view.goroutines = goroutines,
		.start_function = "main.run",
		.created_by = {.function = "main.main", .file = "/src/main.go", .line = 42},
		.blocked_at = {.function = "main.run", .file = "C:/src/run.go", .line = 7},
	};
	snprintf(site->id, sizeof(site->id), "%08x", id);
	return site;
}

#define SITE(group, id, verdict)                                                                 \
	"gleakd_leak_site_goroutines{groupname=\"" group "\",site=\"" id "\",verdict=\"" verdict \
	"\",function=\"main.run\",created_at=\"main.go:42\",blocked_at=\"run.go:7\"} "

Test(textfile, processes_of_a_group_are_summed)
{
	static struct made made;
	struct report_target *one = make_target(&made, "shop"), *two = make_target(&made, "shop");
	struct report_target *other = make_target(&made, "bank");

	*one = (struct report_target){.pid = 1,
				      .group = "shop",
				      .totals.alive = 10,
				      .totals.created = 100,
				      .totals.exited = 90,
				      .mode = PROBE_MODE_FULL,
				      .overhead = 0.002,
				      .overhead_max = 0.01,
				      .probe_ns = 1500000000,
				      .totals.lifetimes = {80, [7] = 10},
				      .sites = made.sites[0]};
	*two = (struct report_target){.pid = 2,
				      .group = "shop",
				      .totals.alive = 5,
				      .totals.created = 50,
				      .totals.exited = 45,
				      .mode = PROBE_MODE_CENSUS,
				      .overhead = 0.02,
				      .overhead_max = 0.05,
				      .probe_ns = 250000000,
				      .totals.lifetimes = {40, [7] = 5},
				      .sites = made.sites[1]};
	other->totals.alive = 3;
	make_site(&made, one, 1, VERDICT_LEAKING, 4)->view.confidence = 0.75;
	make_site(&made, two, 1, VERDICT_LEAKING, 3)->view.confidence = 0.5;
	make_site(&made, two, 2, VERDICT_STUCK, 2)->view.oldest_age_ns = 100 * NSEC_PER_SEC;
	make_site(&made, two, 3, VERDICT_GROWING, 1);
	expect_lines(
		&made.report, &build, "gleakd_target_processes{groupname=\"shop\"} 2",
		"gleakd_goroutines{groupname=\"shop\"} 15",
		"gleakd_goroutines{groupname=\"bank\"} 3",
		"gleakd_goroutines_created_total{groupname=\"shop\"} 150",
		"gleakd_goroutines_exited_total{groupname=\"shop\"} 135",
		"gleakd_suspected_leaked_goroutines{groupname=\"shop\"} 9",
		"gleakd_suspected_leaked_goroutines{groupname=\"bank\"} 0",
		"gleakd_leaking_goroutines{groupname=\"shop\"} 7",
		"gleakd_stuck_goroutines{groupname=\"shop\"} 2",
		"gleakd_leak_sites{groupname=\"shop\"} 2",
		"gleakd_leak_sites_omitted{groupname=\"shop\"} 0",
		SITE("shop", "00000001", "leaking") "7", SITE("shop", "00000002", "stuck") "2",
		"gleakd_leak_site_confidence_ratio{groupname=\"shop\",site=\"00000001\","
		"verdict=\"leaking\"} 0.75",
		"gleakd_oldest_suspected_goroutine_created_timestamp_seconds{groupname=\"shop\"} "
		"1767322946",
		"gleakd_target_mode{groupname=\"shop\",mode=\"full\"} 1",
		"gleakd_target_mode{groupname=\"shop\",mode=\"census\"} 1",
		"gleakd_target_mode{groupname=\"shop\",mode=\"lifecycle\"} 0",
		"gleakd_target_overhead_ratio{groupname=\"shop\"} 0.02",
		"gleakd_target_overhead_limit_ratio{groupname=\"shop\"} 0.05",
		"gleakd_target_probe_seconds_total{groupname=\"shop\"} 1.75",
		"gleakd_probe_overhead_seconds_total 1.75",
		"gleakd_goroutine_lifetime_seconds_bucket{groupname=\"shop\",le=\"0.01\"} 120",
		"gleakd_goroutine_lifetime_seconds_bucket{groupname=\"shop\",le=\"3600\"} 120",
		"gleakd_goroutine_lifetime_seconds_bucket{groupname=\"shop\",le=\"+Inf\"} 135",
		"gleakd_goroutine_lifetime_seconds_count{groupname=\"shop\"} 135");
}

Test(textfile, one_site_may_be_leaking_here_and_stuck_there)
{
	static struct made made;

	make_site(&made, make_target(&made, "shop"), 1, VERDICT_LEAKING, 4);
	make_site(&made, make_target(&made, "shop"), 1, VERDICT_STUCK, 5);
	expect_lines(&made.report, &build, SITE("shop", "00000001", "leaking") "4",
		     SITE("shop", "00000001", "stuck") "5");
}

Test(textfile, suppressed_and_unsuspected_sites_have_no_series)
{
	static struct made made;
	struct report_target *target = make_target(&made, "shop");
	struct report_site *suppressed = make_site(&made, target, 1, VERDICT_LEAKING, 40);
	char *text;

	suppressed->suppressed = true;
	suppressed->view.oldest_age_ns = 50 * NSEC_PER_SEC;
	make_site(&made, target, 2, VERDICT_GROWING, 3);
	make_site(&made, target, 3, VERDICT_IDLE, 3)->suppressed = true;
	text = rendered(&made.report, &build);
	cr_expect(has(text, "gleakd_suspected_leaked_goroutines{groupname=\"shop\"} 0"));
	cr_expect(has(text, "gleakd_silenced_goroutines{groupname=\"shop\"} 40"));
	cr_expect(has(text, "gleakd_leak_sites{groupname=\"shop\"} 0"));
	cr_expect_null(strstr(text, "gleakd_leak_site_"));
	cr_expect_null(strstr(text, "gleakd_oldest_"));
	free(text);
}

Test(textfile, an_ended_process_has_counters_but_no_goroutines)
{
	static struct made made;
	struct report_target *target = make_target(&made, "shop");
	char *text;

	make_site(&made, target, 1, VERDICT_LEAKING, 4);
	target->totals.alive = 4;
	target->totals.created = 12;
	target->exited_target = true;
	text = rendered(&made.report, &build);
	cr_expect(has(text, "gleakd_goroutines{groupname=\"shop\"} 0"));
	cr_expect(has(text, "gleakd_target_processes{groupname=\"shop\"} 0"));
	cr_expect(has(text, "gleakd_goroutines_created_total{groupname=\"shop\"} 12"));
	cr_expect(has(text, "gleakd_suspected_leaked_goroutines{groupname=\"shop\"} 0"));
	cr_expect_null(strstr(text, "gleakd_leak_site_goroutines"));
	free(text);
}

Test(textfile, a_group_without_name_is_called_after_the_program)
{
	static struct made made;

	make_target(&made, NULL)->exe = "/usr/local/bin/shop";
	*make_target(&made, "") = (struct report_target){.comm = "worker"};
	*make_target(&made, "") = (struct report_target){.totals.alive = 1};
	expect_lines(&made.report, &build, "gleakd_target_processes{groupname=\"shop\"} 1",
		     "gleakd_target_processes{groupname=\"worker\"} 1",
		     "gleakd_target_processes{groupname=\"unknown\"} 1");
}

Test(textfile, names_that_look_the_same_are_one_group)
{
	static struct made made;

	make_target(&made, "a\xff")->exe = "/x\xfe";
	make_target(&made, "a\xfe")->exe = "/x\xff";
#define SAME "groupname=\"a\xef\xbf\xbd\""
	expect_lines(&made.report, &build, "gleakd_target_processes{" SAME "} 2",
		     "gleakd_target_info{" SAME ",exe=\"/x\xef\xbf\xbd\"," NO_INFO "} 1");
}

Test(textfile, values_are_escaped)
{
	static struct made made;
	struct report_target *target = make_target(&made, "a\"b\\c");

	target->exe = "/x\ny\033[31m";
	expect_lines(
		&made.report, &build,
		"gleakd_target_info{groupname=\"a\\\"b\\\\c\",exe=\"/x\xef\xbf\xbdy\xef\xbf\xbd"
		"[31m\"," NO_INFO "} 1");
}

Test(textfile, what_is_not_a_number_is_zero)
{
	const double odd[] = {NAN, INFINITY, -INFINITY, -1};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		static struct made made;
		struct report_target *target;

		made.report.n_targets = 0;
		target = make_target(&made, "shop");
		target->overhead = target->overhead_max = target->dearer = odd[i];
		target->totals.lifetime_seconds = odd[i];
		made.report.self.cpu_seconds = -1;
		make_site(&made, target, 1, VERDICT_STUCK, 1)->view.confidence = odd[i];
		expect_lines(&made.report, &build,
			     "gleakd_target_overhead_ratio{groupname=\"shop\"} 0",
			     "gleakd_target_overhead_limit_ratio{groupname=\"shop\"} 0",
			     "gleakd_target_hit_cost_ratio{groupname=\"shop\"} 1",
			     "gleakd_target_probe_seconds_total{groupname=\"shop\"} 0",
			     "gleakd_goroutine_lifetime_seconds_sum{groupname=\"shop\"} 0",
			     "gleakd_process_cpu_seconds_total 0");
	}
}

/* --- limits ----------------------------------------------------------------------------------- */

Test(textfile, limits_keep_what_is_largest_and_count_the_rest)
{
	static struct made made;
	struct textfile_options options = build;
	struct report_target *shop = make_target(&made, "shop"), *bank = make_target(&made, "bank");
	char *text;

	options.max_group_sites = 3;
	options.max_sites = 5;
	for (unsigned int i = 1; i <= 10; i++) {
		make_site(&made, shop, i, VERDICT_LEAKING, 100 + i);
		make_site(&made, bank, i, VERDICT_LEAKING, i);
	}
	text = rendered(&made.report, &options);
	cr_expect_eq(occurrences(text, "\ngleakd_leak_site_goroutines{"), 5);
	cr_expect_eq(occurrences(text, "\ngleakd_leak_site_confidence_ratio{"), 5);
	cr_expect(has(text, SITE("shop", "0000000a", "leaking") "110"));
	cr_expect(has(text, SITE("shop", "00000008", "leaking") "108"));
	cr_expect(has(text, SITE("bank", "0000000a", "leaking") "10"));
	cr_expect(has(text, SITE("bank", "00000009", "leaking") "9"));
	cr_expect(has(text, "gleakd_leak_sites{groupname=\"shop\"} 10"));
	cr_expect(has(text, "gleakd_leak_sites_omitted{groupname=\"shop\"} 7"));
	cr_expect(has(text, "gleakd_leak_sites_omitted{groupname=\"bank\"} 8"));
	cr_expect(has(text, "gleakd_suspected_leaked_goroutines{groupname=\"shop\"} 1055"));
	free(text);
}

Test(textfile, groups_with_leaks_are_the_last_to_be_omitted)
{
	static struct made made;
	struct textfile_options options = build;
	char names[10][8], *text;

	options.max_groups = 3;
	for (unsigned int i = 0; i < 10; i++) {
		struct report_target *target;

		snprintf(names[i], sizeof(names[i]), "g%u", i);
		target = make_target(&made, names[i]);
		target->totals.alive = i;
		target->probe_hits[0] = 1;
		if (i == 2)
			make_site(&made, target, 1, VERDICT_STUCK, 1);
	}
	text = rendered(&made.report, &options);
	cr_expect(has(text, "gleakd_groups_omitted 7"));
	cr_expect(has(text, "gleakd_goroutines{groupname=\"g2\"} 2"));
	cr_expect(has(text, "gleakd_goroutines{groupname=\"g8\"} 8"));
	cr_expect(has(text, "gleakd_goroutines{groupname=\"g9\"} 9"));
	cr_expect_eq(occurrences(text, "\ngleakd_goroutines{"), 3);
	cr_expect(has(text, SITE("g2", "00000001", "stuck") "1"));
	cr_expect(has(text, "gleakd_probe_hits_total{probe=\"create\"} 10"));
	free(text);
}

Test(textfile, the_defaults_are_limits)
{
	static struct made made;
	char names[MAX_MADE][8], *text;

	for (unsigned int i = 0; i < MAX_MADE; i++) {
		struct report_target *target;

		snprintf(names[i], sizeof(names[i]), "g%u", i);
		target = make_target(&made, names[i]);
		for (unsigned int s = 0; s < 30; s++)
			make_site(&made, target, s, VERDICT_LEAKING, 1 + s);
	}
	text = rendered(&made.report, &build);
	cr_expect_eq(occurrences(text, "\ngleakd_goroutines{"), TEXTFILE_MAX_GROUPS);
	cr_expect_eq(occurrences(text, "\ngleakd_leak_site_goroutines{"), TEXTFILE_MAX_SITES);
	cr_expect(has(text, "gleakd_groups_omitted 14"));
	free(text);

	made.report.n_targets = 1;
	text = rendered(&made.report, &build);
	cr_expect_eq(occurrences(text, "\ngleakd_leak_site_goroutines{"), TEXTFILE_MAX_GROUP_SITES);
	cr_expect(has(text, "gleakd_leak_sites_omitted{groupname=\"g0\"} 10"));
	free(text);
}

Test(textfile, many_versions_of_a_program)
{
	static struct made made;
	char units[MAX_MADE][12], *text;

	for (unsigned int i = 0; i < 15; i++) {
		snprintf(units[i], sizeof(units[i]), "u%u.scope", i);
		make_target(&made, "shop")->unit = units[i];
		make_target(&made, "shop")->unit = units[i];
	}
	text = rendered(&made.report, &build);
	cr_expect_eq(occurrences(text, "\ngleakd_target_info{"), 10);
	cr_expect(has(text, "gleakd_target_info_omitted{groupname=\"shop\"} 10"));
	free(text);
}

/* --- counters of processes that end ----------------------------------------------------------- */

static struct group_totals *new_totals(void)
{
	struct group_totals *totals = NULL;

	cr_assert_eq(group_totals__new(&totals), 0);
	return totals;
}

static void expect_created(struct group_totals *totals, const struct report *report,
			   const char *wanted)
{
	struct textfile_options options = build;

	options.totals = totals;
	cr_assert_eq(group_totals__update(totals, report), 0);
	expect_lines(report, &options, wanted);
}

Test(textfile, counters_do_not_go_down_when_a_process_ends)
{
	static struct made made;
	struct group_totals *totals = new_totals();
	struct report_target *one = make_target(&made, "shop"), *two = make_target(&made, "shop");

	one->totals.created = 100;
	one->totals.lifetimes[0] = 60;
	one->probe_ns = 2 * NSEC_PER_SEC;
	two->totals.created = 10;
	expect_created(totals, &made.report,
		       "gleakd_goroutines_created_total{groupname=\"shop\"} 110");
	two->totals.created = 13;
	made.report.targets = two;
	made.report.n_targets = 1;
	expect_created(totals, &made.report,
		       "gleakd_goroutines_created_total{groupname=\"shop\"} 113");
	expect_created(totals, &made.report,
		       "gleakd_target_probe_seconds_total{groupname=\"shop\"} 2");
	expect_created(totals, &made.report,
		       "gleakd_goroutine_lifetime_seconds_count{groupname=\"shop\"} 60");
	/* Another process may get the pid. */
	two->start_time_seconds++;
	two->totals.created = 20;
	expect_created(totals, &made.report,
		       "gleakd_goroutines_created_total{groupname=\"shop\"} 133");
	group_totals__free(totals);
}

Test(textfile, counters_go_on_when_a_process_is_watched_again)
{
	static struct made made;
	struct group_totals *totals = new_totals();
	struct report_target *target = make_target(&made, "shop");

	target->totals.created = 50;
	target->totals.exited = 5;
	expect_created(totals, &made.report,
		       "gleakd_goroutines_created_total{groupname=\"shop\"} 50");
	target->totals.created = 7;
	target->totals.exited = 6;
	expect_created(totals, &made.report,
		       "gleakd_goroutines_created_total{groupname=\"shop\"} 57");
	expect_created(totals, &made.report,
		       "gleakd_goroutines_exited_total{groupname=\"shop\"} 6");
	group_totals__free(totals);
}

Test(textfile, a_group_that_is_gone_is_forgotten_but_not_in_the_sum_of_all)
{
	static struct made made;
	struct group_totals *totals = new_totals();
	struct report_target *shop = make_target(&made, "shop"), *bank = make_target(&made, "bank");

	shop->totals.created = shop->probe_hits[0] = 100;
	bank->totals.created = bank->probe_hits[0] = 1;
	shop->totals.lost = shop->remote_reads = 7;
	bank->totals.lost = bank->remote_reads = 10;
	expect_created(totals, &made.report, "gleakd_probe_hits_total{probe=\"create\"} 101");
	made.report.n_targets = 0;
	expect_created(totals, &made.report, "gleakd_probe_hits_total{probe=\"create\"} 101");
	expect_created(totals, &made.report, "gleakd_events_dropped_total{where=\"kernel\"} 17");
	expect_created(totals, &made.report, "gleakd_remote_reads_total 17");
	cr_expect_eq(group_totals__ended(totals, "shop")->n[GROUP_CREATED], 0);
	made.report.n_targets = 1;
	shop->start_time_seconds++;
	shop->totals.created = shop->probe_hits[0] = 3;
	expect_created(totals, &made.report,
		       "gleakd_goroutines_created_total{groupname=\"shop\"} 3");
	expect_created(totals, &made.report, "gleakd_probe_hits_total{probe=\"create\"} 104");
	group_totals__free(totals);
}

Test(textfile, counters_stop_at_their_largest_value)
{
	static struct made made;

	make_target(&made, "shop")->totals.created = UINT64_MAX - 1;
	make_target(&made, "shop")->totals.created = 2;
	expect_lines(&made.report, &build,
		     "gleakd_goroutines_created_total{groupname=\"shop\"} 18446744073709551615");
}
