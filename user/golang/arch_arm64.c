// SPDX-License-Identifier: Apache-2.0
/* Encodings: Arm Architecture Reference Manual (DDI 0487), C4.1. */
#include "golang/arch.h"

#include <errno.h>

#include "base/bytes.h"
#include "golang/code_fields.h"
#include "golang/code_refs.h"

#define INSN_SIZE sizeof(uint32_t)
#define SP	  31

/* The DWARF of Go 1.18 and 1.19 has 64, that of 1.20 and later 128. */
static uint32_t cache_line(int minor)
{
	return minor >= 20 ? 128 : 64;
}

/* BL and BLR. */
static bool ends_in_call(const uint8_t code[8])
{
	uint32_t insn = bytes__u32(code, 8 - INSN_SIZE);

	return insn >> 26 == 0x25 || (insn & 0xfffffc1f) == 0xd63f0000;
}

/* --- static addresses ---------------------------------------------------------------------------- */

#define PC_RELATIVE_MASK 0x9f000000
#define ADR		 0x10000000
#define ADRP		 0x90000000
#define ADD_IMM_MASK	 0xff800000
#define ADD_IMM		 0x91000000 /* 64 bits */
#define LDST_IMM_MASK	 0x3f000000
#define LDST_IMM	 0x39000000 /* integer, unsigned scaled offset */
#define LDST_OPC	 0x00c00000 /* 0: a store */

struct registers {
	uint64_t value[32];
	uint32_t known; /* one bit per register */
};

static void set_known(struct registers *regs, unsigned int reg, uint64_t value)
{
	regs->value[reg] = value;
	regs->known |= 1u << reg;
}

static bool is_known(const struct registers *regs, unsigned int reg)
{
	return regs->known >> reg & 1;
}

/* The 21-bit signed immediate of ADR and ADRP: immhi in bits 23:5, immlo in 30:29. */
static uint64_t pc_relative_imm(uint32_t insn)
{
	uint64_t imm = (uint64_t)(insn >> 5 & 0x7ffff) << 2 | (insn >> 29 & 3);

	return (imm ^ 1 << 20) - (1 << 20);
}

static void scan_insn_for_refs(struct registers *regs, uint64_t pc, uint32_t insn,
			       struct code_refs *refs)
{
	unsigned int rd = insn & 31, rn = insn >> 5 & 31;
	uint64_t imm = insn >> 10 & 0xfff;

	if ((insn & PC_RELATIVE_MASK) == ADRP) {
		set_known(regs, rd, (pc & ~0xfffULL) + (pc_relative_imm(insn) << 12));
	} else if ((insn & PC_RELATIVE_MASK) == ADR) {
		set_known(regs, rd, pc + pc_relative_imm(insn));
		code_refs__add(refs, regs->value[rd]);
	} else if ((insn & ADD_IMM_MASK) == ADD_IMM && is_known(regs, rn)) {
		set_known(regs, rd, regs->value[rn] + (insn >> 22 & 1 ? imm << 12 : imm));
		code_refs__add(refs, regs->value[rd]);
	} else if ((insn & LDST_IMM_MASK) == LDST_IMM) {
		if (is_known(regs, rn))
			code_refs__add(refs, regs->value[rn] + (imm << (insn >> 30)));
		if (insn & LDST_OPC)
			regs->known &= ~(1u << rd);
	}
}

/*
 * Go's compiler builds each address from an ADRP and an ADD, and sometimes folds the ADD into the
 * load or store that follows. Code is followed in the order of addresses and not of execution; a
 * register that held something else on another path gives at worst an address that means nothing.
 */
static void scan_refs(uint64_t address, const uint8_t *code, size_t size,
		      struct code_refs *ret_refs)
{
	struct registers regs = {0};

	for (size_t done = 0; done + INSN_SIZE <= size; done += INSN_SIZE)
		scan_insn_for_refs(&regs, address + done, bytes__u32(code, done), ret_refs);
}

/* --- offsets of fields --------------------------------------------------------------------------- */

#define ANY_LDST_IMM_MASK 0x3b000000 /* as LDST_IMM; bit 26: SIMD */
#define ANY_LDST_IMM	  0x39000000
#define LDUR_MASK	  0x3b200c00
#define LDUR		  0x38000000 /* signed offset that is not scaled */
#define LDP_MASK	  0x3f800000
#define LDP		  0x29000000 /* pair with signed offset, without write-back */
#define ADD_LOW_IMM_MASK  0xffc00000
#define ADD_LOW_IMM	  0x91000000 /* 64 bits, not shifted */

static int64_t signed_bits(uint32_t insn, unsigned int low, unsigned int n)
{
	int64_t value = insn >> low & ((1u << n) - 1);

	return value >= 1 << (n - 1) ? value - (1 << n) : value;
}

static void scan_insn_for_fields(uint32_t insn, struct code_fields *fields)
{
	unsigned int rn = insn >> 5 & 31, scale = insn >> 30;

	if (rn == SP)
		return;
	if ((insn & ANY_LDST_IMM_MASK) == ANY_LDST_IMM)
		code_fields__add(fields, (int64_t)(insn >> 10 & 0xfff) << scale, 1u << scale);
	else if ((insn & LDUR_MASK) == LDUR)
		code_fields__add(fields, signed_bits(insn, 12, 9), 1u << scale);
	else if ((insn & LDP_MASK) == LDP)
		code_fields__add(fields, signed_bits(insn, 15, 7) * (scale == 2 ? 8 : 4),
				 scale == 2 ? 16 : 8);
	else if ((insn & ADD_LOW_IMM_MASK) == ADD_LOW_IMM)
		code_fields__add(fields, insn >> 10 & 0xfff, 0);
}

