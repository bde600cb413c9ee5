// SPDX-License-Identifier: Apache-2.0
/* From what was typed to the field of an option. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "cli/options_table.h"
#include "cli/trigger.h"
#include "output/prometheus/textfile.h"

static int set_number(const struct option_spec *spec, const char *text, uint64_t *ret_number,
		      struct failure *failure)
{
	unsigned long long number;
	char *end;

	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return failure__set(failure, -EINVAL, "--%s: '%.80s' is not a whole number",
				    spec->name, text);
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || number < spec->min || number > spec->max)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is out of range, between %" PRIu64
				    " and %" PRIu64 " expected",
				    spec->name, text, spec->min, spec->max);
	if (spec->type == OPTION_SIZE && (number & (number - 1)) != 0)
		return failure__set(failure, -EINVAL, "--%s: '%.80s' is not a power of two",
				    spec->name, text);
	*ret_number = number;
	return 0;
}

/*
 * Up to four decimals, and '%' or not. Whole numbers of the unit, so that no rounding adds up and
 * what is printed is what was read.
 */
static int parse_percent(const char *text, uint64_t *ret_units)
{
	size_t whole = strspn(text, "0123456789"), decimals = 0;
	uint64_t units = 0;

	if (text[whole] == '.')
		decimals = strspn(text + whole + 1, "0123456789");
	if (!whole || whole > 6 || decimals > 4 || (text[whole] == '.' && !decimals))
		return -EINVAL;
	for (size_t i = 0; i < whole; i++)
		units = 10 * units + (uint64_t)(text[i] - '0');
	for (size_t i = 0; i < 4; i++)
		units = 10 * units + (i < decimals ? (uint64_t)(text[whole + 1 + i] - '0') : 0);
	text += whole + (decimals ? decimals + 1 : 0);
	if (*text == '%')
		text++;
	if (*text)
		return -EINVAL;
	*ret_units = units;
	return 0;
}

static int set_percent(const struct option_spec *spec, const char *text, double *ret_share,
		       struct failure *failure)
{
	uint64_t units;

	if (parse_percent(text, &units))
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is not a percentage; 1%%, 0.5%% or 0 for no "
				    "limit expected, with at most 4 decimals",
				    spec->name, text);
	if (units < spec->min || units > spec->max)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is out of range, between %g%% and %g%% expected",
				    spec->name, text,
				    (double)spec->min * 100 / OPTION_PERCENT_UNITS,
				    (double)spec->max * 100 / OPTION_PERCENT_UNITS);
	*ret_share = (double)units / OPTION_PERCENT_UNITS;
	return 0;
}

static int set_bytes(const struct option_spec *spec, const char *text, uint64_t *ret_bytes,
		     struct failure *failure)
{
	uint64_t bytes = 0;
	int err = number__parse_size(text, &bytes);

	if (err == -EINVAL)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is not a size; 512M, 2G or plain bytes expected",
				    spec->name, text);
	if (err || bytes < spec->min || bytes > spec->max)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is out of range, between %" PRIu64
				    "M and %" PRIu64 "M expected",
				    spec->name, text, spec->min >> 20, spec->max >> 20);
	*ret_bytes = bytes;
	return 0;
}

static int set_text(const struct option_spec *spec, const char *text, const char **ret_text,
		    struct failure *failure)
{
	size_t length = strlen(text);

	if (length < spec->min)
		return failure__set(failure, -EINVAL, "--%s: a value (%s) is missing", spec->name,
				    spec->metavar);
	if (length > spec->max)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.40s...' is too long, at most %" PRIu64
				    " bytes expected",
				    spec->name, text, spec->max);
	*ret_text = text;
	return 0;
}

/* "user:" matches nothing; what does not begin with a kind is a name, colons and all. */
static int check_pattern(const struct option_spec *spec, const char *text, struct failure *failure)
{
	static const char *const kinds[] = {"comm:", "exe:", "unit:", "cgroup:", "user:"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(text, kinds[i]) == 0)
			return failure__set(failure, -EINVAL,
					    "--%s: nothing follows '%s'; give what to match, as in "
					    "comm:api-* or user:www-data",
					    spec->name, kinds[i]);
	}
	return 0;
}

static int add_item(const struct option_spec *spec, const char *item, struct option_list *list,
		    const char *advice, struct failure *failure)
{
	if (list->n == OPTION_LIST_MAX)
		return failure__set(failure, -EINVAL, "--%s: more than %d of them; %s", spec->name,
				    OPTION_LIST_MAX, advice);
	list->items[list->n++] = item;
	return 0;
}

static int add_text(const struct option_spec *spec, const char *text, struct option_list *list,
		    struct failure *failure)
{
	const char *item = NULL;
	int err = set_text(spec, text, &item, failure);

	if (!err && spec->type == OPTION_PATTERNS)
		err = check_pattern(spec, text, failure);
	return err ? err : add_item(spec, item, list, "use '*' to put some into one", failure);
}

static int add_trigger(const struct option_spec *spec, const char *text, struct option_list *list,
		       struct failure *failure)
{
	struct trigger trigger;
	int err = trigger__parse(text, &trigger, failure);

