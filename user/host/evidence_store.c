// SPDX-License-Identifier: Apache-2.0
#include "host/evidence_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"

#define NEW_NAME ".new"
/* Several in one second about one site: more than hours allow. */
#define MAX_SAME_NAME 9

struct item {
	char name[EVIDENCE_NAME_SIZE];
	uint64_t seconds; /* by its name */
	pid_t pid;
	uint32_t site;
	uint64_t bytes;
};

struct evidence_store {
	int fd;
	struct evidence_limits limits;
	struct item *items; /* the oldest first */
	size_t n, capacity;
	uint64_t bytes; /* of all of them */
	/* The one that was begun. */
	int folder; /* -1: none was */
	int files[EVIDENCE_FILES];
	struct item item;
};

static const char *const file_names[EVIDENCE_FILES] = {
	[EVIDENCE_REPORT] = "report.json",
	[EVIDENCE_GOROUTINES] = "goroutines.txt",
	[EVIDENCE_PROFILE] = "goroutines.pb.gz",
	[EVIDENCE_HEAP] = "heap.txt",
};

const char *evidence_file__name(enum evidence_file file)
{
	return file_names[file];
}

/* --- names --------------------------------------------------------------------------------------- */

static void make_name(struct item *item, unsigned int number)
{
	time_t seconds = (time_t)item->seconds;
	char again[4] = "", when[] = "20260102T030405Z";
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc);
	if (number > 1)
		snprintf(again, sizeof(again), "-%u", number % (MAX_SAME_NAME + 1));
	snprintf(item->name, sizeof(item->name), "%s-%d-%08x%s", when, item->pid, item->site,
		 again);
}

/* False: it is no name of make_name(). */
static bool read_name(const char *name, struct item *ret_item)
{
	struct tm utc = {.tm_mday = 1};
	unsigned int site, number = 1;
	int pid, end = 0;
	struct item made;

	if (strlen(name) >= EVIDENCE_NAME_SIZE ||
	    sscanf(name, "%4d%2d%2dT%2d%2d%2dZ-%9d-%8x%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
		   &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &pid, &site, &end) != 8)
		return false;
	if (name[end] == '-')
		number = (unsigned int)(name[end + 1] - '0');
	if (number < 1 || number > MAX_SAME_NAME || pid <= 0)
		return false;
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	made = (struct item){.seconds = (uint64_t)timegm(&utc), .pid = pid, .site = site};
	make_name(&made, number);
	/* It reads the same again: there is no other way to write it. */
	if (strcmp(made.name, name) != 0)
		return false;
	*ret_item = made;
	return true;
}

/* --- folders ------------------------------------------------------------------------------------- */

static int open_folder(const struct evidence_store *store, const char *name)
{
	int fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Its files, and itself if somebody else has not put more into it. */
static int remove_folder(const struct evidence_store *store, const char *name)
{
	int fd __cleanup_close = open_folder(store, name);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < EVIDENCE_FILES; i++) {
		if (unlinkat(fd, file_names[i], 0) && errno != ENOENT)
			return -errno;
	}
	return unlinkat(store->fd, name, AT_REMOVEDIR) ? -errno : 0;
}

static uint64_t measure_folder(const struct evidence_store *store, const char *name)
{
	int fd __cleanup_close = open_folder(store, name);
	uint64_t bytes = 0;
	struct stat found;

	for (size_t i = 0; i < EVIDENCE_FILES && fd >= 0; i++) {
		if (!fstatat(fd, file_names[i], &found, AT_SYMLINK_NOFOLLOW))
			bytes += (uint64_t)found.st_size;
	}
	return bytes;
}

static void close_begun(struct evidence_store *store)
{
	for (size_t i = 0; i < EVIDENCE_FILES; i++) {
		if (store->files[i] >= 0)
			close(store->files[i]);
		store->files[i] = -1;
	}
	if (store->folder >= 0)
		close(store->folder);
	store->folder = -1;
}

/* --- what there is ------------------------------------------------------------------------------- */

static int add_item(struct evidence_store *store, const struct item *item)
{
	if (!array__reserve(store->items, store->capacity, store->n + 1))
		return -ENOMEM;
	store->items[store->n++] = *item;
	store->bytes += item->bytes;
	return 0;
}

static void remove_oldest(struct evidence_store *store)
{
	/* What cannot be removed is somebody else's from now on. */
	(void)!remove_folder(store, store->items[0].name);
	store->bytes -= store->items[0].bytes;
	memmove(store->items, store->items + 1, --store->n * sizeof(*store->items));
}

static void make_room(struct evidence_store *store)
{
	while (store->n > store->limits.items || (store->n && store->bytes > store->limits.bytes))
		remove_oldest(store);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static int list_items(struct evidence_store *store)
{
	int fd = fcntl(store->fd, F_DUPFD_CLOEXEC, 0);
	DIR *folder __cleanup_closedir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	struct item item;
	int err = 0;

	if (!folder) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err && (entry = readdir(folder))) {
		if (!read_name(entry->d_name, &item))
			continue;
		item.bytes = measure_folder(store, item.name);
		err = store->n < EVIDENCE_MAX_ITEMS ? add_item(store, &item) : -E2BIG;
	}
	if (store->n)
		qsort(store->items, store->n, sizeof(*store->items), by_name);
	return err;
}

