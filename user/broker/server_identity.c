// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "broker/server_private.h"
#include "host/exe_file.h"
#include "host/maps.h"
#include "host/process.h"

bool broker_server__has_opened(const struct broker_server *server, pid_t pid)
{
	for (size_t i = 0; i < BROKER_MAX_MEMORIES; i++) {
		if (server->pids[i] == pid && access__memory_in_use(server->memories[i]) == 1)
			return true;
	}
	return false;
}

/* What a process has mapped of a file as code. */
struct code {
	ino_t inode;
	const struct program_place *places;
	size_t n;
	struct process_mapping mapping; /* one of them; end 0: none */
	bool mapped[PROGRAM_PLACES_MAX];
};

static bool note_code(void *ctx, const struct maps_line *line)
{
	const struct process_mapping *mapping = &line->mapping;
	struct code *code = ctx;

	if (!mapping->executable || line->inode != code->inode)
		return true;
	code->mapping = *mapping;
	for (size_t i = 0; i < code->n; i++) {
		uint64_t offset = code->places[i].file_offset;

		code->mapped[i] |= offset >= mapping->file_offset &&
				   offset - mapping->file_offset < mapping->end - mapping->start;
	}
	return true;
}

/* Also over a mount or another: that is not compared. */
static bool same_file(const struct exe_file *a, const struct exe_file *b)
{
	return a->file.device == b->file.device && a->file.inode == b->file.inode;
}

/*
 * What maps says of the device is not always what stat(2) says (btrfs, overlayfs), so the file itself is asked. Who may
 * not open what others have mapped (CAP_CHECKPOINT_RESTORE) has the inode alone to go by.
 */
static int check_file(pid_t task, const struct exe_file *file,
		      const struct process_mapping *mapping)
{
	int fd __cleanup_close = -1;
	struct exe_file found;
	char path[96];

	if (!exe_file__identify(PROC_ROOT, task, &found) && same_file(&found, file))
		return 0;
	snprintf(path, sizeof(path), PROC_ROOT "/%d/map_files/%" PRIx64 "-%" PRIx64, task,
		 mapping->start, mapping->end);
	fd = access__open(path, O_PATH);
	if (fd == -EPERM || fd == -EACCES)
		return 0;
	return fd >= 0 && !exe_file__of(fd, &found) && same_file(&found, file) ? 0 : -ESRCH;
}

int broker_server__check_code(pid_t pid, int fd, const struct program_place *places, size_t n)
{
	struct code code = {.places = places, .n = n};
	pid_t task = process__task(PROC_ROOT, pid);
	struct exe_file file;
	char path[64];
	int err = exe_file__of(fd, &file);

	code.inode = file.file.inode;
	snprintf(path, sizeof(path), PROC_ROOT "/%d/maps", task);
	if (!err)
		err = maps__each(path, note_code, &code);
	for (size_t i = 0; i < n && !err; i++)
		err = code.mapped[i] ? 0 : -ESRCH;
	if (!err)
		err = code.mapping.end ? check_file(task, &file, &code.mapping) : -ESRCH;
	return err;
}
