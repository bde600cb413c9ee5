// SPDX-License-Identifier: Apache-2.0
#include "cli/options_table.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options_line.h"

/* @wanted: "7 shop" */
static void expect_processes(const struct options *options, const char *wanted)
{
	char found[512] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < options->processes.n && used < sizeof(found); i++)
		used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%s", i ? " " : "",
					 options->processes.items[i]);
	cr_expect_str_eq(found, wanted);
}

Test(options, defaults)
{
	struct options options = accept("");

	cr_expect_eq(options.processes.n, 0);
	cr_expect_not(options.command_named);
	cr_expect_eq(options.min_age_ns, 10 * NSEC_PER_SEC);
	cr_expect_eq(options.interval_ns, 10 * NSEC_PER_SEC);
	cr_expect_eq(options.max_overhead, 0.01);
	cr_expect_eq(options.max_self_cpu, 0.02);
	cr_expect_eq(options.max_memory, 512ULL << 20);
	cr_expect_eq(options.max_targets, 512);
	cr_expect_null(options.evidence);
	cr_expect_eq(options.max_evidence, 100);
	cr_expect_eq(options.max_evidence_size, 1ULL << 30);
	cr_expect_eq(options.min_process_age_ns, 2 * NSEC_PER_SEC);
	cr_expect_eq(options.group_by, REPORT_GROUP_EXE);
	cr_expect_eq(options.only.n + options.exclude.n, 0);
	cr_expect_null(options.config);
	cr_expect_not(options.print_config);
	cr_expect_eq(options.duration_ns, 0);
	cr_expect_eq(options.mode, MODE_AUTO);
	cr_expect_eq(options.color, COLOR_AUTO);
	cr_expect(!options.once && !options.json && !options.all && !options.help &&
		  !options.version);
	cr_expect_eq(options.verbose, 0);
	cr_expect_eq(options.ring_bytes, 0);
	cr_expect_null(options.explain);
	cr_expect_null(options.allow);
	cr_expect_null(options.state);
	cr_expect_eq(options.fail_on, FINDING_LEAKING | FINDING_STUCK);
	cr_expect_eq(options.error_exitcode, 0);
	cr_expect_not(options.json_schema);
}

Test(options, all_of_them)
{
	struct options options = accept("--pid 4242 --min-age=1m30s --interval 500ms "
					"--duration=2h --json -v --verbose --all --color never "
					"--mode lifecycle --ring-bytes 65536");

	expect_processes(&options, "4242");
	cr_expect_eq(options.min_age_ns, 90 * NSEC_PER_SEC);
	cr_expect_eq(options.interval_ns, 500 * NSEC_PER_MSEC);
	cr_expect_eq(options.duration_ns, 7200 * NSEC_PER_SEC);
	cr_expect(options.json && options.all && !options.once);
	cr_expect_eq(options.verbose, 2);
	cr_expect_eq(options.color, COLOR_NEVER);
	cr_expect_eq(options.mode, PROBE_MODE_LIFECYCLE);
	cr_expect_eq(options.ring_bytes, 65536);
}

Test(options, every_choice)
{
	cr_expect_eq(accept("--mode auto").mode, MODE_AUTO);
	cr_expect_eq(accept("--mode full").mode, PROBE_MODE_FULL);
	cr_expect_eq(accept("--mode census").mode, PROBE_MODE_CENSUS);
	cr_expect_eq(accept("--color auto").color, COLOR_AUTO);
	cr_expect_eq(accept("--color always").color, COLOR_ALWAYS);
}

Test(options, short_forms_and_beginnings)
{
	struct options options;

	options = accept("-p7");
	expect_processes(&options, "7");
	cr_expect_eq(accept("-vvp 7 -v").verbose, 3);
	cr_expect_eq(accept("--dur 5").duration_ns, 5 * NSEC_PER_SEC);
}

Test(options, the_last_one_wins)
{
	cr_expect_eq(accept("--mode full --mode census").mode, PROBE_MODE_CENSUS);
}

Test(options, nothing_stays_from_an_earlier_parse)
{
	struct options options;

	check_refused("--pid 1 --json -v --nonsense",
		      "unknown or ambiguous option --nonsense; --help lists the options");
	options = accept("-p 5");
	cr_expect_not(options.json);
	expect_processes(&options, "5");
}

Test(options, help_and_version_come_before_errors_that_follow)
{
	cr_expect(accept("-h").help);
	cr_expect(accept("--help --nonsense").help);
	cr_expect(accept("--version 17").version);
	cr_expect(accept("-V").version);
}

