// SPDX-License-Identifier: Apache-2.0
#include "cli/profile_file.h"

#include <errno.h>
#include <string.h>

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

int profile_file__write(struct output_file *file, const struct pprof *profile,
			struct failure *failure)
{
	int err = pprof__write(profile, output_file__out(file));

	if (err)
		return failure__set(failure, err, "--pprof: the profile cannot be written: %s",
				    strerror(-err));
	return output_file__keep(file, failure);
}
