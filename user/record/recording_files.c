// SPDX-License-Identifier: Apache-2.0
#include "record/recording_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/access.h"

/* An absolute name, which SQLite neither completes nor follows. */
#define NAME "/gleakd recording"

static const char *real_path;
static bool reading;

/* Of one that is read, where @real_path leads: what SQLite appends to its name is appended to that. */
static char read_path[RECORDING_PATH_MAX];

/* --- the system calls of SQLite (xSetSystemCall of its VFS "unix") --------------------------------- */

/* The file that SQLite calls @name; false: it is none of a recording. */
static bool is_ours(const char *name, char path[RECORDING_PATH_MAX])
{
	const char *suffix = name + strlen(NAME);

	if (!real_path || strncmp(name, NAME, strlen(NAME)) != 0)
		return false;
	snprintf(path, RECORDING_PATH_MAX, "%s%s", reading && *suffix ? read_path : real_path,
		 suffix);
	return true;
}

static int as_call(int result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

static int open_file(const char *name, int flags, int mode)
{
	char path[RECORDING_PATH_MAX];

	if (!is_ours(name, path))
		return open(name, flags, mode);
	if (!reading)
		return as_call(access__output(OUTPUT_DATABASE, path));
	/* As where nobody may write, with which SQLite is at home. */
	return as_call((flags & O_ACCMODE) != O_RDONLY ? -EACCES : access__input(path, O_NOCTTY));
}

/*
 * By a descriptor that only names the file: closing any other would drop the locks that this process has of it
 * (fs/locks.c locks_remove_posix).
 */
static int look_at(const char *path, struct stat *found)
{
	int fd __cleanup_close =
		reading ? access__input(path, O_PATH) : access__output(OUTPUT_LOOK, path);

	if (fd < 0)
		return fd;
	return fstat(fd, found) ? -errno : 0;
}

static int stat_file(const char *name, struct stat *found)
{
	char path[RECORDING_PATH_MAX];

	return is_ours(name, path) ? as_call(look_at(path, found)) : stat(name, found);
}

/* Asked only for what is a symbolic link on the way: nothing is. */
static int lstat_file(const char *name, struct stat *found)
{
	char path[RECORDING_PATH_MAX];

	return is_ours(name, path) ? as_call(-ENOENT) : lstat(name, found);
}

static int access_file(const char *name, int mode)
{
	char path[RECORDING_PATH_MAX];
	struct stat found;

	return is_ours(name, path) ? as_call(look_at(path, &found)) : access(name, mode);
}

static int unlink_file(const char *name)
{
	char path[RECORDING_PATH_MAX];

	if (!is_ours(name, path))
		return unlink(name);
	return as_call(reading ? -EACCES : access__output(OUTPUT_REMOVE, path));
}

/* --- the interface ------------------------------------------------------------------------------- */

static const char *use(const char *path, bool to_read)
{
	sqlite3_vfs *vfs = sqlite3_initialize() ? NULL : sqlite3_vfs_find("unix");

	reading = to_read;
	if (!vfs)
		return path;
	vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)open_file);
	vfs->xSetSystemCall(vfs, "stat", (sqlite3_syscall_ptr)stat_file);
	vfs->xSetSystemCall(vfs, "lstat", (sqlite3_syscall_ptr)lstat_file);
	vfs->xSetSystemCall(vfs, "access", (sqlite3_syscall_ptr)access_file);
	vfs->xSetSystemCall(vfs, "unlink", (sqlite3_syscall_ptr)unlink_file);
	real_path = path;
	return NAME;
}

const char *recording_files__use(const char *path)
{
	return use(path, false);
}

int recording_files__find(const char *path, uint64_t *ret_bytes, const char **ret_name)
{
	int fd __cleanup_close = access__input(path, O_PATH);
	struct stat found;
	char link[64];
	ssize_t n;

	if (fd < 0)
		return fd;
	if (fstat(fd, &found))
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, read_path, PATH_MAX);
	snprintf(read_path + max_of(n, (ssize_t)0),
		 sizeof(read_path) - (size_t)max_of(n, (ssize_t)0), "%s", n > 0 ? "" : path);
	*ret_bytes = (uint64_t)found.st_size;
	*ret_name = use(path, true);
	return 0;
}

int recording_files__create(const char *path, struct failure *failure)
{
	int fd __cleanup_close = access__output(OUTPUT_DATABASE, path);
	struct stat found;
	int err = fd < 0 ? fd : 0;

	if (!err && fstat(fd, &found))
		err = -errno;
	if (err)
		return failure__set(failure, err, "--output: %s: %s; name a file that can be made",
				    path, strerror(-err));
	if (!S_ISREG(found.st_mode) || found.st_size)
		return failure__set(failure, -EEXIST,
				    "--output: %s exists; remove it, or name a file that does not",
				    path);
	return 0;
}

uint64_t recording_files__size(const char *path)
{
	char journal[RECORDING_PATH_MAX];
	struct stat found;
	uint64_t bytes = look_at(path, &found) ? 0 : (uint64_t)found.st_size;

	snprintf(journal, sizeof(journal), "%s-wal", path);
	return bytes + (look_at(journal, &found) ? 0 : (uint64_t)found.st_size);
}

void recording_files__remove(const char *path)
{
	(void)!access__output(OUTPUT_REMOVE, path);
}
