// SPDX-License-Identifier: Apache-2.0
#include "real_binaries.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *directory(void)
{
	const char *path = getenv("GLEAKD_TEST_BINARIES");

	return path && *path ? path : "build/tests/binaries";
}

static int compare_names(const void *a, const void *b)
{
	const struct real_binary *left = a, *right = b;

	return strcmp(left->name, right->name);
}

size_t real_binaries__list(struct real_binary *binaries, size_t max)
{
	__cleanup_closedir DIR *dir = opendir(directory());
	struct dirent *entry;
	size_t n = 0;

	while (dir && n < max && (entry = readdir(dir))) {
		struct real_binary *binary = &binaries[n];

		if (strncmp(entry->d_name, "1.", 2) != 0)
			continue;
		snprintf(binary->name, sizeof(binary->name), "%.63s", entry->d_name);
		snprintf(binary->program, sizeof(binary->program), "%s/%s/prog", directory(),
			 entry->d_name);
		snprintf(binary->expected, sizeof(binary->expected), "%s/%s/expected.txt",
			 directory(), entry->d_name);
		if (!access(binary->program, R_OK) && !access(binary->expected, R_OK))
			n++;
	}
	if (!n)
		cr_skip_test("needs Go programs in %s (make test-binaries)", directory());
	qsort(binaries, n, sizeof(*binaries), compare_names);
	return n;
}

bool real_binary__is(const struct real_binary *binary, const char *kind)
{
	const char *dash = strchr(binary->name, '-');

	return dash && !strcmp(dash + 1, kind);
}

int real_binary__minor(const struct real_binary *binary)
{
	return (int)strtol(binary->name + 2, NULL, 10);
}

struct elf_image *real_binary__open(const struct real_binary *binary)
{
	__cleanup_close int fd = open(binary->program, O_RDONLY | O_CLOEXEC);
	struct failure failure = {0};
	struct elf_image *image = NULL;

	cr_assert(fd >= 0, "%s", binary->program);
	cr_assert_eq(elf_image__open(fd, &image, &failure), 0, "%s", failure.text);
	return image;
}

bool expected_line__next(void *file, struct expected_line *line)
{
	char *rest = line->text;

	if (!fgets(line->text, sizeof(line->text), file))
		return false;
	line->text[strcspn(line->text, "\n")] = '\0';
	for (line->n = 0; rest && line->n < ARRAY_SIZE(line->field); line->n++)
		line->field[line->n] = strsep(&rest, "\t");
	return true;
}
