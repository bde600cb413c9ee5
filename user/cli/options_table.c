// SPDX-License-Identifier: Apache-2.0
#include "cli/options_table.h"

#include <limits.h>

const struct command_spec commands[COMMAND_COUNT] = {
	[COMMAND_WATCH] =
		{
			.name = "",
			.usage = "--pid N [options]",
			.about = "Watches a running Go process from outside and finds the "
				 "goroutines it leaks. The process needs no preparation and is "
				 "neither stopped nor changed.",
		},
	[COMMAND_LIST] =
		{
			.name = "list",
			.usage = "[options]",
			.summary = "the Go processes of this host, and which can be watched",
			.about = "Lists the Go processes of this host with their goroutines, Go "
				 "version, module and kind of build, and says which of them gleakd "
				 "can watch. Needs no privilege for your own processes, unless the "
				 "kernel restricts that.",
		},
};

#define WATCH (1u << COMMAND_WATCH)
#define LIST  (1u << COMMAND_LIST)
#define EVERY (WATCH | LIST)

static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const finding_words[] = {"leaking", "stuck", NULL};
static const char *const mode_words[] = {"auto", "full", "lifecycle", "census", NULL};

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* include/linux/threads.h: PID_MAX_LIMIT on 64 bits. */
#define PID_LIMIT (4ULL << 20)

/* Longer ones are not looked at (session/allow_list.c). */
#define SITE_LIMIT 512

#define FIELD(name) offsetof(struct options, name)

const struct option_spec option_specs[] = {
	{"pid", 'p', OPTION_PID, WATCH, FIELD(pid), .min = 1, .max = PID_LIMIT, .metavar = "N",
	 .help = "the Go process to watch"},
	{"min-age", 0, OPTION_DURATION, WATCH, FIELD(min_age_ns), .min = 100 * NSEC_PER_MSEC,
	 .max = DAY, .fallback = "10s", .metavar = "TIME",
	 .help = "a goroutine counts as staying once it has been parked this long"},
	{"interval", 0, OPTION_DURATION, WATCH, FIELD(interval_ns), .min = 100 * NSEC_PER_MSEC,
	 .max = HOUR, .fallback = "2s", .metavar = "TIME",
	 .help = "time from one census and report to the next"},
	{"duration", 0, OPTION_DURATION, WATCH, FIELD(duration_ns), .min = 100 * NSEC_PER_MSEC,
	 .max = 365 * DAY, .metavar = "TIME",
	 .help = "end after this time (default: when interrupted)"},
	{"once", 0, OPTION_FLAG, WATCH, FIELD(once), .help = "one census, one report, then end"},
	{"goroutines", 0, OPTION_FLAG, WATCH, FIELD(goroutines),
	 .help = "with --once: every goroutine, as the runtime's own dump lists them"},
	{"mode", 0, OPTION_CHOICE, WATCH, FIELD(mode), .choices = mode_words, .fallback = "auto",
	 .metavar = "MODE",
	 .help = "what to attach: full (creation, exit, park), lifecycle (creation, exit), "
		 "census (nothing), auto (the best that works)"},
	{"json", 0, OPTION_FLAG, WATCH, FIELD(json),
	 .help = "one JSON object per line and interval (docs/schema.md)"},
	{"json", 0, OPTION_FLAG, LIST, FIELD(json), .help = "one JSON object (docs/schema.md)"},
	{"verbose", 'v', OPTION_COUNT, WATCH, FIELD(verbose),
	 .help = "whole park stacks; twice: what gleakd itself is doing"},
	{"verbose", 'v', OPTION_COUNT, LIST, FIELD(verbose),
	 .help = "the path of each executable, too"},
	{"all", 0, OPTION_FLAG, WATCH, FIELD(all), .help = "every site, not only the first few"},
	{"explain", 0, OPTION_STRING, WATCH, FIELD(explain), .min = 1, .max = SITE_LIMIT,
	 .metavar = "SITE",
	 .help = "instead of the table, all that is known of one site: its id (4 digits do), or a "
		 "pattern of a function or file:line"},
	{"allow", 0, OPTION_PATH, WATCH, FIELD(allow), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE",
	 .help = "do not flag known cases: on each line a pattern of a function or file:line, and "
		 "the reason"},
	{"state", 0, OPTION_PATH, WATCH, FIELD(state), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE",
	 .help = "go on from what FILE remembers of the process, and keep it there"},
	{"textfile", 0, OPTION_PATH, WATCH, FIELD(textfile), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE",
	 .help = "write metrics there at each report, for Prometheus' node_exporter "
		 "(docs/metrics.md); its name has to end in .prom"},
	{"fail-on", 0, OPTION_WORDS, WATCH, FIELD(fail_on), .choices = finding_words,
	 .fallback = "leaking,stuck", .metavar = "WORDS",
	 .help = "what counts for --error-exitcode: leaking, stuck, or both with a comma"},
	{"error-exitcode", 0, OPTION_EXIT_CODE, WATCH, FIELD(error_exitcode), .min = 1, .max = 255,
	 .metavar = "N",
	 .help = "exit with N when the last report flags something (default: findings do not "
		 "change the exit status)"},
	{"json-schema", 0, OPTION_FLAG, WATCH, FIELD(json_schema),
	 .help = "print the JSON Schema of what --json prints, then end"},
	{"color", 0, OPTION_CHOICE, EVERY, FIELD(color), .choices = color_words, .fallback = "auto",
	 .metavar = "WHEN", .help = "auto (on a terminal, unless NO_COLOR is set), always, never"},
	{"ring-bytes", 0, OPTION_SIZE, WATCH, FIELD(ring_bytes), .min = 4096, .max = 1ULL << 30,
	 .metavar = "N", .help = "size of the ring buffer, a power of two", .hidden = true},
	{"help", 'h', OPTION_FLAG, EVERY, FIELD(help), .help = "this text"},
	{"version", 'V', OPTION_FLAG, EVERY, FIELD(version), .help = "the version"},
};

_Static_assert(ARRAY_SIZE(option_specs) <= OPTIONS_MAX, "parsers count on it");
const size_t n_option_specs = ARRAY_SIZE(option_specs);

bool option_spec__belongs(const struct option_spec *spec, enum command command)
{
	return spec->commands & 1u << command;
}

bool option_spec__takes_value(const struct option_spec *spec)
{
	return spec->type != OPTION_FLAG && spec->type != OPTION_COUNT;
}
