/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROC_ERROR_H
#define GLEAKD_HOST_PROC_ERROR_H

#include <errno.h>

/*
 * proc_error - @error (errno) of a call on a file below /proc/PID as the negative errno to return: a
 * process that has ended has no files there (-ESRCH), and what ptrace(2) and the file system do not
 * allow is one thing (-EACCES). Never 0.
 */
static inline int proc_error(int error)
{
	int err = error == ENOENT ? -ESRCH : error == EPERM ? -EACCES : -error;

	return err < 0 ? err : -EIO;
}

#endif /* GLEAKD_HOST_PROC_ERROR_H */
