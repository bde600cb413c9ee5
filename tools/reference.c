// SPDX-License-Identifier: Apache-2.0
/* Writes what is made of the table of options: `reference man < TEMPLATE`, `reference bash`. */
#include <stdio.h>
#include <string.h>

#include "cli/options_reference.h"

static int write_page(FILE *out)
{
	return man__write(stdin, out);
}

static const struct {
	const char *name;
	int (*write)(FILE *out);
} kinds[] = {
	{"man", write_page},
	{"bash", completion__write_bash},
	{"zsh", completion__write_zsh},
	{"fish", completion__write_fish},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(argv[1], kinds[i].name) != 0)
			continue;
		if (!kinds[i].write(stdout))
			return 0;
		fprintf(stderr, "reference: cannot write, or a line of the template begins with "
				"an '@' that says nothing\n");
		return 1;
	}
	fprintf(stderr, "usage: reference man|bash|zsh|fish\n");
	return 2;
}
