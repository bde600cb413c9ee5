// SPDX-License-Identifier: Apache-2.0
/*
 * Encodings: Arm Architecture Reference Manual for A-profile, chapter C4 (A64 instruction set
 * encoding). arch/arm64/kernel/probes/decode-insn.c decides what a probe costs: branches, returns
 * and pc-relative addresses are simulated; exclusives, literal loads and system instructions are
 * refused; the rest is copied aside and single-stepped.
 */
#include "probe/insn.h"

#include <errno.h>

#define INSN_BYTES 4

/* In Go's prologue X16 holds g.stackguard0 (src/cmd/internal/obj/arm64/obj7.go, stacksplit). */
#define STACK_LIMIT_REG 16
#define REG_SP_OR_ZERO	31
#define CONDITION_LS	9

static uint32_t bits(uint32_t word, unsigned int high, unsigned int low)
{
	return word >> low & ((1u << (high - low + 1)) - 1);
}

static int64_t sign_extend(uint32_t value, unsigned int width)
{
	uint32_t sign = 1u << (width - 1);

	return (int64_t)(value ^ sign) - (int64_t)sign;
}

static uint64_t branch_target(uint64_t address, uint32_t words, unsigned int width)
{
	return address + (uint64_t)(sign_extend(words, width) * INSN_BYTES);
}

static uint8_t location_of(uint32_t reg)
{
	return reg == 0 ? INSN_REG0 : reg == 1 ? INSN_REG1 : 0;
}

/* For fields where 31 is the stack pointer. */
static uint8_t location_or_sp(uint32_t reg)
{
	return reg == REG_SP_OR_ZERO ? INSN_SP : location_of(reg);
}

static void emulated(struct insn *out)
{
	out->probeable = true;
	out->class = PROBE_CLASS_EMULATED;
}

static void single_stepped(struct insn *out)
{
	out->probeable = true;
	out->class = PROBE_CLASS_SINGLE_STEP;
}

/* BR, BLR, RET; their authenticated and exception-return forms are left alone. */
static void decode_register_branch(uint32_t word, struct insn *out)
{
	bool plain = (word & 0xff9ffc1f) == 0xd61f0000 && bits(word, 22, 21) != 3;

	out->kind = plain && bits(word, 22, 21) == 1 ? INSN_CALL_INDIRECT : INSN_END;
	out->returns = plain && bits(word, 22, 21) == 2;
	if (plain)
		emulated(out);
}

/* C4.1.93: branches, exception generation, system instructions. */
static void decode_branch(uint32_t word, uint64_t address, struct insn *out)
{
	if ((word & 0x7c000000) == 0x14000000) { /* B, BL */
		out->kind = word >> 31 ? INSN_CALL : INSN_JUMP;
		out->target = branch_target(address, bits(word, 25, 0), 26);
		emulated(out);
	} else if ((word & 0xff000010) == 0x54000000) { /* B.cond */
		out->kind = INSN_BRANCH;
		out->target = branch_target(address, bits(word, 23, 5), 19);
		out->branches_if_below_or_equal = bits(word, 3, 0) == CONDITION_LS;
		emulated(out);
	} else if ((word & 0x7e000000) == 0x34000000) { /* CBZ, CBNZ */
		out->kind = INSN_BRANCH;
		out->target = branch_target(address, bits(word, 23, 5), 19);
		emulated(out);
	} else if ((word & 0x7e000000) == 0x36000000) { /* TBZ, TBNZ */
		out->kind = INSN_BRANCH;
		out->target = branch_target(address, bits(word, 18, 5), 14);
		emulated(out);
	} else if ((word & 0xfe000000) == 0xd6000000) {
		decode_register_branch(word, out);
	} else if ((word & 0xffc00000) == 0xd5000000) { /* system: NOP, barriers, MRS, ... */
		out->writes = location_of(bits(word, 4, 0));
	} else {
		out->kind = INSN_END; /* exceptions, and what is not allocated */
	}
}

/* C4.1.92: data processing, immediate. */
static void decode_immediate(uint32_t word, struct insn *out)
{
	bool pc_relative = (word & 0x1f000000) == 0x10000000; /* ADR, ADRP */
	bool add_sub = (word & 0x1f000000) == 0x11000000;     /* the flag-setting forms write ZR */
	bool to_sp = (add_sub && !(word & 1u << 29)) ||	      /* ADD, SUB */
		     ((word & 0x1f800000) == 0x12000000 && bits(word, 30, 29) != 3); /* AND, ... */
	uint32_t rd = bits(word, 4, 0);

	out->writes = to_sp ? location_or_sp(rd) : location_of(rd);
	if (pc_relative)
		emulated(out);
	else
		single_stepped(out);
}

