/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_OPTIONS_H
#define GLEAKD_CLI_OPTIONS_H

/*
 * Commands, and options as one typed table: parsing, range checks, --help, the config file, man pages
 * and completions come from it. Each option says which commands take it.
 */
#include <stdio.h>
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"
#include "output/report.h"

enum command {
	COMMAND_WATCH, /* also without a word: all Go processes, or those that are named */
	COMMAND_RUN,
	COMMAND_TOP,
	COMMAND_LIST,
	COMMAND_DUMP,
	COMMAND_PROVE,
	COMMAND_HEAP,
	COMMAND_HOLDERS,
	COMMAND_RESOURCES,
	COMMAND_RECORD,
	COMMAND_REPORT,
	COMMAND_DIFF,
	COMMAND_DOCTOR,
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_COUNT,
};

enum color_choice {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
};

/* For --mode beside those of enum probe_mode: as PROBE_MODE_FULL. */
#define MODE_AUTO PROBE_MODE_COUNT

/* Read when all processes of the host are watched, if it exists. */
#define CONFIG_PATH "/etc/gleakd/gleakd.conf"

/* Values of an option that may be given several times. */
#define OPTION_LIST_MAX 64

struct option_list {
	const char *items[OPTION_LIST_MAX];
	unsigned int n;
};

/* Bits of fail_on, in the order of the words. */
enum finding {
	FINDING_LEAKING = 1 << 0,
	FINDING_STUCK = 1 << 1,
	FINDING_GROWING = 1 << 2,
	FINDING_SUSPECTED = 1 << 3,
	FINDING_MEMORY = 1 << 4, /* not of gleakd prove */
};

/* Of COMMAND_DUMP: which goroutines (output/goroutine_filter.h), and how. */
struct dump_options {
	unsigned int states; /* 1 << enum goroutine_state; 0: any */
	const char *reason, *func;
	uint64_t min_age_ns;
	struct option_list labels, goids;
	bool folded;
};

/* In the order of the words; a watch has those before FORMAT_PPROF. */
enum report_format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_JUNIT,
	FORMAT_GITHUB,
	FORMAT_PPROF,
	FORMAT_FOLDED,
	FORMAT_HTML,
	FORMAT_PERFETTO,
};

/* When it is watched who opens things. */
enum probe_opens {
	PROBE_OPENS_AUTO, /* while it is not known of what grows */
	PROBE_OPENS_ALWAYS,
	PROBE_OPENS_NEVER,
};

/* Texts are those of argv, or of the config file that was read. */
struct options {
	enum command command;
	bool command_named;	      /* its name was typed */
	const char *topic;	      /* of COMMAND_HELP; NULL: gleakd as a whole */
	struct option_list processes; /* numbers and names; none: all Go processes of the host */
	uint64_t min_age_ns;
	uint64_t interval_ns;
	uint64_t duration_ns; /* 0: until interrupted */
	bool once;
	bool goroutines;
	bool json;
	unsigned int verbose;
	bool all;
	const char *explain; /* a site, as in output/site_pattern.h; NULL: the table of all */
	const char *site;    /* likewise, of COMMAND_HOLDERS, as are the next */
	const char *goroutine, *object, *type;
	const char *allow;	     /* file; NULL: none */
	const char *state;	     /* file; NULL: none */
	const char *textfile;	     /* likewise */
	const char *evidence;	     /* folder; NULL: none */
	unsigned int max_evidence;   /* in it, of one finding each */
	uint64_t max_evidence_size;  /* bytes of all of them */
	struct option_list triggers; /* cli/trigger.h; none: leaking and stuck */
	unsigned int fail_on;	     /* enum finding */
	unsigned int error_exitcode; /* 0: findings do not change the exit status */
	bool json_schema;
	enum color_choice color;
	unsigned int mode;   /* enum probe_mode, or MODE_AUTO */
	double max_overhead; /* share of the target's CPU time and of one core; 0: no limit */
	bool no_heap;
	bool resources; /* of a host: also what processes have open */
	struct dump_options dump;
	uint64_t max_stop_ns;
	double max_self_cpu; /* share of one core; 0: no limit */
	uint64_t max_memory; /* bytes */
	unsigned int max_targets;
	uint64_t min_process_age_ns;
	struct option_list exclude, only; /* "kind:glob", or a glob of comm or base name of exe */
	enum report_group group_by;
	enum report_alloc_order alloc_order;
	enum report_alloc_by alloc_by;
	double alloc_overhead; /* of watching allocations, or openings: share of the target's CPU time; 0: no limit */
	enum probe_opens probe_opens;
	bool exact;		  /* watch each allocation, all the time */
	const char *pprof;	  /* file; NULL: none */
	const char *html;	  /* likewise */
	struct option_list files; /* of COMMAND_REPORT: what it is about */
	const char *output;	  /* file; NULL: stdout, of COMMAND_RUN stderr */
	char *const *program; /* of COMMAND_RUN: with its arguments, NULL at the end; NULL: none */
	const char *user;     /* that it runs as; NULL: who asks for it */
	const char *source;   /* folder with the source code; NULL: none */
	uint64_t max_size;    /* of a recording, bytes */
	uint64_t min_park_ns; /* that are recorded one by one */
	unsigned int format;  /* enum report_format */
	bool contention;      /* in that, where goroutines wait for others */
	const char *with_trace; /* file; NULL: none */
	bool memory;		/* in that, where it is allocated and not goroutines */
	const char *config;	/* file; NULL: the usual one */
	bool print_config;
	uint32_t ring_bytes; /* hidden, for tests: 0 is the default */
	bool help;
	bool version;
	char *file_text; /* owned: the config file, which texts may be parts of; NULL: none */
};

/*
 * options__parse - the command, if the first argument is one; defaults, then @argv. -EINVAL on a
 * usage error: the failure says which option, what was wrong with it and what is accepted. Reads no
 * config file: see config__load().
 */
int options__parse(int argc, char **argv, struct options *ret_options,
		   struct failure *failure) __must_check;

/* options__by_who - whether it is to be told who allocates, for which probes are attached. */
bool options__by_who(const struct options *options);

/* options__free - what they own. Texts must not be used after it. */
void options__free(struct options *options);

/*
 * options__write_help - the help on @command to @out, from the tables. @brief: what fits a screen of 80 by
 * 24, the most used options.
 */
void options__write_help(FILE *out, enum command command, bool brief);

/* options__write_commands - what there is, a line each. */
void options__write_commands(FILE *out);

#endif /* GLEAKD_CLI_OPTIONS_H */