Test(options, one_process_has_defaults_of_its_own)
{
	struct options options = accept("--pid 3");

	cr_expect_eq(options.interval_ns, 2 * NSEC_PER_SEC);
	cr_expect_eq(options.max_overhead, 0.05);
	cr_expect_eq(options.min_age_ns, 10 * NSEC_PER_SEC);
	options = accept("--interval 7s --max-overhead 0.25 --pid 3");
	cr_expect_eq(options.interval_ns, 7 * NSEC_PER_SEC);
	cr_expect_eq(options.max_overhead, 0.0025);
	/* The default of the other mode, when asked for. */
	cr_expect_eq(accept("--interval 10s --pid 3").interval_ns, 10 * NSEC_PER_SEC);
}

Test(options, percentages)
{
	cr_expect_eq(accept("--max-overhead 1%").max_overhead, 0.01);
	cr_expect_eq(accept("--max-overhead 1").max_overhead, 0.01);
	cr_expect_eq(accept("--max-overhead 0.5%").max_overhead, 0.005);
	cr_expect_eq(accept("--max-overhead 0.0001").max_overhead, 0.000001);
	cr_expect_eq(accept("--max-overhead 0").max_overhead, 0);
	cr_expect_eq(accept("--max-self-cpu 100.0000%").max_self_cpu, 1);
	check_refused("--max-overhead 100.0001%",
		      "--max-overhead: '100.0001%' is out of range, between 0% and 100% expected");
	for (size_t i = 0; i < 11; i++) {
		static const char *const wrong[] = {"''",  "%",	 ".5",	"1.",	   "1.%", "-1",
						    "+1%", "1e", "0x1", "0.00001", "1%%"};
		char line[64], message[160];

		if (strchr(wrong[i], ' '))
			continue;
		snprintf(line, sizeof(line), "--max-overhead %s", wrong[i]);
		snprintf(message, sizeof(message),
			 "--max-overhead: '%s' is not a percentage; 1%%, 0.5%% or 0 for no limit "
			 "expected, with at most 4 decimals",
			 strcmp(wrong[i], "''") == 0 ? "" : wrong[i]);
		check_refused(line, message);
	}
}

Test(options, sizes_of_memory)
{
	cr_expect_eq(accept("--max-memory 1G").max_memory, 1ULL << 30);
	cr_expect_eq(accept("--max-memory 20480K").max_memory, 20ULL << 20);
	cr_expect_eq(accept("--max-memory 16777216").max_memory, 16ULL << 20);
	cr_expect_eq(accept("--max-memory 1T").max_memory, 1ULL << 40);
	check_refused("--max-memory 16777215",
		      "--max-memory: '16777215' is out of range, between 16M and 1048576M "
		      "expected");
	/* 2^64 bytes, and beyond. */
	check_refused("--max-memory 16777216T",
		      "--max-memory: '16777216T' is out of range, between 16M and 1048576M "
		      "expected");
	check_refused("--max-memory 99999999999999999999",
		      "--max-memory: '99999999999999999999' is out of range, between 16M and "
		      "1048576M expected");
	check_refused("--max-memory 64MB",
		      "--max-memory: '64MB' is not a size; 512M, 2G or plain bytes expected");
	check_refused("--max-memory 64m",
		      "--max-memory: '64m' is not a size; 512M, 2G or plain bytes expected");
	check_refused("--max-memory -1",
		      "--max-memory: '-1' is not a size; 512M, 2G or plain bytes expected");
	check_refused("--max-memory M",
		      "--max-memory: 'M' is not a size; 512M, 2G or plain bytes expected");
}

Test(options, numbers_of_targets)
{
	cr_expect_eq(accept("--max-targets 1024").max_targets, 1024);
	check_refused("--max-targets 0",
		      "--max-targets: '0' is out of range, between 1 and 1024 expected");
	check_refused("--max-targets 1025",
		      "--max-targets: '1025' is out of range, between 1 and 1024 expected");
}

