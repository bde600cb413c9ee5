/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_REMOTE_DENIED_H
#define GLEAKD_HOST_REMOTE_DENIED_H

/* Why the memory of a process may not be read, in words. */
#include <sys/types.h>

#include "base/failure.h"

/* remote_denied__explain - of @pid, whose memory the kernel has refused. Returns -EPERM. */
int remote_denied__explain(pid_t pid, struct failure *failure);

#endif /* GLEAKD_HOST_REMOTE_DENIED_H */
