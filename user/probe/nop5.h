/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_NOP5_H
#define GLEAKD_PROBE_NOP5_H

/*
 * Whether a uprobe on a five-byte nop is rewritten to a call, which halves its cost (x86, Linux
 * 6.18; later kernels want a longer nop) and back again when the probe is removed, which not all of
 * these kernels do. Neither a version nor a kernel symbol tells it, so one such nop in a child of ours
 * is probed, run, and looked at.
 */
#include "base/common.h"

/*
 * nop5__is_optimized - @prog_fd: any program loaded for LINK_UPROBE_MULTI. To be called before
 * anything in this process itself is probed: what the kernel maps for it, the child would not need.
 */
bool nop5__is_optimized(int prog_fd);

#endif /* GLEAKD_PROBE_NOP5_H */