Test(options, what_has_to_be_watched_takes_a_duration)
{
	static const char *const fine[] = {"heap --pid 7",
					   "heap --pid 7 --by site",
					   "heap --pid 7 --duration 5s --exact",
					   "heap --pid 7 --duration 5s --by label",
					   "resources --pid 7",
					   "resources --pid 7 --probe-opens always --duration 5s",
					   "resources --pid 7 --probe-opens never",
					   "--pid 7 --by goroutine",
					   "--pid 7 --probe-opens always"};

	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		accept(fine[i]);
	check_refused("heap --pid 7 --exact",
		      "--exact takes a --duration: allocations are watched for as long");
	check_refused("heap --pid 7 --by label", "--by goroutine, creation or label takes a "
						 "--duration: allocations are watched for as long");
	check_refused(
		"resources --pid 7 --probe-opens always",
		"--probe-opens=always takes a --duration: who opens things is watched for as long");
	check_refused("--pid 7 --by holder",
		      "a watch tells allocations apart by goroutine, creation, label or type; for "
		      "--by holder use 'gleakd heap'");
}

Test(options, patterns_add_up)
{
	struct options options = accept("--exclude comm:foo* --only=exe:/usr/bin/* --exclude bare* "
					"--exclude user:bob");

	cr_assert_eq(options.exclude.n, 3);
	cr_expect_eq(options.only.n, 1);
	check_refused("--exclude ''", "--exclude: a value (PATTERN) is missing");
	check_refused("--only unit:", "--only: nothing follows 'unit:'; give what to match, as in "
				      "comm:api-* or user:www-data");
}

/* gleakd and @n times -e... of the same pattern. */
static int parse_patterns(size_t n, struct options *options, struct failure *failure)
{
	char program[] = "gleakd", pattern[] = "--exclude=a*";
	char *argv[OPTION_LIST_MAX + 3] = {program};

	for (size_t i = 0; i < n; i++)
		argv[i + 1] = pattern;
	return options__parse((int)n + 1, argv, options, failure);
}

Test(options, patterns_have_a_limit)
{
	struct failure failure = {""};
	struct options options;

	cr_assert_eq(parse_patterns(OPTION_LIST_MAX, &options, &failure), 0);
	cr_expect_eq(options.exclude.n, OPTION_LIST_MAX);
	cr_expect_str_eq(options.exclude.items[OPTION_LIST_MAX - 1], "a*");
	cr_expect_eq(parse_patterns(OPTION_LIST_MAX + 1, &options, &failure), -EINVAL);
	cr_expect_str_eq(failure.text, "--exclude: more than 64 of them; use '*' to put some into "
				       "one");
}

Test(options, groups)
{
	cr_expect_eq(accept("--group-by comm").group_by, REPORT_GROUP_COMM);
	cr_expect_eq(accept("--group-by unit").group_by, REPORT_GROUP_UNIT);
	cr_expect_eq(accept("--group-by container").group_by, REPORT_GROUP_CONTAINER);
	cr_expect_eq(accept("--group-by pid").group_by, REPORT_GROUP_PID);
	check_refused("--group-by exe,pid",
		      "--group-by: 'exe,pid' is not one of exe, comm, unit, container, pid");
}

Test(options, what_is_about_the_host_is_not_about_one_process)
{
	check_refused(
		"--pid 3 --exclude x",
		"--exclude is about all processes of the host; leave it or the process '3' out");
	check_refused(
		"--max-targets 3 --pid 3",
		"--max-targets is about all processes of the host; leave it or the process '3' out");
	check_refused("--explain 3fa9", "--explain is about one process: add --pid N");
	check_refused("--once --goroutines", "--goroutines is about one process: add --pid N");
	cr_expect(accept("--once --max-self-cpu 3% --min-process-age 0").once);
}

Test(options, pids)
{
	check_refused("--pid 0", "--pid: '0' is out of range, between 1 and 4194304 expected");
	check_refused("--pid=4194305",
		      "--pid: '4194305' is out of range, between 1 and 4194304 expected");
	check_refused("-p 99999999999999999999",
		      "--pid: '99999999999999999999' is out of range, between 1 and 4194304 "
		      "expected");
	check_refused("--pid -5", "--pid: '-5' is neither the number nor the name of a process");
	check_refused("--pid ''", "--pid: a value (N|NAME) is missing");
	cr_expect_str_eq(accept("--pid 4194304").processes.items[0], "4194304");
}

