// SPDX-License-Identifier: Apache-2.0
/*
 * A /proc tree of one process, in memory. The input is its files in the order of `files`, separated
 * by bytes of 0xff, which is as good as any byte here: a path may have it, but nothing looks at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/process.h"
#include "host/resident.h"

#define PID	  77
#define SEPARATOR '\xff'

static char root[] = "/dev/shm/gleakd-fuzz-XXXXXX";
static const char *const files[] = {"stat", "status", "maps", "smaps"};

static const char *path_of(const char *leaf)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d%s%s", root, PID, *leaf ? "/" : "", leaf);
	return path;
}

static void remove_tree(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(path_of(files[i]));
	unlink(path_of("exe"));
	rmdir(path_of(""));
	rmdir(root);
}

static void make_root(void)
{
	static bool made;

	if (made)
		return;
	fuzz__require(mkdtemp(root) != NULL);
	fuzz__require(!mkdir(path_of(""), 0700));
	fuzz__require(!atexit(remove_tree));
	made = true;
}

static void put(const char *leaf, const uint8_t *data, size_t size)
{
	int fd = open(path_of(leaf), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fuzz__require(fd >= 0);
	fuzz__require(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* Up to the next separator, NULs included. */
static void put_part(const char *leaf, struct fuzz_input *input)
{
	const uint8_t *end = input->left ? memchr(input->data, 0xff, input->left) : NULL;
	size_t n = end ? (size_t)(end - input->data) : input->left;

	put(leaf, input->data, n);
	input->data += end ? n + 1 : n;
	input->left -= end ? n + 1 : n;
}

/* The link may name no file that exists: process__read() would look it up. */
static void put_exe(struct fuzz_input *input)
{
	char *target = fuzz_input__text(input, SEPARATOR);

	unlink(path_of("exe"));
	if (*target && strlen(target) < PATH_MAX && symlink(target, path_of("exe")))
		fuzz__require(errno == ENAMETOOLONG || errno == ENOENT);
	free(target);
}

static void check_info(const struct process_info *info)
{
	fuzz__require(info->id.pid == PID);
	fuzz__require(memchr(info->comm, '\0', sizeof(info->comm)));
	fuzz__require(!strchr(info->comm, '\n'));
	fuzz__require(memchr(info->exe, '\0', sizeof(info->exe)));
	fuzz__require(process__same(root, info->id));
}

static void check_mappings(void)
{
	struct process_mapping mappings[4];
	int n = process__exe_mappings(root, PID, mappings, ARRAY_SIZE(mappings));

	fuzz__require(n <= (int)ARRAY_SIZE(mappings));
	for (int i = 0; i < n; i++)
		fuzz__require(mappings[i].start < mappings[i].end);
}

static void check_resident(void *ctx, const struct resident_mapping *mapping)
{
	(void)ctx;
	fuzz__require(mapping->start < mapping->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = fuzz__next_descriptor();
	struct fuzz_input input = {data, size};
	struct failure failure = {0};
	struct process_info info;
	int err;

	make_root();
	put_exe(&input);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put_part(files[i], &input);
	err = process__read(root, PID, &info, &failure);
	fuzz__require(err <= 0 && (!err || failure.text[0]));
	if (!err)
		check_info(&info);
	check_mappings();
	err = resident__each(root, PID, check_resident, NULL);
	fuzz__require(err <= 0);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
