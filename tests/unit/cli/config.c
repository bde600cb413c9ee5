// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options_table.h"

/* What texts point into: as large as a file may be. */
static char text[CONFIG_MAX_BYTES + 1];
static struct config_errors errors;

/* Parses @length bytes of @content over the defaults. */
static int parse_bytes(const char *content, size_t length, struct options *options,
		       struct options_given *given)
{
	struct failure failure;

	*options = (struct options){0};
	*given = (struct options_given){{false}};
	errors.n = 0;
	cr_assert_eq(options__set_fallbacks(options, &failure), 0);
	memcpy(text, content, length);
	text[length] = '\0';
	return config__parse(text, length, "g.conf", options, given, &errors);
}

static struct options accept(const char *content)
{
	struct options_given given;
	struct options options;

	cr_assert_eq(parse_bytes(content, strlen(content), &options, &given), 0, "%s",
		     errors.text[0]);
	cr_assert_eq(errors.n, 0);
	return options;
}

static void check_refused(const char *content, const char *message)
{
	struct options_given given;
	struct options options;

	cr_expect_eq(parse_bytes(content, strlen(content), &options, &given), -EINVAL, "%s",
		     content);
	cr_assert_eq(errors.n, 1, "%s: %u", content, errors.n);
	cr_expect_str_eq(errors.text[0], message);
}

Test(config, nothing_changes_nothing)
{
	cr_expect_eq(accept("").interval_ns, 10 * NSEC_PER_SEC);
	cr_expect_eq(accept("\n\r\n  \n# interval = 3s\n\t# x").interval_ns, 10 * NSEC_PER_SEC);
}

Test(config, values_of_every_type)
{
	struct options options = accept(
		"interval = 3s\nmax-overhead=0.5%\n  max-memory\t=\t64M  \n"
		"max-targets = 7\nmode = census\njson = true\nall = false\n"
		"verbose = 2\nallow = /a b/c\ntextfile = x.prom\n"
		"evidence = /srv/e\ntrigger = goroutines>5\ntrigger = stuck\nmax-evidence = 11\nmax-evidence-size = 13M\n"
		"only = user:bob\nexclude = a*\nexclude = b#1 # c\n"
		"group-by = unit\nmin-process-age = 0");

	cr_expect_eq(options.interval_ns, 3 * NSEC_PER_SEC);
	cr_expect_eq(options.max_overhead, 0.005);
	cr_expect_eq(options.max_memory, 64ULL << 20);
	cr_expect_eq(options.max_targets, 7);
	cr_expect_eq(options.mode, PROBE_MODE_CENSUS);
	cr_expect(options.json && !options.all);
	cr_expect_eq(options.verbose, 2);
	cr_expect_str_eq(options.allow, "/a b/c");
	cr_expect_str_eq(options.textfile, "x.prom");
	cr_expect_str_eq(options.evidence, "/srv/e");
	cr_expect_eq(options.triggers.n, 2);
	cr_expect_str_eq(options.triggers.items[1], "stuck");
	cr_expect_eq(options.max_evidence, 11);
	cr_expect_eq(options.max_evidence_size, 13ULL << 20);
	cr_assert_eq(options.only.n, 1);
	cr_expect_str_eq(options.only.items[0], "user:bob");
	cr_assert_eq(options.exclude.n, 2);
	cr_expect_str_eq(options.exclude.items[0], "a*");
	cr_expect_str_eq(options.exclude.items[1], "b#1");
	cr_expect_eq(options.group_by, REPORT_GROUP_UNIT);
	cr_expect_eq(options.min_process_age_ns, 0);
}

Test(config, files_of_other_systems)
{
	struct options options = accept("\xef\xbb\xbfinterval = 3s\r\nallow = x\r\nstate = y\r");

	cr_expect_eq(options.interval_ns, 3 * NSEC_PER_SEC);
	cr_expect_str_eq(options.allow, "x");
	cr_expect_str_eq(options.state, "y");
}