/* --- opening ------------------------------------------------------------------------------------- */

static int check_owner(int fd, const char *path, struct failure *failure)
{
	struct stat found;

	if (fstat(fd, &found))
		return failure__set(failure, -errno, "--evidence: %s: %s", path, strerror(errno));
	if (found.st_uid == geteuid() && !(found.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return failure__set(
		failure, -EPERM,
		"--evidence: %s: others than gleakd may write there; name a folder of its "
		"own, which is made if it is not there",
		path);
}

static int open_path(const char *path, struct failure *failure)
{
	int fd;

	if (mkdir(path, 0700) && errno != EEXIST)
		return failure__set(
			failure, -errno,
			"--evidence: %s cannot be made: %s; name a folder in one that is "
			"there and can be written",
			path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return failure__set(failure, -errno,
			    "--evidence: %s: %s; name a folder, and not a link to one", path,
			    strerror(errno));
}

static int fill(struct evidence_store *store, const char *path, struct failure *failure)
{
	int err = check_owner(store->fd, path, failure);

	if (err)
		return err;
	/* Not every file system has locks; there a second gleakd goes unnoticed. */
	if (flock(store->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return failure__set(failure, -EBUSY,
				    "--evidence: another gleakd keeps what it finds in %s; name "
				    "another folder",
				    path);
	err = remove_folder(store, NEW_NAME);
	if (!err || err == -ENOENT)
		err = list_items(store);
	if (err)
		return failure__set(failure, err, "--evidence: %s: %s; name another folder", path,
				    strerror(-err));
	make_room(store);
	return 0;
}

int evidence_store__open(const char *path, const struct evidence_limits *limits,
			 struct evidence_store **ret_store, struct failure *failure)
{
	struct evidence_store *store = calloc(1, sizeof(*store));
	int err;

	if (!store)
		return failure__set(failure, -ENOMEM, "out of memory");
	store->limits = *limits;
	store->folder = -1;
	for (size_t i = 0; i < EVIDENCE_FILES; i++)
		store->files[i] = -1;
	store->fd = open_path(path, failure);
	err = store->fd < 0 ? store->fd : fill(store, path, failure);
	if (err) {
		evidence_store__close(store);
		return err;
	}
	*ret_store = store;
	return 0;
}

void evidence_store__close(struct evidence_store *store)
{
	if (!store)
		return;
	evidence_store__discard(store);
	if (store->fd >= 0)
		close(store->fd);
	free(store->items);
	free(store);
}

/* --- writing ------------------------------------------------------------------------------------- */

/* The one of this hour; NULL. */
static const struct item *find_recent(const struct evidence_store *store, pid_t pid, uint32_t site,
				      uint64_t now_seconds)
{
	for (size_t i = store->n; i-- > 0;) {
		const struct item *item = &store->items[i];

		if (item->pid == pid && item->site == site && item->seconds <= now_seconds &&
		    now_seconds - item->seconds < EVIDENCE_AGAIN_SECONDS)
			return item;
	}
	return NULL;
}

int evidence_store__begin(struct evidence_store *store, pid_t pid, uint32_t site,
			  uint64_t now_seconds, char name[EVIDENCE_NAME_SIZE])
{
	const struct item *recent = find_recent(store, pid, site, now_seconds);
	int fd;

	evidence_store__discard(store);
	if (recent) {
		memcpy(name, recent->name, EVIDENCE_NAME_SIZE);
		return -EEXIST;
	}
	if (mkdirat(store->fd, NEW_NAME, 0700))
		return -errno;
	fd = open_folder(store, NEW_NAME);
	if (fd < 0)
		return fd;
	store->folder = fd;
	store->item = (struct item){.seconds = now_seconds, .pid = pid, .site = site};
	return 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n <= 0)
			continue;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

int evidence_store__append(struct evidence_store *store, enum evidence_file file, const void *bytes,
			   size_t size)
{
	int *fd = &store->files[file];

	if (store->folder < 0)
		return -EBADF;
	if (size > store->limits.bytes - store->item.bytes)
		return -EFBIG;
	if (*fd < 0)
		*fd = openat(store->folder, file_names[file],
			     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return -errno;
	store->item.bytes += size;
	return write_all(*fd, bytes, size);
}

/* A name that is not taken. Folders are only renamed to one that is not there, or is empty. */
static int rename_new(struct evidence_store *store)
{
	for (unsigned int number = 1; number <= MAX_SAME_NAME; number++) {
		make_name(&store->item, number);
		if (!renameat(store->fd, NEW_NAME, store->fd, store->item.name))
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
			return -errno;
	}
	return -EEXIST;
}

int evidence_store__keep(struct evidence_store *store, char name[EVIDENCE_NAME_SIZE])
{
	int err = store->folder < 0 ? -EBADF : 0;

	if (!err)
		err = rename_new(store);
	if (err) {
		evidence_store__discard(store);
		return err;
	}
	close_begun(store);
	err = add_item(store, &store->item);
	if (err)
		return err;
	/* The clock may have been set back: the newest is not the one that goes. */
	make_room(store);
	memcpy(name, store->item.name, EVIDENCE_NAME_SIZE);
	return 0;
}

void evidence_store__discard(struct evidence_store *store)
{
	if (store->folder < 0)
		return;
	close_begun(store);
	(void)!remove_folder(store, NEW_NAME);
}
