// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/access.h"

int output_file__open(const char *option, const char *path, FILE **ret_file,
		      struct failure *failure)
{
	int fd = access__output(OUTPUT_OPEN, path);

	*ret_file = fd < 0 ? NULL : fdopen(fd, "w");
	if (*ret_file)
		return 0;
	if (fd >= 0) {
		close(fd);
		fd = -ENOMEM;
	}
	if (fd == -ENXIO)
		return failure__set(
			failure, fd,
			"%s: nobody reads the FIFO %s; begin to read it before, or name "
			"a file",
			option, path);
	return failure__set(failure, fd, "%s: %s: %s; name a file that can be written", option,
			    path, strerror(-fd));
}
