// SPDX-License-Identifier: Apache-2.0
#include "host/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "host/access.h"
#include "host/maps.h"

#define DELETED_SUFFIX " (deleted)"

/* --- what is mapped ------------------------------------------------------------------------------ */

/* maps writes a newline as "\012" and leaves all other bytes alone. */
static void copy_path(char out[PATH_MAX], const char *in)
{
	size_t n = 0;

	while (*in && n < PATH_MAX - 1) {
		bool newline = !strncmp(in, "\\012", 4);

		out[n++] = newline ? '\n' : *in;
		in += newline ? 4 : 1;
	}
	out[n] = '\0';
}

static void describe(const struct maps_line *line, struct mapped_file *file)
{
	size_t suffix = strlen(DELETED_SUFFIX), length;

	*file = (struct mapped_file){
		.start = line->mapping.start,
		.end = line->mapping.end,
		.file_offset = line->mapping.file_offset,
		.major = line->major,
		.minor = line->minor,
		.inode = line->inode,
	};
	copy_path(file->path, line->path);
	length = strlen(file->path);
	file->removed = length > suffix && !strcmp(file->path + length - suffix, DELETED_SUFFIX);
	if (file->removed)
		file->path[length - suffix] = '\0';
}

struct search {
	uint64_t address;
	struct mapped_file *found;
	struct maps_line beginning; /* of a file: the last one met */
	bool (*fn)(void *ctx, const struct mapped_file *file);
	void *ctx;
};

static bool is_around(void *ctx, const struct maps_line *line)
{
	struct search *search = ctx;

	if (search->address < line->mapping.start || search->address >= line->mapping.end)
		return true;
	if (line->inode)
		describe(line, search->found);
	return false;
}

static int read_maps(const char *proc_root, pid_t pid,
		     bool (*fn)(void *ctx, const struct maps_line *line), struct search *search)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/maps", proc_root,
			 process__task(proc_root, pid));

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return maps__each(path, fn, search);
}

int mapped_file__at(const char *proc_root, pid_t pid, uint64_t address,
		    struct mapped_file *ret_file)
{
	struct mapped_file found = {.inode = 0};
	struct search search = {.address = address, .found = &found};
	int err = read_maps(proc_root, pid, is_around, &search);

	if (err)
		return err;
	if (!found.inode)
		return -ENOENT;
	*ret_file = found;
	return 0;
}

static bool same_file(const struct maps_line *a, const struct maps_line *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

static bool tell_executable(void *ctx, const struct maps_line *line)
{
	struct search *search = ctx;
	struct mapped_file file;

	if (!line->inode)
		return true;
	if (!line->mapping.file_offset)
		search->beginning = *line;
	if (!line->mapping.executable)
		return true;
	describe(line, &file);
	if (same_file(line, &search->beginning))
		file.image = search->beginning.mapping.start;
	return search->fn(search->ctx, &file);
}

int mapped_file__each_executable(const char *proc_root, pid_t pid,
				 bool (*fn)(void *ctx, const struct mapped_file *file), void *ctx)
{
	struct search search = {.fn = fn, .ctx = ctx};

	return read_maps(proc_root, pid, tell_executable, &search);
}

const char *mapped_file__name(const struct mapped_file *file)
{
	return text__base_name(file->path);
}

/* --- the file ------------------------------------------------------------------------------------ */

/*
 * By its path below the root of the process; symbolic links that were put there since cannot lead
 * out of it.
 */
static int reach_by_path(const char *proc_root, pid_t pid, const struct mapped_file *file,
			 int flags)
{
	char path[PATH_MAX];
	struct stat found;
	int fd;

	if (file->removed || file->path[0] != '/')
		return -EACCES;
	/* Looking up the names on the way would already ask the file system. */
	if (image_file__path_may_block(proc_root, pid, file->path))
		return -EAGAIN;
	if (snprintf(path, sizeof(path), "%s/%d/root", proc_root, pid) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = access__open_below(path, file->path, flags);
	if (fd < 0)
		return fd == -ENOENT ? -ESTALE : -EACCES;
	if (!fstat(fd, &found) && found.st_ino == file->inode)
		return fd;
	close(fd);
	return -ESTALE;
}

static int reach_by_address(const char *proc_root, pid_t pid, const struct mapped_file *file,
			    int flags)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/map_files/%llx-%llx", proc_root, pid,
			 (unsigned long long)file->start, (unsigned long long)file->end);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return access__open(path, flags);
}

/* @flags O_PATH: no file system has been asked for anything yet. */
static int reach(const char *proc_root, pid_t pid, const struct mapped_file *file, int flags)
{
	int fd = reach_by_address(proc_root, pid, file, flags);
	pid_t task = fd < 0 ? process__task(proc_root, pid) : pid;

	if (task != pid)
		fd = reach_by_address(proc_root, task, file, flags);
	return fd < 0 && fd != -ENOEXEC ? reach_by_path(proc_root, task, file, flags) : fd;
}

int mapped_file__identify(const char *proc_root, pid_t pid, const struct mapped_file *file,
			  struct exe_file *ret_file)
{
	int fd __cleanup_close = reach(proc_root, pid, file, O_PATH);

	return fd < 0 ? fd : exe_file__of(fd, ret_file);
}

static int explain(int err, pid_t pid, const struct mapped_file *file, struct failure *failure)
{
	switch (err) {
	case -ESRCH:
		return failure__set(failure, err, "process %d has ended", pid);
	case -EACCES:
		return failure__set(
			failure, err,
			"%s, which process %d has mapped, cannot be opened: %sthat needs "
			"CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN; run gleakd with sudo",
			file->path, pid, file->removed ? "no path leads to it any more, and " : "");
	case -ESTALE:
		return failure__set(
			failure, err,
			"%s is not the file any more that process %d has mapped; to reach "
			"that needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN",
			file->path, pid);
	case -EAGAIN:
		return failure__set(
			failure, err,
			"%s, which process %d has mapped, is on a FUSE file system, whose "
			"server could hold gleakd up for ever",
			file->path, pid);
	default:
		return failure__set(failure, err, "cannot open %s, which process %d has mapped: %s",
				    file->path, pid, strerror(-err));
	}
}

int mapped_file__open(const char *proc_root, pid_t pid, const struct mapped_file *file,
		      struct failure *failure)
{
	struct exe_file found, opened;
	int fd, err = mapped_file__identify(proc_root, pid, file, &found);

	if (!err && image_file__may_block(proc_root, pid, &found.file))
		err = -EAGAIN;
	if (err)
		return explain(err, pid, file, failure);
	fd = reach(proc_root, pid, file, O_RDONLY);
	if (fd == -ENOEXEC)
		return failure__set(failure, fd, "%s is not a regular file", file->path);
	if (fd < 0)
		return explain(fd == -EPERM ? -EACCES : fd, pid, file, failure);
	/* Another file may be mapped there by now. */
	if (!exe_file__of(fd, &opened) && opened.file.inode == found.file.inode &&
	    opened.file.device == found.file.device)
		return fd;
	close(fd);
	return explain(-ESTALE, pid, file, failure);
}