	if (!err && list->n == REPORT_MAX_TRIGGERS)
		err = failure__set(failure, -EINVAL,
				   "--%s: more than %d of them; leave out what another one tells",
				   spec->name, REPORT_MAX_TRIGGERS);
	return err ? err : add_item(spec, text, list, "", failure);
}

/* A number, or a name that is looked up later. */
static int add_process(const struct option_spec *spec, const char *text, struct option_list *list,
		       struct failure *failure)
{
	size_t length = strlen(text);
	uint64_t number;
	int err = 0;

	if (!length)
		return failure__set(failure, -EINVAL, "--%s: a value (%s) is missing", spec->name,
				    spec->metavar);
	if (text[strspn(text, "0123456789")] == '\0')
		err = set_number(spec, text, &number, failure);
	else if (*text == '-' || length >= PATH_MAX)
		err = failure__set(failure, -EINVAL,
				   "--%s: '%.80s' is neither the number nor the name of a process",
				   spec->name, text);
	return err ? err : add_item(spec, text, list, "give --only and a pattern", failure);
}

static int set_duration(const struct option_spec *spec, const char *text, uint64_t *ret_ns,
			struct failure *failure)
{
	char min[DURATION_SIZE], max[DURATION_SIZE];
	uint64_t ns = 0;
	int err = duration__parse(text, &ns);

	if (err == -EINVAL)
		return failure__set(failure, -EINVAL,
				    "--%s: '%.80s' is not a duration; 30s, 5m, 1h30m or plain "
				    "seconds expected",
				    spec->name, text);
	if (!err && ns >= spec->min && ns <= spec->max) {
		*ret_ns = ns;
		return 0;
	}
	duration__format(spec->min, min);
	duration__format(spec->max, max);
	return failure__set(failure, -EINVAL, "--%s: '%.80s' is too %s, between %s and %s expected",
			    spec->name, text, !err && ns < spec->min ? "short" : "long", min, max);
}

/* "auto, always, never" */
static void list_choices(const char *const *choices, const char *separator, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; choices[i] && used < size; i++) {
		int n = snprintf(out + used, size - used, "%s%s", i ? separator : "", choices[i]);

		used += n > 0 ? (size_t)n : 0;
	}
}

static int set_choice(const struct option_spec *spec, const char *text, int *ret_index,
		      struct failure *failure)
{
	char words[128];

	for (int i = 0; spec->choices[i]; i++) {
		if (strcmp(spec->choices[i], text) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	list_choices(spec->choices, ", ", words, sizeof(words));
	return failure__set(failure, -EINVAL, "--%s: '%.80s' is not one of %s", spec->name, text,
			    words);
}

/* The bit of the word that is the first @length bytes of @text; 0 when it is none. */
static unsigned int word_bit(const char *const *words, const char *text, size_t length)
{
	for (unsigned int i = 0; words[i]; i++) {
		if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0)
			return 1u << i;
	}
	return 0;
}

static int set_words(const struct option_spec *spec, const char *text, unsigned int *ret_mask,
		     struct failure *failure)
{
	unsigned int mask = 0, bit;
	const char *word = text;
	char words[128];
	size_t length;

	for (;;) {
		length = strcspn(word, ",");
		bit = word_bit(spec->choices, word, length);
		mask |= bit;
		if (!bit || !word[length])
			break;
		word += length + 1;
	}
	if (bit) {
		*ret_mask = mask;
		return 0;
	}
	list_choices(spec->choices, ", ", words, sizeof(words));
	return failure__set(failure, -EINVAL,
			    "--%s: '%.*s' is not one of %s; several are separated by commas",
			    spec->name, (int)min_of(length, (size_t)80), word, words);
}

int option_spec__set(const struct option_spec *spec, struct options *options, const char *text,
		     struct failure *failure)
{
	void *field = (char *)options + spec->offset;
	uint64_t number = 0;
	int err = 0;

	switch (spec->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		break;
	case OPTION_COUNT:
		++*(unsigned int *)field;
		break;
	case OPTION_PROCESSES:
		err = add_process(spec, text, field, failure);
		break;
	case OPTION_SIZE:
		err = set_number(spec, text, &number, failure);
		*(uint32_t *)field = (uint32_t)number;
		break;
	case OPTION_NUMBER:
		err = set_number(spec, text, &number, failure);
		*(unsigned int *)field = (unsigned int)number;
		break;
	case OPTION_STRING:
	case OPTION_PATH:
		err = set_text(spec, text, field, failure);
		break;
	case OPTION_PERCENT:
		err = set_percent(spec, text, field, failure);
		break;
	case OPTION_BYTES:
		err = set_bytes(spec, text, field, failure);
		break;
	case OPTION_PATTERNS:
	case OPTION_TEXTS:
		err = add_text(spec, text, field, failure);
		break;
	case OPTION_TRIGGERS:
		err = add_trigger(spec, text, field, failure);
		break;
	case OPTION_TEXTFILE:
		err = set_text(spec, text, field, failure);
		if (!err)
			err = textfile__check_path(text, failure);
		break;
	case OPTION_WORDS:
		err = set_words(spec, text, field, failure);
		break;
	case OPTION_DURATION:
		err = set_duration(spec, text, field, failure);
		break;
	case OPTION_CHOICE:
		/* Enums are as wide as int here; all of their values are words of the table. */
		err = set_choice(spec, text, field, failure);
		break;
	}
	return err;
}