Test(config, quotes)
{
	cr_expect_str_eq(accept("allow = \" a #b \"").allow, " a #b ");
	cr_expect_str_eq(accept("allow=\"\\\\ \\\" \\x41\\xfF\" # c").allow, "\\ \" A\xff");
	cr_expect_str_eq(accept("allow = a\"b\\").allow, "a\"b\\");
	check_refused("allow = \"a", "g.conf:1: allow: the closing quote is missing");
	check_refused("allow = \"a\\\"", "g.conf:1: allow: the closing quote is missing");
	check_refused("allow = \"a\" b",
		      "g.conf:1: allow: nothing but a comment may follow the closing quote");
	cr_expect_str_eq(accept("allow = \"a\"#b").allow, "a");
	for (size_t i = 0; i < 5; i++) {
		static const char *const wrong[] = {"\\n", "\\x4", "\\x00", "\\xg0", "\\"};
		char line[64];

		snprintf(line, sizeof(line), "allow = \"a%s%s", wrong[i], i == 4 ? "" : "\"");
		check_refused(line, "g.conf:1: allow: a backslash in quotes is \\\\, \\\" or \\x "
				    "and two hexadecimal digits that are not 00");
	}
	check_refused("allow = \"\"", "g.conf:1: allow: a value (FILE) is missing");
}

Test(config, names)
{
	check_refused("\nintervall = 3",
		      "g.conf:2: unknown name 'intervall'; did you mean 'interval'?");
	check_refused("max_overhead = 3",
		      "g.conf:1: unknown name 'max_overhead'; did you mean 'max-overhead'?");
	check_refused("--interval = 3",
		      "g.conf:1: unknown name '--interval'; did you mean 'interval'?");
	check_refused("colour = never", "g.conf:1: unknown name 'colour'; did you mean 'color'?");
	check_refused("pid = 3", "g.conf:1: 'pid' is for the command line only: gleakd --pid");
	check_refused("help = true",
		      "g.conf:1: 'help' is for the command line only: gleakd --help");
	/* Hidden. */
	check_refused("ring-bytes = 4096", "g.conf:1: unknown name 'ring-bytes'; gleakd "
					   "--print-config lists all of them");
	check_refused(" = 3", "g.conf:1: unknown name ''; gleakd --print-config lists all of them");
	check_refused("[gleakd]", "g.conf:1: '[gleakd]' is not 'name = value', as in: interval = "
				  "10s");
	check_refused("json", "g.conf:1: 'json' is not 'name = value', as in: interval = 10s");
}

Test(config, values)
{
	check_refused("json = yes", "g.conf:1: json: 'yes' is neither true nor false");
	check_refused("verbose = 3", "g.conf:1: verbose: '3' is not a number between 0 and 2");
	check_refused("verbose = 10", "g.conf:1: verbose: '10' is not a number between 0 and 2");
	check_refused("verbose =", "g.conf:1: verbose: '' is not a number between 0 and 2");
	check_refused("interval = 99ms",
		      "g.conf:1: interval: '99ms' is too short, between 100ms and 1h expected");
	check_refused("only =", "g.conf:1: only: a value (PATTERN) is missing");
	check_refused("mode = #full", "g.conf:1: mode: '' is not one of census, lifecycle, full, "
				      "waits, auto");
	check_refused("textfile = /x", "g.conf:1: the textfile '/x' would never be read: its name "
				       "has to end in .prom, as in "
				       "/var/lib/prometheus/node-exporter/gleakd.prom");
}

Test(config, given_once)
{
	check_refused("interval = 3\nmode = full\ninterval = 3",
		      "g.conf:3: interval: already given in line 1; keep one of them");
}

Test(config, what_it_names_is_known)
{
	static const char content[] = "max-targets = 3\nexclude = a";
	struct options_given given;
	struct options options;

	cr_assert_eq(parse_bytes(content, strlen(content), &options, &given), 0);
	for (size_t i = 0; i < n_option_specs; i++)
		cr_expect_eq(given.at[i], strcmp(option_specs[i].name, "max-targets") == 0 ||
						  strcmp(option_specs[i].name, "exclude") == 0);
}