Test(options, durations)
{
	check_refused("--interval 0",
		      "--interval: '0' is too short, between 100ms and 1h expected");
	check_refused("--interval 99ms",
		      "--interval: '99ms' is too short, between 100ms and 1h expected");
	check_refused("--interval 1h1ns",
		      "--interval: '1h1ns' is too long, between 100ms and 1h expected");
	check_refused("--min-age 25h",
		      "--min-age: '25h' is too long, between 100ms and 1d expected");
	check_refused("--min-age 999999999999999999999d",
		      "--min-age: '999999999999999999999d' is too long, between 100ms and 1d "
		      "expected");
	check_refused("--duration 5x", "--duration: '5x' is not a duration; 30s, 5m, 1h30m or "
				       "plain seconds expected");
	check_refused("--duration -1s", "--duration: '-1s' is not a duration; 30s, 5m, 1h30m or "
					"plain seconds expected");
	cr_expect_eq(accept("--min-age 24h").min_age_ns, 86400 * NSEC_PER_SEC);
}

Test(options, choices_and_sizes)
{
	check_refused("--color=maybe", "--color: 'maybe' is not one of auto, always, never");
	check_refused("--mode ''", "--mode: '' is not one of census, lifecycle, full, waits, auto");
	check_refused("--ring-bytes 5000", "--ring-bytes: '5000' is not a power of two");
	check_refused("--ring-bytes 2048",
		      "--ring-bytes: '2048' is out of range, between 4096 and 1073741824 expected");
	check_refused("--ring-bytes 2147483648",
		      "--ring-bytes: '2147483648' is out of range, between 4096 and 1073741824 "
		      "expected");
}

Test(options, values_missing_or_too_many)
{
	check_refused("--pid", "--pid: a value (N|NAME) is missing");
	check_refused("--json -p", "--pid: a value (N|NAME) is missing");
	check_refused("--interval", "--interval: a value (TIME) is missing");
	check_refused("--once=1", "--once takes no value");
	check_refused("--verbose=2", "--verbose takes no value");
}

Test(options, unknown_ones)
{
	check_refused("--intervall=5", "unknown option --intervall; did you mean --interval?");
	check_refused("--jsno", "unknown option --jsno; did you mean --json?");
	check_refused("--tile 3", "unknown or ambiguous option --tile; --help lists the options");
	check_refused("-x", "unknown option -x; --help lists the options");
	check_refused("-vx", "unknown option -x; --help lists the options");
	check_refused("-v\xff", "unknown option -?; --help lists the options");
	/* Hidden options are not suggested. */
	check_refused("--ring-byte5", "unknown or ambiguous option --ring-byte5; --help lists the "
				      "options");
}

Test(options, long_arguments_do_not_overflow)
{
	char line[400] = "--";
	struct options options;
	struct failure failure;

	memset(line + 2, 'x', sizeof(line) - 3);
	line[sizeof(line) - 1] = '\0';
	cr_expect_eq(parse(line, &options, &failure), -EINVAL);
	/* A name may be as long as a path. */
	line[1] = line[0] = 'x';
	cr_expect_eq(parse(line, &options, &failure), 0);
}

Test(options, words_are_processes_as_with_pid)
{
	struct options options = accept("4242");

	expect_processes(&options, "4242");
	cr_expect_eq(options.interval_ns, 2 * NSEC_PER_SEC, "as for one process");
	options = accept("shop --once 12x");
	expect_processes(&options, "shop 12x");
	cr_expect(options.once);
	options = accept("shop -p 7 --pid=api shop");
	expect_processes(&options, "7 api shop shop");
	options = accept("watch list");
	cr_expect_eq(options.command, COMMAND_WATCH);
	expect_processes(&options, "list");
	check_refused("--json -- --pid",
		      "--pid: '--pid' is neither the number nor the name of a process");
	check_refused("''", "--pid: a value (N|NAME) is missing");
	check_refused("4194305",
		      "--pid: '4194305' is out of range, between 1 and 4194304 expected");
	check_refused("shop --max-targets 3", "--max-targets is about all processes of the host; "
					      "leave it or the process 'shop' out");
}

Test(options, processes_have_a_limit)
{
	char line[512] = "", wanted[512] = "";
	struct options options;
	struct failure failure = {""};
	size_t used = 0;

	for (int i = 0; i < OPTION_LIST_MAX; i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%d", i ? " " : "",
					 i + 1);
	snprintf(wanted, sizeof(wanted), "%s", line);
	cr_assert_eq(parse(line, &options, &failure), 0, "%s", failure.text);
	expect_processes(&options, wanted);
	snprintf(line + used, sizeof(line) - used, " 65");
	check_refused(line, "--pid: more than 64 of them; give --only and a pattern");
}

Test(options, once_has_no_duration)
{
	check_refused("--once --duration 5s", "--once and --duration exclude each other: one "
					      "census takes no time to choose");
}

