/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_INSN_ARM64_H
#define GLEAKD_PROBE_INSN_ARM64_H

#include "probe/insn.h"

/* insn_arm64__decode - see insn_decode_fn. A64 words. */
int insn_arm64__decode(const uint8_t *code, size_t size, uint64_t address,
		       struct insn *ret_insn) __must_check;

#endif /* GLEAKD_PROBE_INSN_ARM64_H */
