/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_INSN_H
#define GLEAKD_PROBE_INSN_H

/*
 * One machine instruction, reduced to what choosing a probe site needs: where control goes, what a
 * probe on it costs, and whether the g stays where it is. A decoder reports an instruction that it
 * does not know as one that destroys the g and must not be probed.
 */
#include "base/common.h"
#include "elf/image.h"
#include "probe/plan.h"

enum insn_kind {
	INSN_PLAIN, /* falls through */
	INSN_CALL,  /* direct */
	INSN_CALL_INDIRECT,
	INSN_BRANCH, /* direct, conditional */
	INSN_JUMP,   /* direct, unconditional */
	INSN_END,    /* return, indirect jump, trap: nothing follows */
};

/* Where a g can be; also used as a set. */
enum insn_location {
	INSN_REG0 = 1 << 0, /* amd64 RAX, arm64 X0 */
	INSN_REG1 = 1 << 1, /* amd64 RBX, arm64 X1 */
	INSN_SP = 1 << 2,
	INSN_STACK = 1 << 3, /* memory that may be a stack slot */
};

#define INSN_NO_SLOT -1

struct insn {
	uint32_t offset; /* in its function; set by the caller of the decoder */
	uint8_t length;
	uint8_t kind;		   /* enum insn_kind */
	uint8_t class;		   /* enum probe_class, when @probeable */
	bool probeable;		   /* uprobes take it */
	bool returns;		   /* INSN_END by a return instruction */
	bool compares_stack_limit; /* against g.stackguard0 */
	bool branches_if_below_or_equal;
	uint8_t writes;	   /* set of enum insn_location */
	uint8_t copies_to; /* INSN_REG0/1 that receives all of @copies_from; 0: none */
	uint8_t copies_from;
	uint8_t stores; /* INSN_REG0/1 that is stored whole at sp + @slot; 0: none */
	int32_t slot;
	uint64_t target; /* of a direct call, branch or jump */
};

/*
 * A decoder takes one instruction at the start of @code, at most @size bytes, which runs at @address.
 * Returns 0, or -EILSEQ for what is not an instruction or does not fit.
 */
typedef int (*insn_decode_fn)(const uint8_t *code, size_t size, uint64_t address,
			      struct insn *ret_insn);

/* insn_amd64__decode - by Zydis. */
int insn_amd64__decode(const uint8_t *code, size_t size, uint64_t address,
		       struct insn *ret_insn) __must_check;

/* insn_arm64__decode - A64. */
int insn_arm64__decode(const uint8_t *code, size_t size, uint64_t address,
		       struct insn *ret_insn) __must_check;

/* insn__decoder - for the program in @image. */
insn_decode_fn insn__decoder(const struct elf_image *image);

#endif /* GLEAKD_PROBE_INSN_H */
