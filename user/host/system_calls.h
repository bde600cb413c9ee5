/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_SYSTEM_CALLS_H
#define GLEAKD_HOST_SYSTEM_CALLS_H

/* The system calls of the architecture that gleakd is built for, by number. */
#include "base/common.h"

#define SYSTEM_CALL_NO_ARGUMENT (-1)

/* system_call__name - "read"; NULL: the headers that gleakd was built with know none. */
const char *system_call__name(int64_t number);

/* system_call__fd, system_call__path - which argument is a descriptor or a path; SYSTEM_CALL_NO_ARGUMENT. */
int system_call__fd(int64_t number);
int system_call__path(int64_t number);

#endif /* GLEAKD_HOST_SYSTEM_CALLS_H */
