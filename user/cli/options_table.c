// SPDX-License-Identifier: Apache-2.0
#include "cli/edit_distance.h"
#include "cli/options_table.h"
#include "host/evidence_store.h"

#include <limits.h>
#include <string.h>

#define WATCH	  (1u << COMMAND_WATCH)
#define RUN	  (1u << COMMAND_RUN)
#define TOP	  (1u << COMMAND_TOP)
#define LIST	  (1u << COMMAND_LIST)
#define DUMP	  (1u << COMMAND_DUMP)
#define PROVE	  (1u << COMMAND_PROVE)
#define HEAP	  (1u << COMMAND_HEAP)
#define HOLDERS	  (1u << COMMAND_HOLDERS)
#define RESOURCES (1u << COMMAND_RESOURCES)
#define RECORD	  (1u << COMMAND_RECORD)
#define REPORT	  (1u << COMMAND_REPORT)
#define DIFF	  (1u << COMMAND_DIFF)
#define DOCTOR	  (1u << COMMAND_DOCTOR)
#define HELP	  (1u << COMMAND_HELP)
#define EVERY                                                                                     \
	(WATCH | RUN | TOP | LIST | DUMP | PROVE | HEAP | HOLDERS | RESOURCES | RECORD | REPORT | \
	 DIFF | DOCTOR | HELP | 1u << COMMAND_VERSION)

static const char *const color_words[] = {"auto", "always", "never", NULL};
static const char *const group_words[] = {"exe", "comm", "unit", "container", "pid", NULL};
static const char *const finding_words[] = {"leaking", "stuck", "growing", "suspected", NULL};
static const char *const watch_words[] = {"leaking",   "stuck",	 "growing",
					  "suspected", "memory", NULL};
/* enum report_alloc_order */
static const char *const alloc_words[] = {"in_use_bytes",  "in_use_objects", "alloc_bytes",
					  "alloc_objects", "growth",	     NULL};
/* enum report_alloc_by */
static const char *const by_words[] = {"all",	    "site",	"type",	 "holder",
				       "goroutine", "creation", "label", NULL};
/* In the order of enum probe_opens. */
static const char *const probe_opens_words[] = {"auto", "always", "never", NULL};
/* In the order of enum goroutine_state. */
static const char *const state_words[] = {"waiting", "running", "runnable", "syscall", NULL};
static const char *const format_words[] = {"text",   "json", "junit",	 "github", "pprof",
					   "folded", "html", "perfetto", NULL};
static const char *const watch_format_words[] = {"text", "json", "junit", "github", NULL};
static const char *const mode_words[] = {"census", "lifecycle", "full", "waits", "auto", NULL};

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* include/linux/threads.h: PID_MAX_LIMIT on 64 bits. */
#define PID_LIMIT (4ULL << 20)

/* Longer ones are not looked at (naming/allow_list.c). */
#define SITE_LIMIT 512

/* Names are cut there (heap/types/types.h HEAP_MAX_TYPE_NAME). */
#define TYPE_LIMIT 400

/* Of OPTION_PERCENT_UNITS. */
#define PERCENT 10000ULL

#define MIB (1ULL << 20)

/* No control group's path, nor an executable's, is longer. */
#define PATTERN_LIMIT (PATH_MAX - 1)

/* A process that is followed has its own table of goroutines and, mostly, a ring buffer. */
#define TARGETS_LIMIT 1024

#define FIELD(name) offsetof(struct options, name)

