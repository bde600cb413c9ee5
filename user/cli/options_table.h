/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_OPTIONS_TABLE_H
#define GLEAKD_CLI_OPTIONS_TABLE_H

/*
 * The table of options, for everything that is made of it: the parser, --help, the config file, man pages and
 * completions.
 */
#include "cli/options.h"

#define COMMAND_EXAMPLES 3

struct command_spec {
	const char *name;
	const char *usage; /* what follows the name */
	struct {
		const char *typed, *does;
	} examples[COMMAND_EXAMPLES]; /* --help begins with them */
	const char *summary;	      /* for the list of commands */
	const char *about;
	unsigned int max_words; /* arguments it takes that are no options */
	bool has_page;		/* a man page of its own, gleakd-NAME(8) */
};

extern const struct command_spec commands[COMMAND_COUNT];

/* command__find - the command called @word; false when there is none. */
bool command__find(const char *word, enum command *ret_command);

/* command__nearest - the name of the command that @word most likely meant; NULL when none is near. */
const char *command__nearest(const char *word);

enum option_type {
	OPTION_FLAG,	  /* bool: given or not */
	OPTION_COUNT,	  /* unsigned int: how many times given */
	OPTION_DURATION,  /* uint64_t nanoseconds */
	OPTION_CHOICE,	  /* enum: index of the word */
	OPTION_SIZE,	  /* uint32_t, a power of two */
	OPTION_STRING,	  /* const char *, min to max bytes */
	OPTION_PATH,	  /* the same, of a file */
	OPTION_TEXTFILE,  /* the same, by a name that node_exporter reads */
	OPTION_WORDS,	  /* unsigned int: 1 << index of each word in a list with commas */
	OPTION_NUMBER,	  /* unsigned int */
	OPTION_PERCENT,	  /* double, a share: 0.01 for "1%"; min and max in OPTION_PERCENT_UNITS */
	OPTION_BYTES,	  /* uint64_t */
	OPTION_PATTERNS,  /* struct option_list of patterns of processes; may be repeated */
	OPTION_TRIGGERS,  /* struct option_list of triggers (cli/trigger.h); may be repeated */
	OPTION_TEXTS,	  /* struct option_list of texts, min to max bytes; may be repeated */
	OPTION_PROCESSES, /* struct option_list of pids, min to max, and names; may be repeated */
};

/* A share of 1 in those: whole numbers of millionths, so that what is printed is what was read. */
#define OPTION_PERCENT_UNITS 1e6

enum option_flag {
	OPTION_HIDDEN = 1 << 0,	  /* not in --help */
	OPTION_IN_FILE = 1 << 1,  /* may stand in the config file */
	OPTION_FOR_HOST = 1 << 2, /* only for all processes of the host */
	OPTION_FOR_PID = 1 << 3,  /* only for processes that are named */
};

struct option_spec {
	const char *name;
	char short_name; /* 0: none */
	enum option_type type;
	unsigned int commands;	    /* that take it, 1 << COMMAND_* */
	unsigned int flags;	    /* enum option_flag */
	size_t offset;		    /* in struct options */
	uint64_t min, max;	    /* of a number, duration or length */
	const char *const *choices; /* NULL-terminated, in the order of the enum */
	const char *fallback;	    /* value when not given, as one would type it; NULL: zero */
	const char *pid_fallback;   /* the same with --pid, where that differs; NULL: it does not */
	const char *metavar;
	const char *help;
	const char *brief; /* in the short help: in few words; NULL: it is not there */
};

#define OPTIONS_MAX 112

extern const struct option_spec option_specs[];
extern const size_t n_option_specs; /* OPTIONS_MAX at most */

/* option_spec__find - the one called @name of @command; NULL when there is none. */
const struct option_spec *option_spec__find(const char *name, enum command command);

/*
 * option_spec__nearest - the name of @command's that was most likely meant, of those that are listed
 * and have all of @flags; NULL when none is near.
 */
const char *option_spec__nearest(const char *name, enum command command, unsigned int flags);

/* option_spec__is_listed - whether @command takes it, and --help shows it. */
bool option_spec__is_listed(const struct option_spec *spec, enum command command);
/* option_spec__belongs - whether @command takes it. */
bool option_spec__belongs(const struct option_spec *spec, enum command command);
bool option_spec__takes_value(const struct option_spec *spec);
/* option_spec__is_list - whether its field is a struct option_list: what is given adds up. */
bool option_spec__is_list(const struct option_spec *spec);

/*
 * option_spec__set - its field of @options, from @text as one would type it; NULL for an option
 * without a value. -EINVAL in words.
 */
int option_spec__set(const struct option_spec *spec, struct options *options, const char *text,
		     struct failure *failure) __must_check;

/* Which options were given, by index. */
struct options_given {
	bool at[OPTIONS_MAX];
};

/* options__set_fallbacks - what holds when nothing is given. */
int options__set_fallbacks(struct options *options, struct failure *failure) __must_check;

/*
 * options__parse_over - as options__parse(), over what @options has from a config file: what the
 * command line gives replaces that. @given has what the file gave. May change @options on failure.
 */
int options__parse_over(int argc, char **argv, struct options *options,
			const struct options_given *in_file, struct failure *failure) __must_check;

#endif /* GLEAKD_CLI_OPTIONS_TABLE_H */
