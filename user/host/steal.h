/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_STEAL_H
#define GLEAKD_HOST_STEAL_H

/* Processor time that whoever runs this machine, a virtual one, has given to others. */
#include "base/common.h"

struct steal {
	uint64_t ns;	     /* of all processors, since boot; to 10 ms */
	uint64_t processors; /* that are online */
};

/* host__steal - of the host of @proc_root. Errors: -EOPNOTSUPP it does not tell; -EPROTO; those of open(2). */
int host__steal(const char *proc_root, struct steal *ret_steal) __must_check;

#endif /* GLEAKD_HOST_STEAL_H */
