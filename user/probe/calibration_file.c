// SPDX-License-Identifier: Apache-2.0
#include "probe/calibration_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/read.h"
#include "base/temp_file.h"
#include "probe/calibration_text.h"
#include "version.h"

#define FOLDER	"/run/gleakd"
#define NAME	"calibration"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* --- the scope of here and now ------------------------------------------------------------------- */

static int find_scope(struct calibration_scope *scope)
{
	int fd __cleanup_close = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	struct utsname kernel;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read__whole(fd, scope->boot, sizeof(scope->boot) - 1);
	if (n <= 0 || uname(&kernel))
		return n < 0 ? (int)n : -EPROTO;
	scope->boot[n] = '\0';
	scope->boot[strcspn(scope->boot, "\n")] = '\0';
	snprintf(scope->kernel, sizeof(scope->kernel), "%s %s", kernel.release, kernel.version);
	snprintf(scope->build, sizeof(scope->build), "%s %s", GLEAKD_VERSION, GLEAKD_REVISION);
	scope->now_ns = clock__monotonic_ns();
	return 0;
}

/* --- the file ------------------------------------------------------------------------------------ */

const char *calibration_file__folder(void)
{
	const char *folder = getenv("RUNTIME_DIRECTORY");

	if (!folder || !*folder)
		return FOLDER;
	/* systemd puts several into one, with colons between; such a unit is none of ours. */
	return folder[0] == '/' && !strchr(folder, ':') ? folder : NULL;
}

/* Belongs to root or to who runs this, and nobody else may write to it. */
static bool is_ours(const struct stat *stat)
{
	return (stat->st_uid == 0 || stat->st_uid == geteuid()) &&
	       !(stat->st_mode & (S_IWGRP | S_IWOTH));
}

static int open_folder(const char *folder, int *ret_fd)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat stat;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) || !is_ours(&stat)) {
		close(fd);
		return -EPERM;
	}
	*ret_fd = fd;
	return 0;
}

int calibration_file__read(const char *folder, struct calibration *ret_calibration)
{
	int folder_fd __cleanup_close = -1, fd __cleanup_close = -1;
	char text[CALIBRATION_TEXT_SIZE];
	struct calibration_scope scope;
	struct stat stat;
	ssize_t n;
	int err = open_folder(folder, &folder_fd);

	if (err)
		return err;
	fd = openat(folder_fd, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EPROTO;
	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode))
		return -EPROTO;
	if (!is_ours(&stat))
		return -EPERM;
	n = read__whole(fd, text, sizeof(text));
	if (n < 0 || n == sizeof(text) || memchr(text, '\0', (size_t)n))
		return -EPROTO;
	text[n] = '\0';
	err = find_scope(&scope);
	return err ? err : calibration_text__read(text, &scope, ret_calibration);
}

static int write_text(const char *path, const char *text, size_t n)
{
	char temporary[PATH_MAX];
	int fd __cleanup_close = -1;
	int err;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s%s", path, TEMP_FILE_SUFFIX) >=
	    sizeof(temporary))
		return -ENAMETOOLONG;
	err = temp_file__create(temporary, 0600, &fd);
	if (err)
		return err;
	/* Not synced: it does not outlive this boot. */
	if (write(fd, text, n) == (ssize_t)n && !rename(temporary, path))
		return 0;
	err = errno ? -errno : -ENOSPC;
	unlink(temporary);
	return err;
}

int calibration_file__write(const char *folder, const struct calibration *calibration)
{
	int folder_fd __cleanup_close = -1;
	char text[CALIBRATION_TEXT_SIZE], path[PATH_MAX];
	struct calibration_scope scope;
	int err;

	if (mkdir(folder, 0755) && errno != EEXIST)
		return -errno;
	err = open_folder(folder, &folder_fd);
	if (!err)
		err = find_scope(&scope);
	if (err)
		return err;
	/* Nobody else may put another folder there between one call and the next: it is ours. */
	if ((size_t)snprintf(path, sizeof(path), "%s/" NAME, folder) >= sizeof(path))
		return -ENAMETOOLONG;
	return write_text(path, text, calibration_text__write(calibration, &scope, text));
}
