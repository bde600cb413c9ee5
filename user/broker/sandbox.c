// SPDX-License-Identifier: Apache-2.0
#include "broker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/capability.h"

/* The same number on all architectures (include/uapi/asm-generic/unistd.h), Linux 5.13. */
#define CALL_CREATE_RULESET 444
#define CALL_ADD_RULE	    445
#define CALL_RESTRICT_SELF  446

/*
 * include/uapi/linux/landlock.h, of Linux 6.12: older headers lack what newer kernels can restrict. A
 * kernel takes a longer struct than it knows if the rest is zero.
 */
struct ruleset {
	__u64 files, network, scope;
};

struct beneath {
	__u64 allowed;
	__s32 fd;
} __attribute__((packed));

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH      1

#define FILE_READ	  (1ULL << 2)
#define FOLDER_READ	  (1ULL << 3)
#define FILES_OF_1	  ((1ULL << 13) - 1) /* execute, write, make, remove, ... */
#define FILE_REFER	  (1ULL << 13)	     /* of version 2 */
#define FILE_TRUNCATE	  (1ULL << 14)	     /* 3 */
#define FILE_IOCTL_DEVICE (1ULL << 15)	     /* 5 */
#define NETWORK_ALL	  3ULL		     /* 4: bind and connect */
#define SCOPE_ALL	  3ULL		     /* 6: abstract sockets, signals */

static struct ruleset ruleset_of(int version)
{
	struct ruleset all = {.files = FILES_OF_1};

	if (version >= 2)
		all.files |= FILE_REFER;
	if (version >= 3)
		all.files |= FILE_TRUNCATE;
	if (version >= 4)
		all.network = NETWORK_ALL;
	if (version >= 5)
		all.files |= FILE_IOCTL_DEVICE;
	if (version >= 6)
		all.scope = SCOPE_ALL;
	return all;
}

/* What is not there need not be readable. */
static int add_readable(int rules, const char *path)
{
	int fd __cleanup_close = open(path, O_PATH | O_CLOEXEC);
	struct beneath beneath = {.allowed = FILE_READ | FOLDER_READ, .fd = fd};
	struct stat found;

	if (fd < 0 || fstat(fd, &found))
		return 0;
	if (!S_ISDIR(found.st_mode))
		beneath.allowed = FILE_READ;
	return syscall(CALL_ADD_RULE, rules, RULE_PATH_BENEATH, &beneath, 0) ? -errno : 0;
}

int sandbox__restrict_files(const struct sandbox_options *options, int *ret_version)
{
	int version = (int)syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
	const struct ruleset all = ruleset_of(version);
	/* The fields that each version has. */
	size_t size = version >= 6 ? sizeof(all) : version >= 4 ? 2 * sizeof(__u64) : sizeof(__u64);
	int rules __cleanup_close = -1;
	int err = 0;

	*ret_version = 0;
	if (version <= 0)
		return 0;
	rules = (int)syscall(CALL_CREATE_RULESET, &all, size, 0);
	if (rules < 0)
		return -errno;
	for (size_t i = 0; i < options->n_readable && !err; i++)
		err = add_readable(rules, options->readable[i]);
	if (!err && syscall(CALL_RESTRICT_SELF, rules, 0))
		err = -errno;
	if (!err)
		*ret_version = version;
	return err;
}

static int limit_memory(uint64_t bytes)
{
	const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};

	return bytes && setrlimit(RLIMIT_AS, &limit) ? -errno : 0;
}

int sandbox__enter(const struct sandbox_options *options, struct sandbox *ret_sandbox,
		   struct failure *failure)
{
	uint64_t kept;
	int err = capability__keep(0, &kept, failure);
	int parts[] = {
		limit_memory(options->max_address_space),
		sandbox__restrict_files(options, &ret_sandbox->landlock),
		sandbox__restrict_calls(&ret_sandbox->seccomp),
	};

	for (size_t i = 0; i < ARRAY_SIZE(parts) && !err; i++) {
		err = parts[i];
		if (err)
			failure__set(failure, err,
				     "not all that is not needed was taken from the worker "
				     "process: %s; a sandbox around gleakd has to allow landlock "
				     "and seccomp",
				     strerror(-err));
	}
	return err;
}
