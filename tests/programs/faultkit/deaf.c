// SPDX-License-Identifier: Apache-2.0
/*
 * A file system in user space whose server stops answering. With an overlay it is made by any user, in
 * namespaces of his own. The other is root's, for NOBODY, as fusermount3(1) makes them: of one in a user
 * namespace that it is not in the kernel refuses a reader memory, and nobody has to wait:
 *
 *	deaf memory PROGRAM [ARG...]
 *		PROGRAM with a file of two pages as descriptor 3, reads of which are never answered
 *	deaf overlay PROGRAM [ARG...]
 *		PROGRAM, executed from an overlay above it; who opens it after SIGUSR1 waits for ever
 *	deaf pages PROGRAM [ARG...]
 *		the same below /mnt/pages, which is opened for everybody, and of which no page comes after SIGUSR1
 *	deaf mounts PROGRAM [ARG...]
 *		PROGRAM in a namespace of MOUNTS mounts, and none of those file systems
 *
 * The server is PROGRAM's only child, and gets the signal; from when it is called "is deaf" it has obeyed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	      4096
#define FILE_NODE     2
#define NOBODY	      65534
#define VALID_SECONDS 3600
#define MOUNTS	      3000

static int device, source = -1; /* what is served; -1: nothing */
static int opens;		/* for everybody */
static uint64_t size = 2 * PAGE;
static volatile sig_atomic_t is_deaf;

static void check(int failed, const char *what)
{
	if (!failed)
		return;
	perror(what);
	exit(1);
}

static void reply(uint64_t unique, int error, const void *data, size_t n)
{
	static char packet[sizeof(struct fuse_out_header) + (1 << 20)];
	struct fuse_out_header head = {
		.len = (uint32_t)(sizeof(head) + n), .error = error, .unique = unique};

	memcpy(packet, &head, sizeof(head));
	if (n)
		memcpy(packet + sizeof(head), data, n);
	if (write(device, packet, sizeof(head) + n) < 0 && errno != ENOENT)
		perror("reply");
}

static void become_deaf(int number)
{
	(void)number;
	is_deaf = 1;
	prctl(PR_SET_NAME, "is deaf");
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.nlink = 1,
		.mode = node == FILE_NODE ? S_IFREG | 0755 : S_IFDIR | 0755,
		.size = node == FILE_NODE ? size : 0,
		.blksize = PAGE,
	};
}

static void answer_read(uint64_t unique, const struct fuse_read_in *wanted)
{
	static char data[1 << 20];
	ssize_t n = wanted->size < sizeof(data) ? wanted->size : sizeof(data);

	if (source < 0 || (opens && is_deaf))
		return;
	n = pread(source, data, (size_t)n, (off_t)wanted->offset);
	reply(unique, n < 0 ? -EIO : 0, data, n < 0 ? 0 : (size_t)n);
}

static void answer(const struct fuse_in_header *in, const void *argument)
{
	struct fuse_init_out init = {.major = 7,
				     .minor = 31,
				     .max_write = 65536,
				     .max_background = 16,
				     .congestion_threshold = 12};
	struct fuse_entry_out entry = {.nodeid = FILE_NODE,
				       .attr_valid = VALID_SECONDS,
				       .entry_valid = VALID_SECONDS,
				       .attr = attributes(FILE_NODE)};
	struct fuse_attr_out got = {.attr_valid = VALID_SECONDS, .attr = attributes(in->nodeid)};
	struct fuse_open_out opened = {.fh = 1, .open_flags = FOPEN_KEEP_CACHE};
	struct fuse_statfs_out file_system = {.st = {.bsize = PAGE, .namelen = 255}};

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		if (strcmp(argument, "file"))
			reply(in->unique, -ENOENT, NULL, 0);
		else
			reply(in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		reply(in->unique, 0, &got, sizeof(got));
		break;
	case FUSE_OPEN:
		if (source >= 0 && !opens && is_deaf)
			break;
		reply(in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_OPENDIR:
		reply(in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer_read(in->unique, argument);
		break;
	case FUSE_STATFS:
		reply(in->unique, 0, &file_system, sizeof(file_system));
		break;
	case FUSE_READDIR:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		reply(in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(in->unique, -ENOSYS, NULL, 0);
	}
}

static void serve(void)
{
	static char request[2 << 20];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		ssize_t n = read(device, request, sizeof(request));

		if (n < 0 && errno != EINTR)
			_exit(0);
		if (n > 0)
			answer((const void *)request, request + sizeof(struct fuse_in_header));
	}
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	check(fd < 0 || write(fd, text, strlen(text)) < 0, path);
	close(fd);
}

static void enter_namespaces(int of_user)
{
	unsigned int uid = getuid(), gid = getgid();
	char map[64];

	check(unshare((of_user ? CLONE_NEWUSER : 0) | CLONE_NEWNS), "unshare");
	if (of_user) {
		put("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		put("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		put("/proc/self/gid_map", map);
	}
	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	check(mount("none", "/mnt", "tmpfs", 0, NULL), "tmpfs");
	check(mkdir("/mnt/fuse", 0755) || mkdir("/mnt/empty", 0755) || mkdir("/mnt/over", 0755) ||
		      mkdir("/mnt/pages", 0755),
	      "folders");
}

/* As many as are allowed, /proc/sys/fs/mount-max. */
static void make_mounts(void)
{
	char path[32];

	for (int i = 0; i < MOUNTS; i++) {
		snprintf(path, sizeof(path), "/mnt/%d", i);
		if (mkdir(path, 0755) || mount("/mnt/empty", path, NULL, MS_BIND, NULL))
			return;
	}
}

int main(int argc, char **argv)
{
	int mounts = argc >= 3 && !strcmp(argv[1], "mounts");
	int overlay = argc >= 3 && !mounts && strcmp(argv[1], "memory"), fd;
	char options[128];
	struct stat file;

	if (argc < 3)
		return 2;
	opens = !strcmp(argv[1], "pages");
	if (overlay) {
		source = open(argv[2], O_RDONLY | O_CLOEXEC);
		check(source < 0 || fstat(source, &file), argv[2]);
		size = (uint64_t)file.st_size;
	}
	enter_namespaces(overlay || mounts);
	if (mounts) {
		make_mounts();
		execv(argv[2], argv + 2);
		check(1, argv[2]);
	}
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	check(device < 0, "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%d,group_id=%d", device,
		 overlay ? 0 : NOBODY, overlay ? 0 : NOBODY);
	check(mount("deaf", "/mnt/fuse", "fuse", MS_NODEV, options), "mount fuse");
	/* Before the fork, so that no signal ends the server. */
	check(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = become_deaf}, NULL),
	      "sigaction");
	if (!fork())
		serve();
	if (overlay) {
		check(mount("over", opens ? "/mnt/pages" : "/mnt/over", "overlay", 0,
			    "lowerdir=/mnt/fuse:/mnt/empty,userxattr"),
		      "mount overlay");
		argv[2] = opens ? "/mnt/pages/file" : "/mnt/over/file";
	} else {
		check(setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY),
		      "setresuid");
		fd = open("/mnt/fuse/file", O_RDONLY);
		check(fd < 0 || dup2(fd, 3) != 3, "/mnt/fuse/file");
	}
	execv(argv[2], argv + 2);
	check(1, argv[2]);
	return 1;
}
