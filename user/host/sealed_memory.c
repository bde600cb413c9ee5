// SPDX-License-Identifier: Apache-2.0
#include "host/sealed_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int sealed_memory__make(const char *name, size_t size, void **ret_data)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *data = MAP_FAILED;
	int err;

	if (fd >= 0 && !ftruncate(fd, (off_t)size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (data != MAP_FAILED) {
		*ret_data = data;
		return fd;
	}
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}
