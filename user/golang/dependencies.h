/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_DEPENDENCIES_H
#define GLEAKD_GOLANG_DEPENDENCIES_H

/*
 * The modules that a program was built from, as its build information lists them, and which of them a
 * function is of. That also tells of vendored code, whose files do not say a version.
 */
#include "elf/image.h"

struct go_dependency {
	/* "github.com/hashicorp/go-memdb"; of what was built, if it is replaced */
	const char *path;
	const char *version; /* "v1.3.3" */
};

struct go_dependencies;

/* go_dependencies__read - none where the build information lists none. -ENOMEM. */
int go_dependencies__read(struct elf_image *image,
			  struct go_dependencies **ret_dependencies) __must_check;

/* go_dependencies__parse - of such lines (go_build_info__modules()), which it takes over. -ENOMEM. */
int go_dependencies__parse(char *text, struct go_dependencies **ret_dependencies) __must_check;
void go_dependencies__free(struct go_dependencies *dependencies);

size_t go_dependencies__count(const struct go_dependencies *dependencies);

/*
 * go_dependencies__of - the module of @function, named as the runtime prints it, which was compiled from
 * @file; NULL: the program's own, the standard library's, or not known. The file goes before the name:
 * a closure of a library that was inlined into main.main is called main.main.func1.
 */
const struct go_dependency *go_dependencies__of(const struct go_dependencies *dependencies,
						const char *function, const char *file);

#endif /* GLEAKD_GOLANG_DEPENDENCIES_H */
