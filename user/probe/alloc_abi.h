/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_ABI_H
#define GLEAKD_PROBE_ALLOC_ABI_H

/* bpf/alloc_abi.h for user space: it needs the kernel's fixed-width types first. */
#include <linux/types.h>

#include "../../bpf/alloc_abi.h"

#endif /* GLEAKD_PROBE_ALLOC_ABI_H */
