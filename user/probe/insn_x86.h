/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_INSN_X86_H
#define GLEAKD_PROBE_INSN_X86_H

#include "probe/insn.h"

/* insn_x86__decode - see insn_decode_fn. x86-64, by Zydis. */
int insn_x86__decode(const uint8_t *code, size_t size, uint64_t address,
		     struct insn *ret_insn) __must_check;

#endif /* GLEAKD_PROBE_INSN_X86_H */
