// SPDX-License-Identifier: Apache-2.0
#include "made_tree.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS 8

static char root[64];

const char *made_tree__new(void)
{
	const char *above = getenv("TMPDIR");

	snprintf(root, sizeof(root), "%.40s/made-tree-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(root))
		abort();
	return root;
}

void made_tree__make(void)
{
	made_tree__new();
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat;
	(void)kind;
	(void)at;
	return remove(path);
}

void made_tree__remove(void)
{
	if (root[0] && nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
		abort();
	root[0] = '\0';
}

static void path_of(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s%s%s", root, name[0] ? "/" : "", name);
}

const char *made_tree__path(const char *name)
{
	static char paths[PATHS][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % PATHS];

	path_of(name, path);
	return path;
}

/* The path of it, in folders that are there now. */
static const char *room_for(const char *name)
{
	static char path[PATH_MAX];

	path_of(name, path);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	return path;
}

void made_tree__put(const char *name, const char *text)
{
	made_tree__put_bytes(name, text, strlen(text));
}

void made_tree__put_bytes(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(room_for(name), "w");

	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
		abort();
}

void made_tree__put_folder(const char *name)
{
	if (mkdir(room_for(name), 0755))
		abort();
}

void made_tree__put_link(const char *name, const char *to)
{
	const char *path = room_for(name);

	unlink(path);
	if (symlink(to, path))
		abort();
}
