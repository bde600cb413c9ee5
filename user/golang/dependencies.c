// SPDX-License-Identifier: Apache-2.0
#include "golang/dependencies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "golang/buildinfo.h"
#include "golang/module_path.h"

#define MAX_DEPENDENCIES 8192u
#define MAX_PATH	 512
#define VENDOR		 "/vendor/"

struct entry {
	const char *path; /* by which it is imported */
	struct go_dependency built;
};

struct go_dependencies {
	char *text; /* owned: what the others point into */
	struct entry *entries;
	size_t n, capacity;
};

/* Cuts the part of *@line before @separator off, in place. */
static char *take(char **line, char separator)
{
	char *field = *line, *end = strchr(field, separator);

	*line = end ? end + 1 : field + strlen(field);
	if (end)
		*end = '\0';
	return field;
}

/* A line "dep", or "=>" with what replaces the one before (src/runtime/debug/mod.go). */
static int parse_line(struct go_dependencies *all, char *line)
{
	const char *kind = take(&line, '\t'), *path = take(&line, '\t');
	const char *version = take(&line, '\t');

	if (!strcmp(kind, "dep")) {
		if (all->n == MAX_DEPENDENCIES)
			return 0;
		if (!array__reserve(all->entries, all->capacity, all->n + 1))
			return -ENOMEM;
		all->entries[all->n++] = (struct entry){path, {path, version}};
	} else if (!strcmp(kind, "=>") && all->n && *version) {
		/* A folder in its stead has no version. */
		all->entries[all->n - 1].built = (struct go_dependency){path, version};
	}
	return 0;
}

int go_dependencies__parse(char *text, struct go_dependencies **ret_dependencies)
{
	struct go_dependencies *all = calloc(1, sizeof(*all));
	int err = 0;

	if (!all) {
		free(text);
		return -ENOMEM;
	}
	all->text = text;
	while (text && *text && !err)
		err = parse_line(all, take(&text, '\n'));
	if (err) {
		go_dependencies__free(all);
		return err;
	}
	*ret_dependencies = all;
	return 0;
}

int go_dependencies__read(struct elf_image *image, struct go_dependencies **ret_dependencies)
{
	char *text = NULL;
	int err = go_build_info__modules(image, &text);

	return err == -ENOMEM ? err : go_dependencies__parse(text, ret_dependencies);
}

void go_dependencies__free(struct go_dependencies *all)
{
	if (!all)
		return;
	free(all->entries);
	free(all->text);
	free(all);
}

size_t go_dependencies__count(const struct go_dependencies *all)
{
	return all->n;
}

/* The one with the longest path that @package is in or below. */
static const struct entry *find_below(const struct go_dependencies *all, const char *package)
{
	const struct entry *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < all->n; i++) {
		size_t length = strlen(all->entries[i].path);

		if (length <= longest || strncmp(package, all->entries[i].path, length) != 0 ||
		    (package[length] && package[length] != '/'))
			continue;
		best = &all->entries[i];
		longest = length;
	}
	return best;
}

/* Of a path in the cache, which is that of what was built. */
static const struct entry *find_built(const struct go_dependencies *all, const char *path)
{
	for (size_t i = 0; i < all->n; i++) {
		if (!strcmp(all->entries[i].built.path, path))
			return &all->entries[i];
	}
	return NULL;
}

/* What was built from a folder of the developer's has no version. */
static const struct go_dependency *if_released(const struct go_dependency *built)
{
	return *built->version && strcmp(built->version, "(devel)") != 0 ? built : NULL;
}

const struct go_dependency *go_dependencies__of(const struct go_dependencies *all,
						const char *function, const char *file)
{
	const char *vendored = strstr(file, VENDOR);
	const struct entry *found = NULL;
	struct module_version built;
	char package[MAX_PATH];

	if (module_version__of_file(file, &built))
		found = find_built(all, built.path);
	else if (vendored)
		found = find_below(all, vendored + strlen(VENDOR));
	if (found)
		return if_released(&found->built);
	module_path__of_function(function, package, sizeof(package));
	found = find_below(all, package);
	return found ? if_released(&found->built) : NULL;
}
