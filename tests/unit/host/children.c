// SPDX-License-Identifier: Apache-2.0
/* On a tree made here, with lines as Linux 6.18 writes them. */
#include "host/children.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "made_tree.h"

static const char *root;

static void put(int pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	made_tree__put(path, text);
}

/* "Name" could be anything, a line that looks like another one too: its newlines are escaped. */
static void put_process(int pid, int parent, char state, int threads, const char *numbers)
{
	char text[512];

	snprintf(
		text, sizeof(text),
		"%d (a) Z 1 (b) %c %d 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 %d 0 100 0 0 0 0 0 0\n",
		pid, state, parent, threads);
	put(pid, "stat", text);
	snprintf(text, sizeof(text), "Name:\ta\\nNSpid:\t1\nState:\t%c (x)\nNSpid:\t%s\n", state,
		 numbers);
	put(pid, "status", text);
}

/* Of 77, which is number 7 in its namespace: not one that runs, one of another's, or one whose threads go on. */
Test(children, that_have_ended, .fini = made_tree__remove)
{
	struct ended_child *children;
	size_t n;

	root = made_tree__new();
	put_process(77, 1, 'S', 4, "77\t7");
	put_process(80, 77, 'Z', 1, "80\t30");
	put_process(81, 77, 'S', 1, "81\t31");
	put_process(82, 1, 'Z', 1, "82\t32");
	put_process(83, 77, 'Z', 2, "83\t33");
	put_process(84, 77, 'Z', 1, "84\t12\t1");
	put_process(85, 77, 'Z', 1, "85");
	cr_assert_eq(process__ended_children(root, 77, &children, &n), 0);
	cr_assert_eq(n, 2);
	cr_expect_eq(ended_children__find(children, n, 30)->pid, 80);
	cr_expect_eq(ended_children__find(children, n, 12)->pid, 84);
	cr_expect_null(ended_children__find(children, n, 33));
	put_process(84, 1, 'Z', 1, "84\t12\t1");
	cr_assert_eq(ended_children__keep(root, 77, children, n), 1);
	cr_expect_eq(children[0].pid, 80);
	free(children);
}

Test(children, of_none, .fini = made_tree__remove)
{
	struct ended_child *children = NULL;
	size_t n;

	root = made_tree__new();
	cr_expect_eq(process__ended_children(root, 77, &children, &n), -EOPNOTSUPP);
	put_process(77, 1, 'S', 4, "77");
	cr_assert_eq(process__ended_children(root, 77, &children, &n), 0);
	cr_expect_eq(n, 0);
	cr_expect_null(children);
}
