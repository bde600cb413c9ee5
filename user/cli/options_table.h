/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_OPTIONS_TABLE_H
#define GLEAKD_CLI_OPTIONS_TABLE_H

/*
 * The table of options, for those who read it: the parser and --help now, a config file, man page and
 * completions later.
 */
#include "cli/options.h"

struct command_spec {
	const char *name;    /* "": what gleakd does without a command */
	const char *usage;   /* what follows that */
	const char *summary; /* for the list of commands */
	const char *about;
};

extern const struct command_spec commands[COMMAND_COUNT];

enum option_type {
	OPTION_FLAG,	  /* bool: given or not */
	OPTION_COUNT,	  /* unsigned int: how many times given */
	OPTION_PID,	  /* pid_t */
	OPTION_DURATION,  /* uint64_t nanoseconds */
	OPTION_CHOICE,	  /* enum: index of the word */
	OPTION_SIZE,	  /* uint32_t, a power of two */
	OPTION_STRING,	  /* const char *, min to max bytes */
	OPTION_PATH,	  /* the same, of a file */
	OPTION_WORDS,	  /* unsigned int: 1 << index of each word in a list with commas */
	OPTION_EXIT_CODE, /* unsigned int, 1 to 255 */
};

struct option_spec {
	const char *name;
	char short_name; /* 0: none */
	enum option_type type;
	unsigned int commands;	    /* that take it, 1 << COMMAND_* */
	size_t offset;		    /* in struct options */
	uint64_t min, max;	    /* of a number, duration or length */
	const char *const *choices; /* NULL-terminated, in the order of the enum */
	const char *fallback;	    /* value when not given, as one would type it; NULL: zero */
	const char *metavar;
	const char *help;
	bool hidden;
};

#define OPTIONS_MAX 64

extern const struct option_spec option_specs[];
extern const size_t n_option_specs; /* OPTIONS_MAX at most */

/* option_spec__belongs - whether @command takes it. */
bool option_spec__belongs(const struct option_spec *spec, enum command command);
bool option_spec__takes_value(const struct option_spec *spec);

/*
 * option_spec__set - its field of @options, from @text as one would type it; NULL for an option
 * without a value. -EINVAL in words.
 */
int option_spec__set(const struct option_spec *spec, struct options *options, const char *text,
		     struct failure *failure) __must_check;

#endif /* GLEAKD_CLI_OPTIONS_TABLE_H */
