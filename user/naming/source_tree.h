/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_SOURCE_TREE_H
#define GLEAKD_NAMING_SOURCE_TREE_H

/*
 * A folder with source code, and the lines of it that sites of a report are about. A binary says which file a
 * line is in by a path of the machine that built it, or with -trimpath by the module's path: what is looked for
 * below the folder is as much of the end of that as is there. Paths come from foreign binaries: they never lead
 * out of the folder by "..", and only regular files named *.go are read.
 */
#include "base/failure.h"
#include "output/report.h"

struct source_tree;

/* source_tree__open - errors as open(2), in words. */
int source_tree__open(const char *folder, struct source_tree **ret_tree,
		      struct failure *failure) __must_check;
void source_tree__free(struct source_tree *tree);

/*
 * source_tree__lines - around the line of @frame; false where it is not at hand, or the file that is there has
 * another function's code in it.
 */
bool source_tree__lines(const struct source_tree *tree, const struct report_frame *frame,
			struct report_source *ret_source);

/*
 * source_tree__of_site - for whoever frees it: the line of @site that is the program's own, where it waits or
 * else where it comes from. NULL: it is not at hand, or nothing is suspected of @site; or no memory.
 */
struct report_source *source_tree__of_site(const struct source_tree *tree,
					   const struct report_site *site) __must_check;

#endif /* GLEAKD_NAMING_SOURCE_TREE_H */
