// SPDX-License-Identifier: Apache-2.0
#include "made_tree.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

const char *made_tree__new(void)
{
	snprintf(root, sizeof(root), "/tmp/made-tree-XXXXXX");
	if (!mkdtemp(root))
		abort();
	return root;
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
	if (nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS))
		abort();
}

void made_tree__put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}
