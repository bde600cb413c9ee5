// SPDX-License-Identifier: Apache-2.0
/* The input is a config file. One that is accepted is written and read again: nothing gets lost. */
#include "cli/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options_table.h"
#include "fuzz.h"

static int parse(char *text, size_t length, struct options *options, struct config_errors *errors)
{
	struct options_given given = {{false}};
	struct failure failure;

	*options = (struct options){0};
	errors->n = 0;
	fuzz__require(!options__set_fallbacks(options, &failure));
	return config__parse(text, length, "fuzz.conf", options, &given, errors);
}

static char *write(const struct options *options, size_t *ret_length)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, ret_length);

	fuzz__require(file);
	fuzz__require(!config__write(file, options));
	fclose(file);
	return text;
}

static void check_errors(const struct config_errors *errors)
{
	fuzz__require(errors->n);
	for (unsigned int i = 0; i < errors->n && i < CONFIG_MAX_ERRORS; i++) {
		const char *text = errors->text[i];

		fuzz__require(strnlen(text, sizeof(errors->text[i])) < sizeof(errors->text[i]));
		for (; *text; text++)
			fuzz__require((unsigned char)*text >= ' ' && *text != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config_errors errors;
	struct options options, again;
	char *text = malloc(size + 1), *first, *second, *copy;
	size_t length, same;
	int err;

	fuzz__require(text);
	memcpy(text, data, size);
	text[size] = '\0';
	err = parse(text, size, &options, &errors);
	fuzz__require(!err || err == -EINVAL);
	if (err) {
		check_errors(&errors);
		free(text);
		return 0;
	}
	fuzz__require(!errors.n);
	first = write(&options, &length);
	copy = strdup(first);
	fuzz__require(copy);
	fuzz__require(!parse(copy, length, &again, &errors));
	second = write(&again, &same);
	fuzz__require(same == length && memcmp(first, second, length) == 0);
	free(second);
	free(copy);
	free(first);
	free(text);
	return 0;
}