Test(options, commands)
{
	cr_expect_eq(accept("").command, COMMAND_WATCH);
	cr_expect_eq(accept("--pid 3").command, COMMAND_WATCH);
	cr_expect_eq(accept("list").command, COMMAND_LIST);
	cr_expect(accept("list --json").json);
	cr_expect_eq(accept("list -vv --color=never").verbose, 2);
	cr_expect(accept("list --help").help);
	cr_expect_eq(accept("list --help").command, COMMAND_LIST);
	cr_expect(accept("list").command_named);
	cr_expect_eq(accept("watch").command, COMMAND_WATCH);
	cr_expect_eq(accept("version").command, COMMAND_VERSION);
	cr_expect_eq(accept("lost").command, COMMAND_WATCH, "the name of a process, maybe");
	check_refused("--json list",
		      "'list' is a command and comes first: gleakd list; a process of that name is "
		      "watched with --pid list");
	check_refused("version 3", "unexpected argument '3'; gleakd version takes options only, "
				   "--help lists them");
}

Test(options, help_has_a_topic)
{
	cr_expect_eq(accept("help").command, COMMAND_HELP);
	cr_expect_null(accept("help").topic);
	cr_expect_str_eq(accept("help list").topic, "list");
	cr_expect_str_eq(accept("help nonsense").topic, "nonsense");
	check_refused("help list doctor", "unexpected argument 'doctor'; gleakd help takes fewer, "
					  "--help lists them");
}

Test(options, each_command_has_its_own)
{
	cr_expect_eq(accept("doctor --json").command, COMMAND_DOCTOR);
	cr_expect_str_eq(accept("doctor --textfile x.prom").textfile, "x.prom");
	check_refused("doctor -v", "unknown option -v; --help lists the options");
	check_refused("doctor --state x",
		      "option --state is not one of gleakd doctor; --help lists those");
	check_refused("list --textfile x.prom",
		      "option --textfile is not one of gleakd list; --help lists those");
	check_refused("list --pid 3", "option --pid is not one of gleakd list; --help lists those");
	check_refused("list --ring-bytes=4096",
		      "option --ring-bytes is not one of gleakd list; --help lists those");
	check_refused("list -p 3", "unknown option -p; --help lists the options");
	check_refused("list --jsn", "unknown option --jsn; did you mean --json?");
	check_refused("list --intervall=3",
		      "unknown or ambiguous option --intervall; --help lists the options");
	check_refused(
		"list 42",
		"unexpected argument '42'; gleakd list takes options only, --help lists them");
	check_refused("list --once=1",
		      "option --once is not one of gleakd list; --help lists those");
	cr_expect(accept("list --j").json);
}

Test(options, goroutines_are_listed_by_one_census)
{
	cr_expect(accept("--pid 3 --once --goroutines").goroutines);
	cr_expect_not(accept("--pid 3 --once").goroutines);
	check_refused("--pid 3 --goroutines",
		      "--goroutines lists what one census finds: add --once");
	check_refused("list --goroutines",
		      "option --goroutines is not one of gleakd list; --help lists those");
}

Test(options, texts)
{
	struct failure failure = {""};
	char name[] = "gleakd", allow[] = "--allow=known cases.txt", state[] = "--state";
	char file[] = "-", explain[] = "--explain", site[] = "*/pump.go:4?", pid[] = "-p3";
	char *argv[] = {name, allow, state, file, explain, site, pid, NULL};
	struct options options;

	cr_assert_eq(options__parse(7, argv, &options, &failure), 0, "%s", failure.text);
	cr_expect_str_eq(options.allow, "known cases.txt");
	cr_expect_eq(options.state, file, "argv's own text");
	cr_expect_eq(options.explain, site);
	check_refused("--allow ''", "--allow: a value (FILE) is missing");
	check_refused("--state=", "--state: a value (FILE) is missing");
	check_refused("--explain ''", "--explain: a value (SITE) is missing");
	check_refused("--explain", "--explain: a value (SITE) is missing");
}

/* --@name= and @length times 'x'. */
static int parse_long(const char *name, size_t length, struct failure *failure)
{
	size_t size = strlen(name) + length + 4;
	char *text = malloc(size), program[] = "gleakd";
	char pid[] = "-p3", *argv[] = {program, pid, text, NULL};
	struct options options;
	int n = snprintf(text, size, "--%s=", name), err;

	memset(text + n, 'x', length);
	text[(size_t)n + length] = '\0';
	err = options__parse(3, argv, &options, failure);
	free(text);
	return err;
}

