/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_MADE_TREE_H
#define GLEAKD_TESTS_MADE_TREE_H

/*
 * A folder of files that are made up: /proc, control groups, both in one, or what a test writes. One at a time.
 * Names are relative to it; what a file or link needs of folders is made with it.
 */
#include <stddef.h>

const char *made_tree__new(void); /* its path */
void made_tree__make(void);	  /* the same, as the init of a suite */
void made_tree__remove(void);	  /* with whatever is in it; nothing when there is none */

/* made_tree__path - of the file @name, or of it itself (""). The eight last answers stay. */
const char *made_tree__path(const char *name);

void made_tree__put(const char *name, const char *text);
void made_tree__put_bytes(const char *name, const void *bytes, size_t size);
void made_tree__put_folder(const char *name);
void made_tree__put_link(const char *name, const char *to); /* in place of one that is there */

#endif /* GLEAKD_TESTS_MADE_TREE_H */
