// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/read.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/options_table.h"
#include "host/access.h"

/* --- what is wrong ------------------------------------------------------------------------------ */

/* Parts of the file are shown, on a terminal maybe. */
static void copy_printable(const char *text, char *out, size_t size)
{
	size_t used = 0;

	while (*text) {
		uint32_t code;
		size_t length = utf8__decode(text, &code);
		bool fine = code && utf8__printable(code);
		size_t taken = fine ? length : strlen(UTF8_REPLACEMENT_STR);

		if (used + taken + 1 > size)
			break;
		memcpy(out + used, fine ? text : UTF8_REPLACEMENT_STR, taken);
		used += taken;
		text += length;
	}
	out[used] = '\0';
}

static int complain(struct config_errors *errors, int err, const char *fmt, ...) __printf_fmt(3, 4);

static int complain(struct config_errors *errors, int err, const char *fmt, ...)
{
	char text[sizeof(errors->text[0])];
	va_list ap;

	if (errors->n < CONFIG_MAX_ERRORS) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		copy_printable(text, errors->text[errors->n], sizeof(text));
	}
	errors->n++;
	return err;
}

void config_errors__log(const struct config_errors *errors)
{
	for (unsigned int i = 0; i < min_of(errors->n, (unsigned int)CONFIG_MAX_ERRORS); i++)
		log_error("%s", errors->text[i]);
	if (errors->n > CONFIG_MAX_ERRORS)
		log_error("and %u more", errors->n - CONFIG_MAX_ERRORS);
}

/* --- one line ----------------------------------------------------------------------------------- */

struct reader {
	const char *path;
	struct options *options;
	struct options_given *given;
	struct config_errors *errors;
	unsigned int line;
	unsigned int first[OPTIONS_MAX]; /* line that gave it; 0: none yet */
};

