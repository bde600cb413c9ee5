// SPDX-License-Identifier: Apache-2.0
/*
 * Where gleakd writes. Any file system may be in the way of it, also one that does not answer (NFS,
 * FUSE), so a child looks and is left to itself when it takes too long.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor/parts.h"

#define FILES "files"

/* prometheus-node-exporter of Debian and Ubuntu. */
#define DEBIAN_DIRECTORY "/var/lib/prometheus/node-exporter"

#define PATIENCE_MS 2000

/* What a child found out about a directory. */
struct directory {
	int err;	  /* of making a file there; -ETIMEDOUT: it does not answer */
	bool for_others;  /* other users may read files there */
	bool target_kind; /* the file itself, if there is one, is a regular one */
};

/* --- the child ----------------------------------------------------------------------------------- */

/* A file without a name vanishes with its descriptor; not every file system can make one. */
static int make_file(const char *path)
{
	int fd = open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return -errno;
	return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) ? -errno : 0;
}

static struct directory examine(const char *path, const char *file)
{
	struct directory found = {.target_kind = true};
	struct statvfs space;
	struct stat status;

	if (stat(path, &status))
		return (struct directory){.err = -errno};
	if (!S_ISDIR(status.st_mode))
		return (struct directory){.err = -ENOTDIR};
	found.for_others = (status.st_mode & (S_IROTH | S_IXOTH)) == (S_IROTH | S_IXOTH);
	found.err = make_file(path);
	if (!found.err && !statvfs(path, &space) && space.f_blocks && !space.f_bavail && geteuid())
		found.err = -ENOSPC;
	if (file && !lstat(file, &status))
		found.target_kind = S_ISREG(status.st_mode);
	return found;
}

/* Lets go of what others wait for the end of, should this process never get to its own. */
static void examine_and_tell(const char *path, const char *file, int fd)
{
	struct directory found;

	for (int standard = 0; standard <= STDERR_FILENO; standard++)
		close(standard);
	found = examine(path, file);
	_exit(write(fd, &found, sizeof(found)) == sizeof(found) ? 0 : 1);
}

/* --- the parent ---------------------------------------------------------------------------------- */

static struct directory hear(int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	struct directory found;
	int n;

	do
		n = poll(&readable, 1, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return (struct directory){.err = -ETIMEDOUT};
	if (read(fd, &found, sizeof(found)) != sizeof(found))
		return (struct directory){.err = -EIO};
	return found;
}

static struct directory look_at(const char *path, const char *file)
{
	struct directory found;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return (struct directory){.err = -errno};
	/* The pipe's writing end must not be a standard descriptor, which the child closes. */
	pid = fds[1] > STDERR_FILENO ? fork() : -1;
	if (!pid)
		examine_and_tell(path, file, fds[1]);
	close(fds[1]);
	found = pid < 0 ? (struct directory){.err = -EAGAIN} : hear(fds[0]);
	close(fds[0]);
	if (pid < 0)
		return found;
	kill(pid, SIGKILL);
	/* One that its file system holds is left behind as it is. */
	waitpid(pid, NULL, found.err == -ETIMEDOUT ? WNOHANG : 0);
	return found;
}

static const char *advice_for(int err)
{
	switch (-err) {
	case ENOENT:
	case ENOTDIR:
		return "create it, and name it in --collector.textfile.directory of node_exporter";
	case EACCES:
	case EPERM:
	case EROFS:
		return "let gleakd write there (ReadWritePaths= in a systemd unit)";
	case ENOSPC:
		return "make room on its file system";
	case ETIMEDOUT:
		return "use a directory on a local file system";
	default:
		return "check the directory";
	}
}

static void directory_of(const char *file, char directory[PATH_MAX])
{
	const char *slash = strrchr(file, '/');

	if (!slash)
		snprintf(directory, PATH_MAX, ".");
	else
		snprintf(directory, PATH_MAX, "%.*s", (int)max_of(slash - file, (ptrdiff_t)1),
			 file);
}

static void add_textfile(struct doctor_report *report, const char *file)
{
	char path[PATH_MAX];
	struct directory found;

	directory_of(file, path);
	found = look_at(path, file);
	if (found.err)
		doctor__problem(report, FILES, "textfile", found.err, advice_for(found.err),
				"no file can be made in %s: %s", path, strerror(-found.err));
	else if (!found.target_kind)
		doctor__problem(report, FILES, "textfile", -EEXIST,
				"remove it, or name another file", "%s is not a regular file",
				file);
	else if (!found.for_others)
		doctor__problem(report, FILES, "textfile", 0,
				"chmod o+rx it, unless node_exporter's user is in its group",
				"%s can be written, but not read by other users", path);
	else
		doctor__ok(report, FILES, "textfile",
			   "%s can be written, and read by node_exporter if that is its textfile "
			   "directory",
			   path);
}

static void add_debian_directory(struct doctor_report *report)
{
	struct directory found = look_at(DEBIAN_DIRECTORY, NULL);

	if (!found.err)
		doctor__ok(report, FILES, "textfile",
			   "none asked for; " DEBIAN_DIRECTORY " could be used");
	else if (found.err == -ENOENT)
		doctor__ok(report, FILES, "textfile",
			   "none asked for, and Debian's directory for it is not there");
	else
		doctor__problem(report, FILES, "textfile", 0, advice_for(found.err),
				"none asked for, and no file can be made in " DEBIAN_DIRECTORY
				": %s",
				strerror(-found.err));
}

static void add_state(struct doctor_report *report, const char *path)
{
	struct directory found = look_at(path, NULL);

	if (!found.err)
		doctor__ok(report, FILES, "state", "%s can be written", path);
	else if (found.err == -ENOENT)
		doctor__ok(
			report, FILES, "state",
			"%s is not there; --state FILE may be anywhere, and a systemd unit makes "
			"it with StateDirectory=gleakd",
			path);
	else
		doctor__problem(report, FILES, "state", 0,
				"name another file in --state, or let gleakd write there",
				"no file can be made in %s: %s", path, strerror(-found.err));
}

void doctor_part__files(struct doctor_report *report, const char *textfile,
			const char *state_directory)
{
	if (textfile)
		add_textfile(report, textfile);
	else
		add_debian_directory(report);
	add_state(report, state_directory);
}