/* C4.1.95: data processing, register. */
static void decode_register(uint32_t word, struct insn *out)
{
	uint32_t rd = bits(word, 4, 0);
	bool add_sub_extended = (word & 0x1fe00000) == 0x0b200000;
	/* SUBS with ZR as destination: shifted by nothing, or extended so that SP can be compared. */
	bool compares = (word & 0xffe0fc1f) == 0xeb00001f || (word & 0xffe0fc1f) == 0xeb20601f;

	out->writes = add_sub_extended && !(word & 1u << 29) ? location_or_sp(rd) : location_of(rd);
	out->compares_stack_limit = compares && bits(word, 20, 16) == STACK_LIMIT_REG;
	if ((word & 0xffe0ffe0) == 0xaa0003e0) { /* MOV Xd, Xm */
		out->copies_from = location_of(bits(word, 20, 16));
		out->copies_to = out->copies_from ? location_of(rd) : 0;
	}
	single_stepped(out);
}

static void decode_pair(uint32_t word, struct insn *out)
{
	bool vector = word & 1u << 26, load = word & 1u << 22, writes_back = word & 1u << 23;

	if (load && !vector)
		out->writes = location_of(bits(word, 4, 0)) | location_of(bits(word, 14, 10));
	if (!load)
		out->writes = INSN_STACK;
	if (writes_back)
		out->writes |= location_or_sp(bits(word, 9, 5));
	single_stepped(out);
}

static void decode_single(uint32_t word, struct insn *out)
{
	bool vector = word & 1u << 26, load = bits(word, 23, 22) != 0;
	bool scaled = word & 1u << 24;
	bool atomic =
		!scaled && (word & 1u << 21); /* also register offset and pointer authentication */
	bool writes_back = !scaled && !atomic && (word & 1u << 10);

	if (atomic && bits(word, 11, 10) != 2) {
		out->writes = INSN_REG0 | INSN_REG1 | INSN_STACK;
		return;
	}
	if (load && !vector)
		out->writes = location_of(bits(word, 4, 0));
	if (!load || vector)
		out->writes = INSN_STACK;
	if (writes_back)
		out->writes |= location_or_sp(bits(word, 9, 5));
	if ((word & 0xffc003e0) == 0xf90003e0) { /* STR Xt, [SP, #imm] */
		out->stores = location_of(bits(word, 4, 0));
		out->slot = (int32_t)bits(word, 21, 10) * 8;
	}
	single_stepped(out);
}

/* C4.1.94: loads and stores. */
static void decode_memory(uint32_t word, struct insn *out)
{
	if ((word & 0x3a000000) == 0x28000000)
		decode_pair(word, out);
	else if ((word & 0x3a000000) == 0x38000000)
		decode_single(word, out);
	else /* exclusive, ordered, literal, vector structures: refused or never near a site */
		out->writes = INSN_REG0 | INSN_REG1 | INSN_STACK;
}

int insn_arm64__decode(const uint8_t *code, size_t size, uint64_t address, struct insn *ret_insn)
{
	struct insn out = {.length = INSN_BYTES, .slot = INSN_NO_SLOT};
	uint32_t word, group;

	if (size < INSN_BYTES)
		return -EILSEQ;
	word = (uint32_t)code[0] | (uint32_t)code[1] << 8 | (uint32_t)code[2] << 16 |
	       (uint32_t)code[3] << 24;
	group = bits(word, 28, 25);
	if ((group & 0xe) == 0x8)
		decode_immediate(word, &out);
	else if ((group & 0xe) == 0xa)
		decode_branch(word, address, &out);
	else if ((group & 0x5) == 0x4)
		decode_memory(word, &out);
	else if ((group & 0x7) == 0x5)
		decode_register(word, &out);
	else if ((group & 0x7) == 0x7) /* vectors and floats: some write a register */
		out.writes = location_of(bits(word, 4, 0));
	else /* reserved, with UDF, which Go fills gaps with, and SVE, which Go does not use */
		out.kind = INSN_END;
	*ret_insn = out;
	return 0;
}
