// SPDX-License-Identifier: Apache-2.0
#include "report/thread_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a path: a mount is seldom deeper. */
#define COMPONENTS 2

/* "/mnt/x/a/b" becomes "files below /mnt/x", what lies less deep the folder that it is in. */
static void name_path(const char *path, size_t length, char *where, size_t size)
{
	size_t end = 0, components = 0;

	for (size_t i = 1; i < length && components < COMPONENTS; i++) {
		if (path[i] != '/')
			continue;
		end = i;
		components++;
	}
	snprintf(where, size, "files below %.*s", (int)max_of(end, (size_t)1), path);
}

/* "socket:[4711]" becomes "socket", what has no number, as "anon_inode:inotify", stays. */
static void name_object(const char *object, size_t length, char *where, size_t size)
{
	const char *number = memmem(object, length, ":[", 2);
	const char *end = number && number[2] >= '0' && number[2] <= '9' ? number : object + length;

	snprintf(where, size, "%.*s", (int)(end - object), object);
}

/* Of "read(3: /run/fifo)", "openat("/run/fifo")", "futex()". */
static void name_group(const char *text, struct report_thread_group *group)
{
	size_t length = strcspn(text, "(");
	const char *about = text + length;
	size_t rest;

	snprintf(group->call, sizeof(group->call), "%.*s", (int)length, text);
	about += *about == '(';
	about += strspn(about, "0123456789: \"");
	rest = strlen(about);
	rest -= rest && about[rest - 1] == ')';
	rest -= rest && about[rest - 1] == '"';
	if (rest && *about == '/')
		name_path(about, rest, group->where, sizeof(group->where));
	else
		name_object(about, rest, group->where, sizeof(group->where));
}

void thread_groups__add(struct report_scheduling *scheduling, const char *text, bool in_c)
{
	struct report_thread_group group = {.in_c = in_c, .threads = 1};

	scheduling->looked_at++;
	name_group(text, &group);
	for (size_t i = 0; i < scheduling->n_groups; i++) {
		struct report_thread_group *one = &scheduling->groups[i];

		if (one->in_c == in_c && !strcmp(one->call, group.call) &&
		    !strcmp(one->where, group.where)) {
			one->threads++;
			return;
		}
	}
	if (scheduling->n_groups < REPORT_MAX_THREAD_GROUPS)
		scheduling->groups[scheduling->n_groups++] = group;
}

static int compare(const void *a, const void *b)
{
	const struct report_thread_group *x = a, *y = b;
	int call = strcmp(x->call, y->call);

	if (x->threads != y->threads)
		return x->threads < y->threads ? 1 : -1;
	return call ? call : strcmp(x->where, y->where);
}

void thread_groups__sort(struct report_scheduling *scheduling)
{
	qsort(scheduling->groups, scheduling->n_groups, sizeof(scheduling->groups[0]), compare);
}
