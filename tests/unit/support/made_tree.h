/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_MADE_TREE_H
#define GLEAKD_TESTS_MADE_TREE_H

/* A folder of files that are made up: /proc, control groups, both in one. One at a time. */

const char *made_tree__new(void); /* its path */
void made_tree__remove(void);

/* made_tree__put - the file @name of it, with the folders that it needs. */
void made_tree__put(const char *name, const char *text);

#endif /* GLEAKD_TESTS_MADE_TREE_H */
