/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ABI_H
#define GLEAKD_PROBE_ABI_H

/* bpf/abi.h needs the kernel's fixed-width types first; this is its user-space door. */
#include <linux/types.h>

#include "../../bpf/abi.h"

#endif /* GLEAKD_PROBE_ABI_H */
