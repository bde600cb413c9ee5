/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_PROFILE_FILE_H
#define GLEAKD_CLI_PROFILE_FILE_H

/* The file that --pprof names. */
#include <stdio.h>

#include "base/failure.h"
#include "output/pprof/profile.h"
#include "session/session.h"

/* profile_file__check - -EINVAL, in words, unless exactly one runtime is looked at. */
int profile_file__check(const struct session *session, struct failure *failure) __must_check;

/* profile_file__write - @profile instead of what is in @file. The error, in words with @path. */
int profile_file__write(FILE *file, const char *path, const struct pprof *profile,
			struct failure *failure) __must_check;

#endif /* GLEAKD_CLI_PROFILE_FILE_H */