const struct option_spec option_specs[] = {
	{"pid", 'p', OPTION_PROCESSES, WATCH | TOP, .offset = FIELD(processes), .min = 1,
	 .max = PID_LIMIT, .metavar = "N|NAME", .brief = "the Go process to watch; may be repeated",
	 .help = "the Go process to watch: its number, or the name of process, executable, systemd "
		 "unit or container; may be repeated (default: all of this host)"},
	{"pid", 'p', OPTION_PROCESSES, DUMP | PROVE | HEAP | HOLDERS | RESOURCES | RECORD,
	 .offset = FIELD(processes), .min = 1, .max = PID_LIMIT, .metavar = "N|NAME",
	 .help = "the Go process to look at, by its number or a name, as for watching; may be "
		 "repeated"},
	{"min-age", 0, OPTION_DURATION, WATCH | RUN | TOP | PROVE | RECORD, OPTION_IN_FILE,
	 FIELD(min_age_ns), .min = 100 * NSEC_PER_MSEC, .max = DAY, .fallback = "10s",
	 .metavar = "TIME",
	 .help = "a goroutine counts as staying once it has been parked this long"},
	{"interval", 0, OPTION_DURATION, WATCH | RUN | TOP | RECORD, OPTION_IN_FILE,
	 FIELD(interval_ns), .min = 100 * NSEC_PER_MSEC, .max = HOUR, .fallback = "10s",
	 .pid_fallback = "2s", .metavar = "TIME",
	 .help = "time from one census and report to the next"},
	{"duration", 0, OPTION_DURATION, WATCH | TOP, .offset = FIELD(duration_ns),
	 .min = 100 * NSEC_PER_MSEC, .max = 365 * DAY, .metavar = "TIME",
	 .brief = "end after this time, as 30s, 5m, 1h30m",
	 .help = "end after this time (default: when interrupted)"},
	{"duration", 0, OPTION_DURATION, RUN, .offset = FIELD(duration_ns),
	 .min = 100 * NSEC_PER_MSEC, .max = 365 * DAY, .metavar = "TIME",
	 .brief = "end the program after this time, as 30s, 5m",
	 .help = "end the program, by SIGTERM, after this time; that it ends before is a failure "
		 "(default: until it ends)"},
	{"user", 0, OPTION_STRING, RUN, .offset = FIELD(user), .min = 1, .max = 63,
	 .metavar = "USER", .brief = "run the program as this user",
	 .help = "run the program as this user, by name or number (default: who has called sudo, else "
		 "who runs gleakd)"},
	{"report", 0, OPTION_PATH, RUN, .offset = FIELD(output), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE", .brief = "write the report to FILE, not to stderr",
	 .help = "write the report to FILE (default: to stderr, as stdout is the program's)"},
	{"report", 0, OPTION_PATH, WATCH, OPTION_FOR_PID, FIELD(output), .min = 1,
	 .max = PATH_MAX - 1, .metavar = "FILE",
	 .help = "write the last report to FILE instead of all of them to stdout"},
	{"duration", 0, OPTION_DURATION, HEAP | RESOURCES, .offset = FIELD(duration_ns),
	 .min = 100 * NSEC_PER_MSEC, .max = 365 * DAY, .metavar = "TIME",
	 .brief = "look several times within this time",
	 .help = "look several times within this time, and report each (default: one look)"},
	{"duration", 'd', OPTION_DURATION, RECORD, .offset = FIELD(duration_ns),
	 .min = 100 * NSEC_PER_MSEC, .max = 365 * DAY, .metavar = "TIME",
	 .brief = "end after this time, as 30s, 5m, 1h30m",
	 .help = "end after this time (default: when interrupted, or when the process ends)"},
	{"output", 'o', OPTION_PATH, RECORD, .offset = FIELD(output), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE", .brief = "the recording",
	 .help = "the file to record to, which must not exist yet: an SQLite database "
		 "(docs/recording.md)"},
	{"output", 'o', OPTION_PATH, REPORT, .offset = FIELD(output), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE", .brief = "write to FILE", .help = "write to FILE instead of stdout"},
	{"max-size", 0, OPTION_BYTES, RECORD, .offset = FIELD(max_size), .min = MIB,
	 .max = MIB << 20, .fallback = "2G", .metavar = "SIZE",
	 .brief = "the most that the file may take",
	 .help = "the most that the file may take; near it short lives are left out first, then "
		 "all lives, and what was left out is counted"},
	{"min-park", 0, OPTION_DURATION, RECORD, .offset = FIELD(min_park_ns), .min = NSEC_PER_MSEC,
	 .max = DAY, .fallback = "1s", .metavar = "TIME",
	 .help = "record parks one by one that last this long"},
	{"format", 'f', OPTION_CHOICE, RUN, .offset = FIELD(format), .choices = watch_format_words,
	 .fallback = "text", .metavar = "WHAT", .brief = "text, json, junit, github",
	 .help = "what the report is: text for people, json (docs/schema.md), junit as test systems "
		 "read results, github as annotations of a workflow (docs/ci.md)"},
	{"format", 'f', OPTION_CHOICE, WATCH, OPTION_FOR_PID, FIELD(format),
	 .choices = watch_format_words, .fallback = "text", .metavar = "WHAT",
	 .help = "what reports are: text, json as with --json; of the last report junit (XML as test "
		 "systems read it) or github (annotations of a workflow)"},
	{"format", 'f', OPTION_CHOICE, REPORT, .offset = FIELD(format), .choices = format_words,
	 .fallback = "text", .metavar = "WHAT",
	 .brief = "text, json, junit, github, pprof, html ...",
	 .help = "what to make of it: text for people, json as --json of a watch, junit and github for "
		 "CI, pprof for go tool pprof, folded for flame graphs, html for a browser, perfetto (of a recording) for ui.perfetto.dev"},
	{"memory", 0, OPTION_FLAG, REPORT, .offset = FIELD(memory),
	 .brief = "with pprof or folded: memory, not goroutines",
	 .help = "with --format pprof or folded: where memory is allocated and how much of it is in use, "
		 "instead of goroutines"},
	{"contention", 0, OPTION_FLAG, REPORT, .offset = FIELD(contention),
	 .brief = "with pprof: where goroutines wait for others",
	 .help = "with --format pprof: for how long goroutines have waited for locks, channels and the like, "
		 "as Go's own block profile has it, instead of how many there are"},
	{"with-trace", 0, OPTION_PATH, REPORT, .offset = FIELD(with_trace), .min = 1,
	 .max = PATH_MAX - 1, .metavar = "TRACE",
	 .brief = "with perfetto: Go's own trace beside it",
	 .help = "with --format perfetto of a recording: lay an execution trace (runtime/trace) over it "
		 "that the process has made of itself meanwhile; of Go 1.25 or later"},
	{"once", 0, OPTION_FLAG, WATCH, .offset = FIELD(once),
	 .brief = "one look, one report, then end",
	 .help = "one census of each process, one report, then end"},
	{"goroutines", 0, OPTION_FLAG, WATCH, OPTION_FOR_PID, FIELD(goroutines),
	 .help = "with --once: every goroutine, as the runtime's own dump lists them"},
	{"state", 0, OPTION_WORDS, DUMP, .offset = FIELD(dump.states), .choices = state_words,
	 .metavar = "WORDS",
	 .help = "only these, with commas: waiting, running, runnable, syscall"},
	{"reason", 0, OPTION_STRING, DUMP, .offset = FIELD(dump.reason), .min = 1,
	 .max = SITE_LIMIT, .metavar = "TEXT",
	 .help = "only those that wait for this: a part of \"chan receive\", or a pattern"},
	{"func", 0, OPTION_STRING, DUMP, .offset = FIELD(dump.func), .min = 1, .max = SITE_LIMIT,
	 .metavar = "FUNC",
	 .help = "only those with it in stack or creation: a part of a name, or a pattern of it or of file:line"},
	{"min-age", 0, OPTION_DURATION, DUMP, .offset = FIELD(dump.min_age_ns),
	 .min = NSEC_PER_MSEC, .max = 365 * DAY, .metavar = "TIME",
	 .help = "only those that wait for this long, as the runtime notes"},
	{"label", 0, OPTION_TEXTS, DUMP, .offset = FIELD(dump.labels), .min = 1, .max = SITE_LIMIT,
	 .metavar = "KEY[=TEXT]",
	 .help = "only those with this profiler label; TEXT may be a pattern; may be repeated"},
	{"goid", 0, OPTION_TEXTS, DUMP, .offset = FIELD(dump.goids), .min = 1, .max = SITE_LIMIT,
	 .metavar = "N[-N]", .help = "only those with these numbers; may be repeated"},
	{"folded", 0, OPTION_FLAG, DUMP, .offset = FIELD(dump.folded),
	 .help = "a line for each stack, with how many stand there, for flame graphs"},
	{"mode", 0, OPTION_CHOICE, WATCH | RUN | TOP | RECORD, OPTION_IN_FILE, FIELD(mode),
	 .choices = mode_words, .fallback = "auto", .metavar = "MODE",
	 .help = "the most that is attached: full (creation, exit, park), lifecycle (creation, exit), "
		 "census (nothing), waits (as full, and how long each wait for another goroutine lasts), "
		 "auto (as full); --max-overhead is kept in every mode"},
	{"max-overhead", 0, OPTION_PERCENT, WATCH | RUN | TOP | RECORD, OPTION_IN_FILE,
	 FIELD(max_overhead), .max = 100 * PERCENT, .fallback = "1%", .pid_fallback = "5%",
	 .metavar = "PERCENT",
	 .help = "what watching may cost a process, of its own CPU time and of one core; less is "
		 "attached when it would cost more; 0: no limit, whatever it costs"},
	{"max-self-cpu", 0, OPTION_PERCENT, WATCH | TOP, OPTION_IN_FILE | OPTION_FOR_HOST,
	 FIELD(max_self_cpu), .max = 100 * PERCENT, .fallback = "2%", .metavar = "PERCENT",
	 .help = "what gleakd itself may use of one core; it looks less often when it would use "
		 "more; 0: no limit"},
	{"no-heap", 0, OPTION_FLAG, WATCH | RUN | TOP | RECORD, OPTION_IN_FILE, FIELD(no_heap),
	 .help = "do not read the heap: neither to confirm that nothing leads to what goroutines wait "
		 "on, nor to tell where memory grows"},
	{"resources", 0, OPTION_FLAG, WATCH | TOP, OPTION_IN_FILE | OPTION_FOR_HOST,
	 FIELD(resources),
	 .help = "look at what processes have open as well, and at who holds it (docs/resources.md): one "
		 "after the other, for a tenth of --max-self-cpu"},
	{"max-stop", 0, OPTION_DURATION, PROVE, .offset = FIELD(max_stop_ns), .min = NSEC_PER_MSEC,
	 .max = MINUTE, .fallback = "100ms", .metavar = "TIME",
	 .brief = "stop the process for no longer than this",
	 .help = "how long the process may stand still at most; rather nothing is proven"},
	{"max-memory", 0, OPTION_BYTES, WATCH | TOP, OPTION_IN_FILE | OPTION_FOR_HOST,
	 FIELD(max_memory), .min = 16 * MIB, .max = MIB << 20, .fallback = "512M",
	 .metavar = "SIZE",
	 .help = "memory gleakd itself may use; further processes and goroutines are "
		 "counted only"},
	{"max-memory", 0, OPTION_BYTES, PROVE | HEAP | HOLDERS | RESOURCES | RECORD,
	 .offset = FIELD(max_memory), .min = 16 * MIB, .max = MIB << 20, .pid_fallback = "4G",
	 .metavar = "SIZE", .help = "memory gleakd may take for what it reads"},
	{"max-targets", 0, OPTION_NUMBER, WATCH | TOP, OPTION_IN_FILE | OPTION_FOR_HOST,
	 FIELD(max_targets), .min = 1, .max = TARGETS_LIMIT, .fallback = "512", .metavar = "N",
	 .help = "processes followed at one time"},
	{"min-process-age", 0, OPTION_DURATION, WATCH | TOP, OPTION_IN_FILE | OPTION_FOR_HOST,
	 FIELD(min_process_age_ns), .max = DAY, .fallback = "2s", .metavar = "TIME",
	 .help = "leave processes alone that have not lived this long"},
	{"only", 0, OPTION_PATTERNS, WATCH | TOP, OPTION_IN_FILE | OPTION_FOR_HOST, FIELD(only),
	 .min = 1, .max = PATTERN_LIMIT, .metavar = "PATTERN",
	 .help = "follow only processes that match: comm:GLOB, exe:GLOB, unit:GLOB, cgroup:GLOB, "
		 "user:NAME, or a GLOB of the name of process or executable; may be repeated"},
	{"exclude", 0, OPTION_PATTERNS, WATCH | TOP, OPTION_IN_FILE | OPTION_FOR_HOST,
	 FIELD(exclude), .min = 1, .max = PATTERN_LIMIT, .metavar = "PATTERN",
	 .help = "follow no process that matches, as with --only; may be repeated"},
	{"group-by", 0, OPTION_CHOICE, WATCH, OPTION_IN_FILE | OPTION_FOR_HOST, FIELD(group_by),
	 .choices = group_words, .fallback = "exe", .metavar = "WHAT",
	 .help = "what processes are counted together by in metrics: exe, comm, unit, container, "
		 "pid"},
	{"json", 0, OPTION_FLAG, WATCH | PROVE | HEAP | HOLDERS | RESOURCES, OPTION_IN_FILE,
	 FIELD(json), .brief = "for scripts",
	 .help = "one JSON object per line and interval (docs/schema.md)"},
	{"json", 0, OPTION_FLAG, LIST | DUMP | DIFF | DOCTOR, .offset = FIELD(json),
	 .help = "one JSON object (docs/schema.md)"},
	{"verbose", 'v', OPTION_COUNT, RESOURCES | RECORD, .offset = FIELD(verbose), .max = 2,
	 .help = "tell more; twice: what gleakd itself is doing"},
	{"verbose", 'v', OPTION_COUNT, WATCH | RUN | PROVE | HEAP | HOLDERS | REPORT,
	 OPTION_IN_FILE, FIELD(verbose), .max = 2, .brief = "whole stacks",
	 .help = "whole park stacks; twice: what gleakd itself is doing"},
	{"verbose", 'v', OPTION_COUNT, DUMP, .offset = FIELD(verbose), .max = 2,
	 .help = "every path and number in full; twice: what gleakd itself is doing"},
	{"all", 0, OPTION_FLAG, DUMP, .offset = FIELD(all),
	 .help = "the runtime's own goroutines, too"},
	{"verbose", 'v', OPTION_COUNT, LIST, .offset = FIELD(verbose),
	 .help = "the path of each executable, too"},
	{"pprof", 0, OPTION_PATH, DUMP, .offset = FIELD(pprof), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE", .help = "write a profile of them to FILE, for go tool pprof"},
	{"sort", 0, OPTION_CHOICE, HEAP, .offset = FIELD(alloc_order), .choices = alloc_words,
	 .fallback = "in_use_bytes", .metavar = "BY", .brief = "which places come first",
	 .help = "which of the places that allocate come first, those with most: in_use_bytes, "
		 "in_use_objects, alloc_bytes, alloc_objects, growth"},
	{"by", 0, OPTION_CHOICE, HEAP, .offset = FIELD(alloc_by), .choices = by_words,
	 .fallback = "all", .metavar = "WHAT",
	 .brief = "by site, type, holder, goroutine, creation, label",
	 .help = "what to tell memory apart by: site, type, holder; and with --duration, who "
		 "allocates meanwhile: goroutine, creation (the go statements they come from), "
		 "label (of the profiler, as pprof.Do sets)"},
	{"by", 0, OPTION_CHOICE, WATCH | TOP | RECORD, OPTION_FOR_PID, FIELD(alloc_by),
	 .choices = by_words, .fallback = "all", .metavar = "WHAT",
	 .help = "tell, too, who allocates memory: by goroutine, creation (the go statements they "
		 "come from), label (of the profiler, as pprof.Do sets), or type"},
	{"exact", 0, OPTION_FLAG, HEAP, .offset = FIELD(exact),
	 .brief = "every allocation, whatever that costs it",
	 .help = "with --duration: see every single allocation; the process becomes several times "
		 "slower for as long; what it will cost is said first"},
	{"max-overhead", 0, OPTION_PERCENT, HEAP, .offset = FIELD(alloc_overhead),
	 .max = 100 * PERCENT, .fallback = "1%", .metavar = "PERCENT",
	 .help = "what watching allocations may cost the process, of its own CPU time; they are "
		 "seen for shorter windows where it would be more; 0: no limit"},
	{"probe-opens", 0, OPTION_CHOICE, RESOURCES, .offset = FIELD(probe_opens),
	 .choices = probe_opens_words, .fallback = "auto", .metavar = "WHEN",
	 .brief = "see which calls open it: auto, always, never",
	 .help = "with --duration, see which calls open things, by probes: auto (until that is known of "
		 "what grows), always, never (nothing is attached)"},
	{"probe-opens", 0, OPTION_CHOICE, WATCH | TOP | RECORD, OPTION_FOR_PID, FIELD(probe_opens),
	 .choices = probe_opens_words, .fallback = "auto", .metavar = "WHEN",
	 .help = "see which calls open what grows, and how pools are used, by probes: auto (until that is "
		 "known), always, never"},
	{"max-overhead", 0, OPTION_PERCENT, RESOURCES, .offset = FIELD(alloc_overhead),
	 .max = 100 * PERCENT, .fallback = "1%", .metavar = "PERCENT",
	 .help = "what these probes may cost the process, of its own CPU time; they are attached for "
		 "shorter windows where it would be more; 0: no limit"},
	{"pprof", 0, OPTION_PATH, HEAP, .offset = FIELD(pprof), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE", .brief = "where it allocates, for go tool pprof",
	 .help = "write where it allocates to FILE, as a profile for go tool pprof; of one process"},
	{"all", 0, OPTION_FLAG, HEAP, .offset = FIELD(all),
	 .help = "every type, holder and place that allocates"},
	{"all", 0, OPTION_FLAG, RESOURCES, .offset = FIELD(all),
	 .help = "every place where something is open, not only the first few"},
	{"all", 0, OPTION_FLAG, HOLDERS, .offset = FIELD(all),
	 .help = "every way, not only the first few"},
	{"all", 0, OPTION_FLAG, WATCH | RUN | PROVE | REPORT, OPTION_IN_FILE, FIELD(all),
	 .help = "every site, not only the first few"},
	{"explain", 0, OPTION_STRING, WATCH, OPTION_FOR_PID, FIELD(explain), .min = 1,
	 .max = SITE_LIMIT, .metavar = "SITE", .brief = "all that is known of one finding",
	 .help = "instead of the table, all that is known of one site: its id (4 digits do), a part of "
		 "a function's name, or a pattern of a function or file:line; what there is, if it "
		 "is not that"},
	{"type", 0, OPTION_STRING, HOLDERS, .offset = FIELD(type), .min = 1, .max = TYPE_LIMIT,
	 .metavar = "TYPE", .brief = "all live objects of this type",
	 .help = "all live objects of this type, as gleakd heap calls it: main.session"},
	{"goroutine", 0, OPTION_STRING, HOLDERS, .offset = FIELD(goroutine), .min = 1, .max = 20,
	 .metavar = "G", .brief = "what this goroutine waits on",
	 .help = "what the goroutine of this number waits on: a channel, lock, WaitGroup or Cond"},
	{"site", 0, OPTION_STRING, HOLDERS, .offset = FIELD(site), .min = 1, .max = SITE_LIMIT,
	 .metavar = "SITE", .brief = "what the goroutines of a finding wait on",
	 .help = "what the goroutines of one site wait on: its id (4 digits do), a part of a "
		 "function's name, or a pattern of a function or file:line"},
	{"object", 0, OPTION_STRING, HOLDERS, .offset = FIELD(object), .min = 1, .max = 20,
	 .metavar = "ADDRESS", .brief = "the object at this address",
	 .help = "the object of the heap that is at this address, as 0xc000123456"},
	{"html", 0, OPTION_PATH, WATCH | RUN | PROVE | HEAP | RESOURCES, .offset = FIELD(html),
	 .min = 1, .max = PATH_MAX - 1, .metavar = "FILE", .brief = "at the end, a page to look at",
	 .help = "write all of it to FILE at the end, as a page for a browser"},
	{"source", 0, OPTION_PATH, WATCH | RUN | PROVE | REPORT, .offset = FIELD(source), .min = 1,
	 .max = PATH_MAX - 1, .metavar = "DIR",
	 .help = "show the lines of code that findings are about, from the source code in DIR; / for the "
		 "paths that the binary has"},
	{"allow", 0, OPTION_PATH, WATCH | RUN | TOP | PROVE | RECORD | HEAP, OPTION_IN_FILE,
	 FIELD(allow), .min = 1, .max = PATH_MAX - 1, .metavar = "FILE",
	 .help = "do not flag known cases: on each line a pattern of a function or file:line, and "
		 "the reason"},
	{"state", 0, OPTION_PATH, WATCH, OPTION_IN_FILE, FIELD(state), .min = 1,
	 .max = PATH_MAX - 1, .metavar = "FILE",
	 .help = "go on from what FILE remembers of the processes, and keep it there"},
	{"evidence", 0, OPTION_PATH, WATCH, OPTION_IN_FILE, FIELD(evidence), .min = 1,
	 .max = PATH_MAX - 1, .metavar = "DIR",
	 .help = "when goroutines are found to leak or to be stuck, keep in a folder of DIR what is known "
		 "then: report, goroutines, profile, heap"},
	{"max-evidence", 0, OPTION_NUMBER, WATCH, OPTION_IN_FILE, FIELD(max_evidence), .min = 1,
	 .max = EVIDENCE_MAX_ITEMS, .fallback = "100", .metavar = "N",
	 .help = "the most folders that --evidence keeps; the oldest go first"},
	{"max-evidence-size", 0, OPTION_BYTES, WATCH, OPTION_IN_FILE, FIELD(max_evidence_size),
	 .min = MIB, .max = MIB << 20, .fallback = "1G", .metavar = "SIZE",
	 .help = "the most that all of them take; the oldest go first"},
	{"trigger", 0, OPTION_TRIGGERS, WATCH, OPTION_IN_FILE, FIELD(triggers), .metavar = "WHAT",
	 .help = "what --evidence is kept of, in place of leaking and stuck: 'runnable>100ms for 10s', "
		 "'in_call>30s', 'goroutines>50000', 'threads>500', 'heap_live>2G', 'resident>4G', "
		 "leaking, stuck, growing; may be repeated"},
	{"textfile", 0, OPTION_TEXTFILE, WATCH, OPTION_IN_FILE, FIELD(textfile), .min = 1,
	 .max = PATH_MAX - 1, .metavar = "FILE",
	 .help = "write metrics there at each report, for Prometheus' node_exporter "
		 "(docs/metrics.md); its name has to end in .prom"},
	{"textfile", 0, OPTION_TEXTFILE, DOCTOR, .offset = FIELD(textfile), .min = 1,
	 .max = PATH_MAX - 1, .metavar = "FILE",
	 .help = "find out as well whether metrics can be written to FILE"},
	{"fail-on", 0, OPTION_WORDS, WATCH, .offset = FIELD(fail_on), .choices = watch_words,
	 .fallback = "leaking,stuck", .metavar = "WORDS",
	 .help = "what counts for --error-exitcode: leaking, stuck, growing, suspected (goroutines), "
		 "memory (a place that allocates is growing), or several with commas"},
	{"fail-on", 0, OPTION_WORDS, RUN, .offset = FIELD(fail_on), .choices = watch_words,
	 .fallback = "leaking,stuck", .metavar = "WORDS", .brief = "what counts as found",
	 .help = "what makes the run fail: leaking, stuck, growing, suspected (goroutines), memory (a "
		 "place that allocates is growing), or several with commas"},
	{"fail-on", 0, OPTION_WORDS, PROVE, .offset = FIELD(fail_on), .choices = finding_words,
	 .fallback = "leaking,stuck", .metavar = "WORDS",
	 .help = "what counts for --error-exitcode: leaking, stuck, growing, suspected, or several "
		 "with commas"},
	{"error-exitcode", 0, OPTION_NUMBER, WATCH | PROVE, .offset = FIELD(error_exitcode),
	 .min = 1, .max = 255, .metavar = "N",
	 .brief = "exit with N when something leaks or is stuck",
	 .help = "exit with N when the last report shows what --fail-on is about, and with 5 when "
		 "nothing could be judged (default: findings do not change the exit status)"},
	{"error-exitcode", 0, OPTION_NUMBER, RUN, .offset = FIELD(error_exitcode), .min = 1,
	 .max = 255, .metavar = "N",
	 .help = "exit with N when the report shows what --fail-on is about (default: 10)"},
	{"error-exitcode", 0, OPTION_NUMBER, HEAP, .offset = FIELD(error_exitcode), .min = 1,
	 .max = 255, .metavar = "N",
	 .help = "exit with N when a place that allocates is growing, and with 5 when that could not "
		 "be judged (default: it does not change the exit status)"},
	{"error-exitcode", 0, OPTION_NUMBER, DIFF, .offset = FIELD(error_exitcode), .min = 1,
	 .max = 255, .metavar = "N", .brief = "exit with N when something is worse",
	 .help = "exit with N when a site is leaking or stuck that was not before or has more "
		 "goroutines than before, or a place that allocates is growing that was not "
		 "(default: differences do not change the exit status)"},
	{"json-schema", 0, OPTION_FLAG, WATCH, .offset = FIELD(json_schema),
	 .help = "print the JSON Schema of what --json prints, then end"},
	{"config", 0, OPTION_PATH, WATCH, .offset = FIELD(config), .min = 1, .max = PATH_MAX - 1,
	 .metavar = "FILE",
	 .help = "read options from FILE; the command line wins (default: " CONFIG_PATH
		 " if there is one; for chosen processes none)"},
	{"print-config", 0, OPTION_FLAG, WATCH, .offset = FIELD(print_config),
	 .help = "print what would be in force, as a config file, then end"},
	{"color", 0, OPTION_CHOICE,
	 WATCH | RUN | TOP | LIST | DUMP | PROVE | HEAP | HOLDERS | RESOURCES | REPORT | DIFF |
		 DOCTOR,
	 OPTION_IN_FILE, FIELD(color), .choices = color_words, .fallback = "auto",
	 .metavar = "WHEN",
	 .help = "when to use colors: always, never, auto (on a terminal; NO_COLOR, CLICOLOR_FORCE)"},
	{"ring-bytes", 0, OPTION_SIZE, WATCH, OPTION_HIDDEN, FIELD(ring_bytes), .min = 4096,
	 .max = 1ULL << 30, .metavar = "N", .help = "size of the ring buffer, a power of two"},
	{"help", 'h', OPTION_FLAG, EVERY, .offset = FIELD(help),
	 .help = "print what there is to choose from, then end"},
	{"version", 'V', OPTION_FLAG, EVERY, .offset = FIELD(version),
	 .help = "print the version, then end"},
};

_Static_assert(ARRAY_SIZE(option_specs) <= OPTIONS_MAX, "parsers count on it");
const size_t n_option_specs = ARRAY_SIZE(option_specs);

bool option_spec__belongs(const struct option_spec *spec, enum command command)
{
	return spec->commands & 1u << command;
}

bool option_spec__is_listed(const struct option_spec *spec, enum command command)
{
	return option_spec__belongs(spec, command) && !(spec->flags & OPTION_HIDDEN);
}

bool option_spec__takes_value(const struct option_spec *spec)
{
	return spec->type != OPTION_FLAG && spec->type != OPTION_COUNT;
}

bool option_spec__is_list(const struct option_spec *spec)
{
	return spec->type == OPTION_PATTERNS || spec->type == OPTION_TEXTS ||
	       spec->type == OPTION_TRIGGERS || spec->type == OPTION_PROCESSES;
}

const struct option_spec *option_spec__find(const char *name, enum command command)
{
	for (size_t i = 0; i < n_option_specs; i++) {
		if (option_spec__belongs(&option_specs[i], command) &&
		    strcmp(option_specs[i].name, name) == 0)
			return &option_specs[i];
	}
	return NULL;
}

const char *option_spec__nearest(const char *name, enum command command, unsigned int flags)
{
	const char *best = NULL;
	size_t best_distance = EDIT_DISTANCE_FAR;

	for (size_t i = 0; i < n_option_specs; i++) {
		size_t d = best_distance;

		if (option_spec__is_listed(&option_specs[i], command) &&
		    (option_specs[i].flags & flags) == flags)
			d = edit_distance(name, option_specs[i].name);

		if (d < best_distance) {
			best_distance = d;
			best = option_specs[i].name;
		}
	}
	return best;
}
