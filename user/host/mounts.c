// SPDX-License-Identifier: Apache-2.0
#include "host/mounts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "host/access.h"

/* Documentation/admin-guide/sysctl/fs.rst: mount-max is 100,000 unless raised. */
#define MAX_MOUNTS 1000000

#define MAX_FUSE 1024 /* of one namespace; more are not told apart: any mount may be one */
#define LISTS	 16   /* kept at one time */
/* Reading lists again may take that part of the time once they are long. */
#define PAUSE_PER_READ 20
#define SHORT_NS       NSEC_PER_MSEC

/* The list of one mount namespace. */
struct mounts {
	uint64_t namespace; /* its inode; 0: none */
	uint64_t read_ns;   /* when it was read */
	uint64_t *ids;	    /* of all mounts, rising */
	size_t n_ids, ids_size;
	char **fuse; /* lines of mountinfo */
	size_t n_fuse, fuse_size;
	bool many; /* more than MAX_FUSE */
};

/* Of the whole process, as the lists are. */
static struct mounts lists[LISTS];
static uint64_t reads, quiet_until_ns;

static void clear(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->n_fuse; i++)
		free(mounts->fuse[i]);
	free(mounts->fuse);
	free(mounts->ids);
	*mounts = (struct mounts){0};
}

void mounts__forget(void)
{
	for (size_t i = 0; i < LISTS; i++)
		clear(&lists[i]);
	quiet_until_ns = 0;
}

uint64_t mounts__reads(void)
{
	return reads;
}

/* --- lines of mountinfo -------------------------------------------------------------------------- */

/* "fuse", "fuseblk" (on a block device), both also with the program's name: "fuse.sshfs". */
static bool is_fuse(const char *type)
{
	size_t length = strcspn(type, ". \n");

	return (length == 4 && !strncmp(type, "fuse", 4)) ||
	       (length == 7 && !strncmp(type, "fuseblk", 7));
}

/* The number of three digits. */
static unsigned int octal(const char *digits)
{
	unsigned int number = 0;

	for (int i = 0; i < 3; i++)
		number = 8 * number + ((unsigned char)digits[i] - (unsigned int)'0');
	return number;
}

/* Whether @path is the mount point of a line of mountinfo or below it. */
static bool is_below(const char *path, const char *line)
{
	const char *point = line;
	bool below = false; /* the mount point ends in a slash: it is the root */

	/* "24 22 0:45 / /home/joe/remote ...": the fifth word; blanks in it are written as "\040". */
	for (int word = 1; word < 5; word++) {
		point = strchr(point, ' ');
		if (!point)
			return false;
		point++;
	}
	while (*point != ' ' && *point) {
		char c = *point++;

		if (c == '\\' && point[0] && point[1] && point[2]) {
			c = (char)octal(point);
			point += 3;
		}
		if (c != *path++)
			return false;
		below = c == '/';
	}
	return below || !*path || *path == '/';
}

/*
 * A line of mountinfo (proc(5)): the mount's id, then among others paths, whose blanks are escaped,
 * and after a lone "-" the type. False: no memory.
 */
static bool take_line(struct mounts *mounts, const char *line)
{
	const char *separator = strstr(line, " - ");
	char *end, *copy;
	uint64_t id = strtoull(line, &end, 10);

	if (end == line || !separator)
		return true;
	if (!array__reserve(mounts->ids, mounts->ids_size, mounts->n_ids + 1))
		return false;
	mounts->ids[mounts->n_ids++] = id;
	if (!is_fuse(separator + strlen(" - ")))
		return true;
	mounts->many |= mounts->n_fuse == MAX_FUSE;
	if (mounts->many)
		return true;
	copy = array__reserve(mounts->fuse, mounts->fuse_size, mounts->n_fuse + 1) ? strdup(line) :
										     NULL;
	if (copy)
		mounts->fuse[mounts->n_fuse++] = copy;
	return copy;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool has_id(const struct mounts *mounts, uint64_t id)
{
	return mounts->n_ids &&
	       bsearch(&id, mounts->ids, mounts->n_ids, sizeof(id), by_number) != NULL;
}

/* --- reading ------------------------------------------------------------------------------------- */

static void read_lines(struct mounts *mounts, const char *proc_root, pid_t pid)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/mountinfo", proc_root,
			 process__task(proc_root, pid));
	FILE *file __cleanup_fclose = NULL;
	char *line __cleanup_free = NULL;
	size_t size = 0;
	int fd = n < 0 || (size_t)n >= sizeof(path) ? -1 : access__open(path, O_RDONLY);

	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (fd >= 0 && !file)
		close(fd);
	for (int i = 0; file && i < MAX_MOUNTS && getline(&line, &size, file) > 0; i++) {
		if (!take_line(mounts, line))
			break;
	}
	if (mounts->n_ids)
		qsort(mounts->ids, mounts->n_ids, sizeof(mounts->ids[0]), by_number);
}

static void read_list(struct mounts *mounts, uint64_t namespace, const char *proc_root, pid_t pid,
		      uint64_t now_ns)
{
	uint64_t took_ns;

	clear(mounts);
	read_lines(mounts, proc_root, pid);
	mounts->namespace = namespace;
	mounts->read_ns = now_ns;
	reads++;
	took_ns = clock__monotonic_ns() - now_ns;
	if (took_ns > SHORT_NS)
		quiet_until_ns = now_ns + took_ns * PAUSE_PER_READ;
}

/*
 * The list that @pid sees, from after @since_ns and with @mount in it unless that is 0, or as near to that
 * as may be.
 */
static const struct mounts *list_of(const char *proc_root, pid_t pid, uint64_t mount,
				    uint64_t since_ns)
{
	uint64_t now_ns = clock__monotonic_ns();
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/ns/mnt", proc_root, pid);
	struct statx ns = {0};
	struct mounts *list;
	bool known;

	if (n < 0 || (size_t)n >= sizeof(path) || access__stat(path, STATX_INO, &ns))
		ns.stx_ino = 0;
	list = &lists[hash__keyed_word(ns.stx_ino) % LISTS];
	/* Without a namespace to tell it by, a list is nobody else's. */
	known = ns.stx_ino && list->namespace == ns.stx_ino;
	if (known && (mount ? has_id(list, mount) : list->read_ns >= since_ns))
		return list;
	if (now_ns >= quiet_until_ns || !ns.stx_ino)
		read_list(list, ns.stx_ino, proc_root, pid, now_ns);
	else if (!known)
		return NULL;
	return list;
}

bool mounts__is_fuse(const char *proc_root, pid_t pid, uint64_t mount)
{
	const struct mounts *list = list_of(proc_root, pid, mount, 0);

	if (!list || !has_id(list, mount))
		return false;
	for (size_t i = 0; i < list->n_fuse; i++) {
		if (strtoull(list->fuse[i], NULL, 10) == mount)
			return true;
	}
	return list->many;
}

bool mounts__is_below_fuse(const char *proc_root, pid_t pid, const char *path)
{
	uint64_t now_ns = clock__monotonic_ns();
	const struct mounts *list =
		list_of(proc_root, pid, 0, now_ns - min_of(now_ns, (uint64_t)NSEC_PER_SEC));

	for (size_t i = 0; list && i < list->n_fuse; i++) {
		if (is_below(path, list->fuse[i]))
			return true;
	}
	return list && list->many;
}