Test(config, all_errors_are_told_up_to_twenty)
{
	char content[25 * 9 + 1], last[32];
	size_t used = 0;
	struct options_given given;
	struct options options;

	for (size_t i = 0; i < 25; i++)
		used += (size_t)snprintf(content + used, sizeof(content) - used, "%s",
					 i == 7 ? "all=true\n" : "x = 3\n");
	cr_expect_eq(parse_bytes(content, used, &options, &given), -EINVAL);
	cr_expect_eq(errors.n, 24);
	snprintf(last, sizeof(last), "g.conf:%d: unknown", CONFIG_MAX_ERRORS + 1);
	cr_expect_eq(strncmp(errors.text[CONFIG_MAX_ERRORS - 1], last, strlen(last)), 0, "%s",
		     errors.text[CONFIG_MAX_ERRORS - 1]);
	/* What is right among it still counts. */
	cr_expect(options.all);
}

Test(config, limits)
{
	static char lines[2 * CONFIG_MAX_LINES + 2];
	struct options_given given;
	struct options options;

	memset(lines, '\n', sizeof(lines));
	cr_expect_eq(parse_bytes(lines, CONFIG_MAX_LINES, &options, &given), 0);
	cr_expect_eq(parse_bytes(lines, CONFIG_MAX_LINES + 1, &options, &given), -EINVAL);
	cr_expect_str_eq(errors.text[0],
			 "g.conf:4097: more than 4096 lines; is it the right file?");
	cr_expect_eq(parse_bytes("all=true\na\0b\n", 13, &options, &given), -EINVAL);
	cr_expect_str_eq(errors.text[0], "g.conf:2: a NUL byte; the file is plain text in UTF-8");
}

Test(config, what_is_shown_of_it_is_harmless)
{
	check_refused("\x1b[31m\xff = 3", "g.conf:1: unknown name '\xef\xbf\xbd[31m\xef\xbf\xbd'; "
					  "gleakd --print-config lists all of them");
}

/* --- files -------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/gleakd-config-XXXXXX";
static char path[64];

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/g.conf", folder);
}

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void write_file(const char *content, size_t length, mode_t mode)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(content, 1, length, file), length);
	fclose(file);
	cr_assert_eq(chmod(path, mode), 0);
}

static int load(const char *line, const char *usual, struct options *options)
{
	static char copy[512];
	char *rest = NULL, *argv[16] = {(char *)"gleakd"};
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &rest); word && argc < 15;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return config__load(argc, argv, usual, options, &errors);
}

static struct options load_fine(const char *line, const char *usual)
{
	struct options options;

	cr_assert_eq(load(line, usual, &options), 0, "%s: %s", line, errors.text[0]);
	cr_expect_eq(errors.n, 0);
	return options;
}

static void check_interval(const char *line, const char *usual, uint64_t interval_ns)
{
	struct options options = load_fine(line, usual);

	cr_expect_eq(options.interval_ns, interval_ns, "%s", line);
	options__free(&options);
}

#define FILE_TEST(name) Test(config, name, .init = make_folder, .fini = remove_folder)

FILE_TEST(the_command_line_wins)
{
	static const char content[] =
		"interval = 3s\nverbose = 2\nonly = a\nexclude = b\njson = true\n";
	struct options options;

	write_file(content, strlen(content), 0600);
	options = load_fine("--interval 4s -v --exclude c --exclude d", path);
	cr_expect_eq(options.interval_ns, 4 * NSEC_PER_SEC);
	cr_expect_eq(options.verbose, 1);
	cr_assert_eq(options.only.n, 1);
	cr_expect_str_eq(options.only.items[0], "a");
	cr_assert_eq(options.exclude.n, 2);
	cr_expect_str_eq(options.exclude.items[0], "c");
	cr_expect(options.json);
	options__free(&options);
	cr_expect_null(options.file_text);
}

FILE_TEST(which_file_is_read)
{
	static const char content[] = "interval = 3s\nexclude = b\n";
	struct options options;
	char line[128];

	write_file(content, strlen(content), 0600);
	check_interval("", "/nonexistent/g.conf", 10 * NSEC_PER_SEC);
	/* One process: only a file that was asked for, whose value counts more than the default. */
	check_interval("--pid 3", path, 2 * NSEC_PER_SEC);
	check_interval("list", path, 10 * NSEC_PER_SEC);
	snprintf(line, sizeof(line), "--pid 3 --config %s", path);
	options = load_fine(line, NULL);
	cr_expect_eq(options.interval_ns, 3 * NSEC_PER_SEC);
	cr_expect_eq(options.max_overhead, 0.05);
	options__free(&options);
	check_interval("--config /dev/null", path, 10 * NSEC_PER_SEC);
	/* Who asks for help gets it, whatever the file says. */
	write_file("x", 1, 0600);
	cr_expect(load_fine("--help", path).help);
	cr_expect(load_fine("--json-schema", path).json_schema);
}