Test(options, texts_have_a_limit)
{
	struct failure failure = {""};

	cr_expect_eq(parse_long("explain", 512, &failure), 0, "%s", failure.text);
	cr_expect_eq(parse_long("explain", 513, &failure), -EINVAL);
	cr_expect_str_eq(failure.text, "--explain: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' "
				       "is too long, at most 512 bytes expected");
	cr_expect_eq(parse_long("allow", 4095, &failure), 0);
	cr_expect_eq(parse_long("state", 4095, &failure), 0);
	cr_expect_eq(parse_long("allow", 4096, &failure), -EINVAL);
	cr_expect_eq(parse_long("state", 4096, &failure), -EINVAL);
}

Test(options, words)
{
	cr_expect_eq(accept("--error-exitcode 9 --fail-on leaking").fail_on, FINDING_LEAKING);
	cr_expect_eq(accept("--fail-on=stuck --error-exitcode 9").fail_on, FINDING_STUCK);
	cr_expect_eq(accept("--error-exitcode 9 --fail-on stuck,leaking,stuck").fail_on,
		     FINDING_LEAKING | FINDING_STUCK);
	cr_expect_eq(accept("--error-exitcode 9 --fail-on growing").fail_on, FINDING_GROWING);
	cr_expect_eq(accept("--error-exitcode 9 --fail-on leaking,suspected").fail_on,
		     FINDING_LEAKING | FINDING_SUSPECTED);
	cr_expect_eq(accept("--error-exitcode 9 --fail-on stuck --fail-on leaking").fail_on,
		     FINDING_LEAKING);
	cr_expect_eq(accept("--error-exitcode 9 --fail-on memory,stuck").fail_on,
		     FINDING_MEMORY | FINDING_STUCK);
	check_refused("--fail-on leak",
		      "--fail-on: 'leak' is not one of leaking, stuck, growing, suspected, memory; "
		      "several are separated by commas");
	check_refused(
		"--fail-on leaking|stuck",
		"--fail-on: 'leaking|stuck' is not one of leaking, stuck, growing, suspected, memory; several are "
		"separated by commas");
	check_refused(
		"--fail-on leaking,idle,stuck",
		"--fail-on: 'idle' is not one of leaking, stuck, growing, suspected, memory; several are separated "
		"by commas");
	check_refused(
		"--fail-on leaking,",
		"--fail-on: '' is not one of leaking, stuck, growing, suspected, memory; several "
		"are separated by commas");
	check_refused(
		"--fail-on ,leaking",
		"--fail-on: '' is not one of leaking, stuck, growing, suspected, memory; several "
		"are separated by commas");
	check_refused(
		"--fail-on ''",
		"--fail-on: '' is not one of leaking, stuck, growing, suspected, memory; several are "
		"separated by commas");
}

Test(options, exit_codes)
{
	cr_expect_eq(accept("--error-exitcode 1").error_exitcode, 1);
	cr_expect_eq(accept("--error-exitcode=255").error_exitcode, 255);
	check_refused("--error-exitcode 0",
		      "--error-exitcode: '0' is out of range, between 1 and 255 expected");
	check_refused("--error-exitcode 256",
		      "--error-exitcode: '256' is out of range, between 1 and 255 expected");
	check_refused("--error-exitcode -1", "--error-exitcode: '-1' is not a whole number");
	check_refused("--error-exitcod3 1",
		      "unknown option --error-exitcod3; did you mean --error-exitcode?");
}

Test(options, findings_without_an_exit_code_would_mean_nothing)
{
	check_refused("--pid 3 --fail-on leaking,stuck",
		      "--fail-on says what --error-exitcode is about: add --error-exitcode N");
	check_refused("list --fail-on stuck",
		      "option --fail-on is not one of gleakd list; --help lists those");
}

Test(options, explain_is_for_people)
{
	cr_expect_not_null(accept("--pid 3 --once --explain 3fa9 -v").explain);
	check_refused("--pid 3 --explain 3fa9 --json",
		      "--explain and --json exclude each other: --json tells all of every site");
	check_refused("--pid 3 --once --goroutines --explain 3fa9",
		      "--explain and --goroutines exclude each other: one shows a site, the other "
		      "all goroutines");
}

Test(options, schema)
{
	cr_expect(accept("--json-schema").json_schema);
	cr_expect(accept("--json --json-schema --pid 3").json_schema);
	check_refused("--json-schema=1", "--json-schema takes no value");
}
