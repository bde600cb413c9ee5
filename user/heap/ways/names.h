/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_WAYS_NAMES_H
#define GLEAKD_HEAP_WAYS_NAMES_H

/*
 * Ways by the names of variables, functions, types and fields: what the same scan found out about the
 * types of its objects (paths/paths.h).
 */
#include "heap/ways/holders.h"
#include "heap/paths/paths.h"

struct heap_way_names {
	const struct heap_runtime *runtime;
	struct heap_paths *paths;	/* NULL: there are no types */
	struct go_variables *variables; /* NULL: variables go by their symbols in @image */
	struct elf_image *image;	/* or NULL */
};

/* heap_way_names__namer - @names must outlive it. */
struct heap_namer heap_way_names__namer(struct heap_way_names *names);

#endif /* GLEAKD_HEAP_WAYS_NAMES_H */
