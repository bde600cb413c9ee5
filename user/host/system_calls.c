// SPDX-License-Identifier: Apache-2.0
#include "host/system_calls.h"

#include <string.h>
#include <sys/syscall.h>

static const char *const names[] = {
#include "system_call_names.inc"
};

/* Of calls that may block: where their descriptor and their path are. */
static const struct arguments {
	const char *name;
	int fd, path;
} arguments[] = {
	{"read", 0, -1},       {"write", 0, -1},       {"pread64", 0, -1},
	{"pwrite64", 0, -1},   {"readv", 0, -1},       {"writev", 0, -1},
	{"preadv", 0, -1},     {"pwritev", 0, -1},     {"preadv2", 0, -1},
	{"pwritev2", 0, -1},   {"close", 0, -1},       {"fsync", 0, -1},
	{"fdatasync", 0, -1},  {"fallocate", 0, -1},   {"ftruncate", 0, -1},
	{"fstat", 0, -1},      {"flock", 0, -1},       {"fcntl", 0, -1},
	{"ioctl", 0, -1},      {"getdents64", 0, -1},  {"sync_file_range", 0, -1},
	{"connect", 0, -1},    {"accept", 0, -1},      {"accept4", 0, -1},
	{"sendto", 0, -1},     {"recvfrom", 0, -1},    {"sendmsg", 0, -1},
	{"recvmsg", 0, -1},    {"sendmmsg", 0, -1},    {"recvmmsg", 0, -1},
	{"sendfile", 0, -1},   {"splice", 0, -1},      {"copy_file_range", 0, -1},
	{"epoll_wait", 0, -1}, {"epoll_pwait", 0, -1}, {"epoll_pwait2", 0, -1},
	{"open", -1, 0},       {"openat", -1, 1},      {"openat2", -1, 1},
	{"stat", -1, 0},       {"lstat", -1, 0},       {"newfstatat", -1, 1},
	{"statx", -1, 1},      {"access", -1, 0},      {"faccessat", -1, 1},
	{"faccessat2", -1, 1}, {"readlink", -1, 0},    {"readlinkat", -1, 1},
	{"mkdir", -1, 0},      {"mkdirat", -1, 1},     {"rmdir", -1, 0},
	{"unlink", -1, 0},     {"unlinkat", -1, 1},    {"rename", -1, 0},
	{"renameat", -1, 1},   {"renameat2", -1, 1},   {"statfs", -1, 0},
	{"execve", -1, 0},     {"mount", -1, 1},       {"umount2", -1, 0},
};

const char *system_call__name(int64_t number)
{
	return number >= 0 && (uint64_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}

static const struct arguments *find(int64_t number)
{
	static const struct arguments none = {"", SYSTEM_CALL_NO_ARGUMENT, SYSTEM_CALL_NO_ARGUMENT};
	const char *name = system_call__name(number);

	for (size_t i = 0; name && i < ARRAY_SIZE(arguments); i++) {
		if (!strcmp(arguments[i].name, name))
			return &arguments[i];
	}
	return &none;
}

int system_call__fd(int64_t number)
{
	return find(number)->fd;
}

int system_call__path(int64_t number)
{
	return find(number)->path;
}