#define at_line(reader, fmt, ...)                                                              \
	complain((reader)->errors, -EINVAL, "%.300s:%u: " fmt, (reader)->path, (reader)->line, \
		 ##__VA_ARGS__)

static char *trim(char *text)
{
	size_t length;

	while (text__is_blank(*text))
		text++;
	length = strlen(text);
	while (length && text__is_blank(text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

/* At the beginning or after a blank: "a#b" is a value. */
static void cut_comment(char *text)
{
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '#' && (i == 0 || text__is_blank(text[i - 1]))) {
			text[i] = '\0';
			return;
		}
	}
}

/* The value of two hexadecimal digits in either case; -1 when they are none. */
static int hex_byte(const char *digits)
{
	int high = text__hex_digit((char)tolower((unsigned char)digits[0]));
	int low = high < 0 ? -1 : text__hex_digit((char)tolower((unsigned char)digits[1]));

	return low < 0 ? -1 : high << 4 | low;
}

/* What stands in quotes, in place; what is wrong with it, or NULL. */
static const char *unquote(char *text)
{
	char *in = text + 1, *out = text;
	int byte;

	while (*in != '"') {
		if (!*in)
			return "the closing quote is missing";
		if (*in != '\\') {
			*out++ = *in++;
			continue;
		}
		if (in[1] == '\\' || in[1] == '"') {
			*out++ = in[1];
			in += 2;
			continue;
		}
		byte = in[1] == 'x' ? hex_byte(in + 2) : -1;
		if (byte <= 0)
			return "a backslash in quotes is \\\\, \\\" or \\x and two hexadecimal "
			       "digits that are not 00";
		*out++ = (char)byte;
		in += 4;
	}
	cut_comment(++in);
	*out = '\0';
	return *trim(in) ? "nothing but a comment may follow the closing quote" : NULL;
}

/* The option called @name that a file may set; complains of others. */
static const struct option_spec *find_spec(const struct reader *reader, const char *name)
{
	const struct option_spec *spec = option_spec__find(name, COMMAND_WATCH);
	const char *meant;

	if (spec && spec->flags & OPTION_IN_FILE)
		return spec;
	if (spec && !(spec->flags & OPTION_HIDDEN)) {
		at_line(reader, "'%s' is for the command line only: gleakd --%s", name, name);
		return NULL;
	}
	meant = option_spec__nearest(name + strspn(name, "-"), COMMAND_WATCH, OPTION_IN_FILE);
	if (meant)
		at_line(reader, "unknown name '%.80s'; did you mean '%s'?", name, meant);
	else
		at_line(reader, "unknown name '%.80s'; gleakd --print-config lists all of them",
			name);
	return NULL;
}

static int set_flag(const struct option_spec *spec, struct options *options, const char *text,
		    struct failure *failure)
{
	void *field = (char *)options + spec->offset;

	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return failure__set(failure, -EINVAL, "--%s: '%.80s' is neither true nor false",
				    spec->name, text);
	*(bool *)field = strcmp(text, "true") == 0;
	return 0;
}

static int set_count(const struct option_spec *spec, struct options *options, const char *text,
		     struct failure *failure)
{
	void *field = (char *)options + spec->offset;

	if (text[0] < '0' || text[0] > '9' || text[1] || (uint64_t)(text[0] - '0') > spec->max)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is not a number between 0 and %u", spec->name,
				    text, (unsigned int)spec->max);
	*(unsigned int *)field = (unsigned int)(text[0] - '0');
	return 0;
}

static int set(struct reader *reader, const struct option_spec *spec, const char *value)
{
	struct failure failure = {""};
	const char *text = failure.text;
	int err;

	if (spec->type == OPTION_FLAG)
		err = set_flag(spec, reader->options, value, &failure);
	else if (spec->type == OPTION_COUNT)
		err = set_count(spec, reader->options, value, &failure);
	else
		err = option_spec__set(spec, reader->options, value, &failure);
	/* Names have no dashes here. */
	if (err)
		at_line(reader, "%s", text + (strncmp(text, "--", 2) ? 0 : 2));
	return err;
}

/* @line is a string, without what ends it. */
static int read_line(struct reader *reader, char *line)
{
	const struct option_spec *spec;
	char *name = trim(line), *value;
	const char *fault = NULL;
	size_t i;

	if (!*name || *name == '#')
		return 0;
	value = strchr(name, '=');
	if (!value)
		return at_line(reader, "'%.80s' is not 'name = value', as in: interval = 10s",
			       name);
	*value++ = '\0';
	name = trim(name);
	spec = find_spec(reader, name);
	if (!spec)
		return -EINVAL;
	i = (size_t)(spec - option_specs);
	if (reader->first[i] && !option_spec__is_list(spec))
		return at_line(reader, "%s: already given in line %u; keep one of them", name,
			       reader->first[i]);
	reader->first[i] = reader->line;
	reader->given->at[i] = true;
	value = trim(value);
	if (*value == '"') {
		fault = unquote(value);
	} else {
		cut_comment(value);
		trim(value);
	}
	return fault ? at_line(reader, "%s: %s", name, fault) : set(reader, spec, value);
}

/* --- all of it ---------------------------------------------------------------------------------- */

int config__parse(char *text, size_t length, const char *path, struct options *options,
		  struct options_given *given, struct config_errors *errors)
{
	static const char mark[] = "\xef\xbb\xbf"; /* editors on Windows put it first */
	struct reader reader = {.path = path, .options = options, .given = given, .errors = errors};
	char *end = text + length;
	int result = 0;

	if (length >= 3 && memcmp(text, mark, 3) == 0)
		text += 3;
	while (text < end) {
		char *line = text;
		char *stop = memchr(line, '\n', (size_t)(end - line));

		stop = stop ? stop : end;
		text = stop + 1;
		if (++reader.line > CONFIG_MAX_LINES)
			return at_line(&reader, "more than %d lines; is it the right file?",
				       CONFIG_MAX_LINES);
		*stop = '\0'; /* the last one is the caller's NUL */
		if (memchr(line, '\0', (size_t)(stop - line)))
			return at_line(&reader, "a NUL byte; the file is plain text in UTF-8");
		if (stop > line && stop[-1] == '\r')
			stop[-1] = '\0';
		if (read_line(&reader, line))
			result = -EINVAL;
	}
	return result;
}

static int check_file(int fd, const char *path, struct config_errors *errors)
{
	struct stat st;
	const char *fault = NULL;

	if (fstat(fd, &st))
		return complain(errors, -errno, "cannot look at %.300s: %s; check --config", path,
				strerror(errno));
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0; /* /dev/null: no file at all */
	if (!S_ISREG(st.st_mode))
		return complain(errors, -EINVAL,
				"the config file %.300s is not a regular file; write it to one",
				path);
	if (geteuid() != 0)
		return 0;
	if (st.st_uid != 0)
		fault = "its owner is not root";
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		fault = "its group or everybody may write it";
	if (!fault)
		return 0;
	return complain(
		errors, -EPERM,
		"the config file %.300s could be changed by others than root (%s), which would "
		"let them steer gleakd: chown root, chmod go-w",
		path, fault);
}

static ssize_t read_file(const char *path, char *buffer, struct config_errors *errors)
{
	/* O_NONBLOCK: opening a pipe would wait for a writer. O_NOCTTY: it may be a terminal. */
	int fd __cleanup_close = access__input(path, O_NONBLOCK | O_NOCTTY);
	ssize_t length;
	int err;

	if (fd < 0)
		return complain(errors, fd, "cannot read the config file %.300s: %s; %s", path,
				strerror(-fd),
				fd == -ENOENT ? "check --config" : "check its permissions");
	err = check_file(fd, path, errors);
	if (err)
		return err;
	length = read__whole(fd, buffer, CONFIG_MAX_BYTES + 1);
	if (length < 0)
		return complain(errors, (int)length,
				"cannot read the config file %.300s: %s; check --config", path,
				strerror((int)-length));
	if ((size_t)length > CONFIG_MAX_BYTES)
		return complain(
			errors, -E2BIG,
			"the config file %.300s is longer than 1 MiB; is it the right file?", path);
	return length;
}

int config__read(const char *path, struct options *options, struct options_given *given,
		 struct config_errors *errors)
{
	char *text __cleanup_free = malloc(CONFIG_MAX_BYTES + 1);
	ssize_t length;
	char *shrunk;
	int err;

	if (!text)
		return complain(errors, -ENOMEM, "no memory for the config file %.300s", path);
	length = read_file(path, text, errors);
	if (length < 0)
		return (int)length;
	text[length] = '\0';
	shrunk = realloc(text, (size_t)length + 1);
	text = shrunk ? shrunk : text;
	err = config__parse(text, (size_t)length, path, options, given, errors);
	if (err)
		return err;
	options->file_text = text;
	text = NULL;
	return 0;
}

/* --- with the command line ---------------------------------------------------------------------- */

/* Which file is to be read; NULL: none. */
static const char *choose_file(const struct options *options, const char *usual)
{
	if (options->command != COMMAND_WATCH || options->help || options->version ||
	    options->json_schema)
		return NULL;
	if (options->config)
		return options->config;
	if (options->processes.n || !usual)
		return NULL;
	return access(usual, F_OK) == 0 || errno != ENOENT ? usual : NULL;
}

int config__load(int argc, char **argv, const char *usual, struct options *ret_options,
		 struct config_errors *errors)
{
	struct options_given given = {{false}};
	struct options options = {0};
	struct failure failure = {""};
	const char *path;
	int err;

	errors->n = 0;
	err = options__parse(argc, argv, &options, &failure);
	if (err)
		return complain(errors, err, "%s", failure.text);
	path = choose_file(&options, usual);
	if (!path) {
		*ret_options = options;
		return 0;
	}
	options = (struct options){0};
	err = options__set_fallbacks(&options, &failure);
	if (!err) {
		err = config__read(path, &options, &given, errors);
		if (err)
			goto out;
		err = options__parse_over(argc, argv, &options, &given, &failure);
	}
	if (err)
		complain(errors, err, "%s", failure.text);
out:
	if (err)
		options__free(&options);
	else
		*ret_options = options;
	return err;
}
