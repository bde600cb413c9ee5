// SPDX-License-Identifier: Apache-2.0
/* From what was typed to the field of an option. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "cli/options_table.h"

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
	case OPTION_PID:
		err = set_number(spec, text, &number, failure);
		*(pid_t *)field = (pid_t)number;
		break;
	case OPTION_SIZE:
		err = set_number(spec, text, &number, failure);
		*(uint32_t *)field = (uint32_t)number;
		break;
	case OPTION_EXIT_CODE:
		err = set_number(spec, text, &number, failure);
		*(unsigned int *)field = (unsigned int)number;
		break;
	case OPTION_STRING:
	case OPTION_PATH:
		err = set_text(spec, text, field, failure);
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