static void check_not_loaded(const char *line, const char *usual, int err, const char *message)
{
	struct options options, before;

	memset(&options, 0x5a, sizeof(options));
	before = options;
	cr_expect_eq(load(line, usual, &options), err, "%s", line);
	cr_assert_eq(errors.n, 1);
	cr_expect_not_null(strstr(errors.text[0], message), "%s", errors.text[0]);
	cr_expect_arr_eq(&options, &before, sizeof(options), "something was left behind");
}

FILE_TEST(what_cannot_be_read)
{
	static char content[CONFIG_MAX_BYTES + 1];
	char line[128];

	snprintf(line, sizeof(line), "--config %s", path);
	check_not_loaded(line, NULL, -ENOENT, "check --config");
	check_not_loaded("", "/dev/full", -EINVAL, "is not a regular file");
	check_not_loaded("", folder, -EINVAL, "is not a regular file");
	cr_assert_eq(mkfifo(path, 0600), 0);
	check_not_loaded(line, NULL, -EINVAL, "is not a regular file");
	cr_assert_eq(unlink(path), 0);
	memset(content, '#', sizeof(content));
	write_file(content, CONFIG_MAX_BYTES, 0600);
	check_interval(line, NULL, 10 * NSEC_PER_SEC);
	write_file(content, CONFIG_MAX_BYTES + 1, 0600);
	check_not_loaded(line, NULL, -E2BIG, "is longer than 1 MiB");
	write_file("mode = x\n", 9, 0600);
	check_not_loaded("", path, -EINVAL, ":1: mode: 'x' is not one of");
	check_not_loaded("--frobnicate", path, -EINVAL, "option --frobnicate");
	write_file("json = true\n", 12, 0600);
	snprintf(line, sizeof(line), "--pid 3 --explain 3fa9 --config %s", path);
	check_not_loaded(line, NULL, -EINVAL, "--explain and --json exclude each other");
}

FILE_TEST(it_can_be_read_again)
{
	struct options options;

	write_file("interval = 3s\n", 14, 0600);
	check_interval("-v", path, 3 * NSEC_PER_SEC);
	write_file("interval = 5s\n", 14, 0600);
	options = load_fine("-v", path);
	cr_expect_eq(options.interval_ns, 5 * NSEC_PER_SEC);
	cr_expect_eq(options.verbose, 1);
	options__free(&options);
}

FILE_TEST(for_root_nobody_else_may_write_it)
{
	struct options options;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	write_file("all = true\n", 11, 0644);
	options = load_fine("", path);
	cr_expect(options.all);
	options__free(&options);
	cr_assert_eq(chmod(path, 0664), 0);
	check_not_loaded("", path, -EPERM, "could be changed by others than root (its group");
	cr_assert_eq(chmod(path, 0646), 0);
	check_not_loaded("", path, -EPERM, "chmod go-w");
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(chown(path, 65534, 0), 0);
	check_not_loaded("", path, -EPERM, "its owner is not root");
}

