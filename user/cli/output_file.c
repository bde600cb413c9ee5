// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/stream.h"
#include "host/access.h"

enum way {
	NOT_OPEN,
	BESIDE,	  /* under another name, until it is whole */
	OVER,	  /* in memory, until it is whole */
	AS_COMES, /* there at once */
};

struct output_file {
	const char *option;
	const char *path;
	enum way way;
	bool made; /* there was nothing of that name */
	bool kept;
	FILE *out;
	int fd; /* OVER: the file */
	char *bytes;
	size_t size;
};

/* --- which way ------------------------------------------------------------------------------------- */

/* Whether another file can take its place, and nobody minds. */
static bool is_replaceable(const struct statx *found)
{
	return S_ISREG(found->stx_mode) && found->stx_nlink == 1 &&
	       !(found->stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* -EXDEV: not this way. */
static int open_beside(struct output_file *file, const struct statx *found)
{
	int fd = access__output(OUTPUT_BESIDE, file->path);
	struct stat made;

	if (fd < 0)
		return fd == -EBUSY ? fd : -EXDEV;
	if (!file->made && (fstat(fd, &made) || made.st_uid != found->stx_uid ||
			    made.st_gid != found->stx_gid || fchmod(fd, found->stx_mode & 0777)))
		goto not_so;
	file->out = fdopen(fd, "w");
	if (!file->out)
		goto not_so;
	file->way = BESIDE;
	return 0;

not_so:
	close(fd);
	(void)!access__output(OUTPUT_DISCARD, file->path);
	return -EXDEV;
}

static int open_itself(struct output_file *file)
{
	struct stat found;

	file->fd = access__output(OUTPUT_OPEN, file->path);
	if (file->fd < 0)
		return file->fd;
	if (fstat(file->fd, &found))
		return -errno;
	file->way = S_ISREG(found.st_mode) ? OVER : AS_COMES;
	file->out = file->way == OVER ? open_memstream(&file->bytes, &file->size) :
					fdopen(file->fd, "w");
	if (!file->out)
		return -ENOMEM;
	if (file->way == AS_COMES)
		file->fd = -1;
	return 0;
}

static int open_one_way(struct output_file *file)
{
	int fd __cleanup_close = access__output(OUTPUT_LOOK, file->path);
	struct statx found = {0};
	int err = -EXDEV;

	file->made = fd == -ENOENT;
	if (fd >= 0 && statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &found))
		return -errno;
	if (file->made || is_replaceable(&found))
		err = open_beside(file, &found);
	return err == -EXDEV ? open_itself(file) : err;
}

static const char *advice(int err)
{
	return err == -EBUSY ? "another gleakd is writing it: give each a file of its own" :
			       "name a file that can be written";
}

int output_file__open(const char *option, const char *path, struct output_file **ret_file,
		      struct failure *failure)
{
	struct output_file *file = calloc(1, sizeof(*file));
	int err;

	if (!file)
		return -ENOMEM;
	file->option = option;
	file->path = path;
	file->fd = -1;
	err = open_one_way(file);
	if (!err) {
		*ret_file = file;
		return 0;
	}
	output_file__close(file);
	if (err == -ENXIO)
		return failure__set(
			failure, err,
			"%s: nobody reads the FIFO %s; begin to read it before, or name "
			"a file",
			option, path);
	return failure__set(failure, err, "%s: %s: %s; %s", option, path, strerror(-err),
			    advice(err));
}

/* --- writing --------------------------------------------------------------------------------------- */

FILE *output_file__out(const struct output_file *file)
{
	return file->out;
}

static int write_over(struct output_file *file)
{
	int err = fclose(file->out) ? -ENOMEM : 0;

	file->out = NULL;
	if (err)
		return err;
	file->out = fdopen(file->fd, "w");
	if (!file->out)
		return -ENOMEM;
	if (ftruncate(file->fd, 0))
		err = -errno;
	file->fd = -1;
	return err ? err : stream__write(file->out, file->bytes, file->size);
}

int output_file__keep(struct output_file *file, struct failure *failure)
{
	int err = file->way == OVER ? write_over(file) : stream__flush(file->out);

	if (!err && file->way == BESIDE)
		err = access__output(OUTPUT_REPLACE, file->path);
	file->kept = !err;
	if (!err)
		return 0;
	return failure__set(failure, err, "%s: %s: %s; %s", file->option, file->path,
			    strerror(-err),
			    file->way == BESIDE ? "it is as it was" : "it is not whole");
}

void output_file__close(struct output_file *file)
{
	if (!file)
		return;
	if (file->out)
		fclose(file->out);
	if (file->fd >= 0)
		close(file->fd);
	if (!file->kept && file->way == BESIDE)
		(void)!access__output(OUTPUT_DISCARD, file->path);
	else if (!file->kept && file->way == OVER && file->made)
		(void)!access__output(OUTPUT_REMOVE, file->path);
	free(file->bytes);
	free(file);
}
