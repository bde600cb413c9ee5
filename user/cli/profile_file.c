// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int profile_file__check(const struct session *session, struct failure *failure)
{
	size_t n = session__n_targets(session);

	if (n == 1)
		return 0;
	return failure__set(
		failure, -EINVAL,
		"--pprof writes the profile of one Go runtime, and here are %zu; name one "
		"process that has one",
		n);
}

int profile_file__write(FILE *file, const char *path, const struct pprof *profile,
			struct failure *failure)
{
	int err = 0;

	/* A pipe or a terminal has no size. */
	if (ftruncate(fileno(file), 0) && errno != EINVAL && errno != EPERM)
		err = -errno;
	if (!err)
		err = pprof__write(profile, file);
	return err ? failure__set(failure, err, "--pprof: %s: %s; the profile is not whole", path,
				  strerror(-err)) :
		     0;
}