/* --- writing it --------------------------------------------------------------------------------- */

static char *written(const struct options *options)
{
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);

	cr_assert_not_null(file);
	cr_assert_eq(config__write(file, options), 0);
	fclose(file);
	return out;
}

static void check_line(const char *content, const char *line)
{
	struct options options = accept(content);
	char *out = written(&options), wanted[128];

	snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	cr_expect_not_null(strstr(out, wanted), "%s", line);
	free(out);
}

Test(config, written)
{
	check_line("", "interval = 10s");
	check_line("", "# only = PATTERN");
	check_line("", "# textfile = FILE");
	check_line("interval = 1m1s1ms1us1ns", "interval = 1m1s1ms1us1ns");
	check_line("min-process-age = 0", "min-process-age = 0");
	check_line("max-overhead = 0.0300", "max-overhead = 0.03%");
	check_line("max-overhead = 100%", "max-overhead = 100%");
	check_line("max-overhead = 0", "max-overhead = 0%");
	check_line("max-memory = 2048M", "max-memory = 2G");
	check_line("max-memory = 16777217", "max-memory = 16777217");
	check_line("verbose = 2\njson = true", "json = true");
	check_line("allow = \"a\"", "allow = a");
	check_line("allow = \" a\"", "allow = \" a\"");
	check_line("allow = \"\\x0a\\\"\\\\\"", "allow = \"\\x0a\\\"\\\\\"");
	check_line("only = b\nonly = a", "only = b\nonly = a");
}

/* Every value other than its default, with everything that has to be quoted. */
Test(config, what_is_written_means_the_same)
{
	static const char content[] =
		"min-age = 1h1m1s5ms\ninterval = 150ms\nmode = lifecycle\nmax-overhead = 0.0001%\n"
		"max-self-cpu = 99.9999%\nmax-memory = 16777217\nmax-targets = 1024\n"
		"min-process-age = 0.000000007\nonly = \"# x\"\nonly = \"a #b\"\nexclude = user:a\n"
		"group-by = container\njson = true\nverbose = 1\nall = true\nallow = \" \"\n"
		"state = \"\\x01\\xc3\\xa4\"\ntextfile = \"a\\\"b.prom\"\ncolor = never\n"
		"evidence = \"a b\"\ntrigger = \"threads>9 for 1m\"\ntrigger = leaking\nmax-evidence = 9999\nmax-evidence-size = 1048577\n";
	struct options options = accept(content);
	char *first = written(&options), *second, wanted[32];

	for (size_t i = 0; i < n_option_specs; i++) {
		snprintf(wanted, sizeof(wanted), "\n%s = ", option_specs[i].name);
		if (option_specs[i].flags & OPTION_IN_FILE)
			cr_expect_not_null(strstr(first, wanted), "%s", option_specs[i].name);
	}
	options = accept(first);
	cr_expect_eq(options.min_process_age_ns, 7);
	cr_expect_eq(options.min_age_ns, 3661005 * NSEC_PER_MSEC);
	cr_expect_str_eq(options.state, "\x01\xc3\xa4");
	second = written(&options);
	cr_expect_str_eq(second, first);
	free(first);
	free(second);
}

Test(config, for_one_process_there_is_nothing_about_the_host)
{
	struct options options = accept("");
	char *out;

	options.processes = (struct option_list){.n = 1, .items = {"3"}};
	out = written(&options);
	cr_expect_not_null(strstr(out, "\ninterval = "));
	cr_expect_null(strstr(out, "max-targets"));
	free(out);
}

Test(config, writing_fails)
{
	struct options options = accept("");
	FILE *full = fopen("/dev/full", "w");

	cr_assert_not_null(full);
	cr_expect_eq(config__write(full, &options), -ENOSPC);
	fclose(full);
}
