/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_DOCTOR_H
#define GLEAKD_CLI_DOCTOR_H

/* `gleakd doctor`: what works on this host. */
#include "cli/options.h"

/* command__doctor - returns the exit code: 0, 3 the kernel, 4 permission, 1 anything else. */
int command__doctor(const struct options *options);

#endif /* GLEAKD_CLI_DOCTOR_H */
