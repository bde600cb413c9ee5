/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_PROFILE_FILE_H
#define GLEAKD_CLI_PROFILE_FILE_H

/* The file that --pprof names. */
#include "base/failure.h"
#include "cli/output_file.h"
#include "output/pprof/profile.h"
#include "session/session.h"

/* profile_file__check - -EINVAL, in words, unless exactly one runtime is looked at. */
int profile_file__check(const struct session *session, struct failure *failure) __must_check;

/* profile_file__write - @profile is what is in @file from now on. Errors in words. */
int profile_file__write(struct output_file *file, const struct pprof *profile,
			struct failure *failure) __must_check;

#endif /* GLEAKD_CLI_PROFILE_FILE_H */
