// SPDX-License-Identifier: Apache-2.0
/*
 * The tables of sockets in /proc/PID/net. Names of unix sockets, line breaks in them too, are of
 * anybody's liking. The input is the tables in the order of `tables`, separated by bytes of 0xff.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/sockets.h"

#define PID	77
#define SOCKETS 3 /* with the inodes 11, 12 and 13 */

static char root[] = "/dev/shm/gleakd-fuzz-XXXXXX";
static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6", "unix"};

static const char *path_of(const char *folder, const char *leaf)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d/%s/%s", root, PID, folder, leaf);
	return path;
}

static const char *file_name(unsigned int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "%u", i);
	return name;
}

static void remove_tree(void)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		unlink(path_of("net", tables[i]));
	for (unsigned int i = 0; i < SOCKETS; i++)
		unlink(path_of("fd", file_name(i)));
	rmdir(path_of("net", ""));
	rmdir(path_of("fd", ""));
	snprintf(path, sizeof(path), "%s/%d", root, PID);
	rmdir(path);
	rmdir(root);
}

static void make_tree(void)
{
	static bool made;
	char path[PATH_MAX], target[32];

	if (made)
		return;
	fuzz__require(mkdtemp(root) != NULL);
	snprintf(path, sizeof(path), "%s/%d", root, PID);
	fuzz__require(!mkdir(path, 0700));
	fuzz__require(!mkdir(path_of("fd", ""), 0700));
	fuzz__require(!mkdir(path_of("net", ""), 0700));
	for (unsigned int i = 0; i < SOCKETS; i++) {
		snprintf(target, sizeof(target), "socket:[%u]", 11 + i);
		fuzz__require(!symlink(target, path_of("fd", file_name(i))));
	}
	fuzz__require(!atexit(remove_tree));
	made = true;
}

/* Up to the next separator, NULs included. */
static void put_table(const char *name, struct fuzz_input *input)
{
	const uint8_t *end = input->left ? memchr(input->data, 0xff, input->left) : NULL;
	size_t n = end ? (size_t)(end - input->data) : input->left;
	int fd = open(path_of("net", name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fuzz__require(fd >= 0);
	fuzz__require(write(fd, input->data, n) == (ssize_t)n);
	close(fd);
	input->data += end ? n + 1 : n;
	input->left -= end ? n + 1 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct process_sockets sockets;

	make_tree();
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		put_table(tables[i], &input);
	fuzz__require(!process__sockets(root, PID, &sockets));
	fuzz__require(sockets.to_peer <= sockets.dialled);
	fuzz__require(memchr(sockets.peer, '\0', sizeof(sockets.peer)));
	fuzz__require(!sockets.to_peer == !sockets.peer[0]);
	return 0;
}