static void scan_fields(const uint8_t *code, size_t size, struct code_fields *ret_fields)
{
	for (size_t done = 0; done + INSN_SIZE <= size; done += INSN_SIZE)
		scan_insn_for_fields(bytes__u32(code, done), ret_fields);
}

/* --- values of registers ------------------------------------------------------------------------- */

#define MOV_REG_MASK 0xffe0ffe0
#define MOV_REG	     0xaa0003e0 /* ORR Xd, XZR, Xm */
#define STR_IMM_MASK 0xffc00000
#define STR_IMM	     0xf9000000 /* 64 bits, unsigned scaled offset */

static bool is_branch(uint32_t insn, uint64_t address, uint64_t *ret_target)
{
	if ((insn & 0x7c000000) == 0x14000000) /* B, BL */
		*ret_target = address + (uint64_t)(signed_bits(insn, 0, 26) * 4);
	else if ((insn & 0xff000010) == 0x54000000 || /* B.cond */
		 (insn & 0x7e000000) == 0x34000000)   /* CBZ, CBNZ */
		*ret_target = address + (uint64_t)(signed_bits(insn, 5, 19) * 4);
	else if ((insn & 0x7e000000) == 0x36000000) /* TBZ, TBNZ */
		*ret_target = address + (uint64_t)(signed_bits(insn, 5, 14) * 4);
	else if ((insn & 0xfe000000) == 0xd6000000) /* BR, BLR, RET */
		*ret_target = 0;
	else
		return false;
	return true;
}

/* A register too many does no harm. */
static uint32_t written_registers(uint32_t insn)
{
	uint32_t rt = 1u << (insn & 31), rn = 1u << (insn >> 5 & 31), rt2 = 1u << (insn >> 10 & 31);

	if ((insn & 0x0a000000) != 0x08000000) /* no load or store */
		return rt;
	if ((insn & 0x3a000000) == 0x28000000) /* pairs: the lowest bit of what they do is L */
		return (insn >> 22 & 1 ? rt | rt2 : 0) | (insn >> 23 & 1 ? rn : 0);
	if ((insn & LDST_IMM_MASK) == LDST_IMM)
		return insn & LDST_OPC ? rt : 0;
	return rt | rn | 1u << (insn >> 16 & 31);
}

static int read_insn(uint64_t address, const uint8_t *code, size_t size, struct go_insn *ret_insn)
{
	struct go_insn out = {.length = INSN_SIZE};
	uint32_t insn;

	if (size < INSN_SIZE)
		return -EILSEQ;
	insn = bytes__u32(code, 0);
	if (is_branch(insn, address, &out.value)) {
		bool call = (insn & 0xfc000000) == 0x94000000 || (insn & 0xfffffc1f) == 0xd63f0000;

		out.kind = call ? GO_INSN_CALL : GO_INSN_BRANCH;
		*ret_insn = out;
		return 0;
	}
	out.to = insn & 31;
	out.from = insn >> 5 & 31;
	out.writes = written_registers(insn);
	if ((insn & PC_RELATIVE_MASK) == ADRP) {
		out.kind = GO_INSN_ADDRESS;
		out.value = (address & ~0xfffULL) + (pc_relative_imm(insn) << 12);
	} else if ((insn & PC_RELATIVE_MASK) == ADR) {
		out.kind = GO_INSN_ADDRESS;
		out.value = address + pc_relative_imm(insn);
	} else if ((insn & ADD_IMM_MASK) == ADD_IMM) {
		out.kind = GO_INSN_ADD;
		out.value = (uint64_t)(insn >> 10 & 0xfff) << (insn >> 22 & 1 ? 12 : 0);
	} else if ((insn & MOV_REG_MASK) == MOV_REG) {
		out.kind = GO_INSN_ADD;
		out.from = insn >> 16 & 31;
	} else if ((insn & STR_IMM_MASK) == STR_IMM) {
		out.kind = GO_INSN_STORE;
		out.to = insn >> 5 & 31;
		out.from = insn & 31;
		out.value = (uint64_t)(insn >> 10 & 0xfff) * 8;
	}
	*ret_insn = out;
	return 0;
}

/* BL; ADRP. */
static bool may_store_behind(const uint8_t *code, size_t size)
{
	return size >= 2 * INSN_SIZE && (bytes__u32(code, 0) & 0xfc000000) == 0x94000000 &&
	       (bytes__u32(code, INSN_SIZE) & PC_RELATIVE_MASK) == ADRP;
}

const struct go_arch go_arch_arm64 = {
	.pc_quantum = 4,
	.uses_lr = true,
	.arena_base_offset = 0,
	.mheap_arenas = offsetof(struct go_layout, mheap_arenas_arm64),
	.cleanupQueue_all = offsetof(struct go_layout, cleanupQueue_all_arm64),
	.cache_line = cache_line,
	.ends_in_call = ends_in_call,
	.scan_refs = scan_refs,
	.scan_fields = scan_fields,
	.read_insn = read_insn,
	.may_store_behind = may_store_behind,
	.arguments = {0, 1, 2, 3, 4, 5},
};
