// SPDX-License-Identifier: Apache-2.0
/*
 * amd64: every memory operand and LEA relative to rip. arm64: Go's compiler builds each address
 * from an ADRP and an ADD, and sometimes folds the ADD into the load or store that follows. Code is
 * followed in the order of addresses and not of execution; a register that held something else on
 * another path gives at worst an address that means nothing.
 */
#include "golang/code_refs.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void add(struct code_refs *refs, uint64_t address)
{
	size_t i = refs->n;

	while (i > 0 && refs->addresses[i - 1] > address)
		i--;
	if (i > 0 && refs->addresses[i - 1] == address)
		return;
	if (refs->n == CODE_REFS_MAX) {
		refs->refused++;
		return;
	}
	memmove(&refs->addresses[i + 1], &refs->addresses[i],
		(refs->n - i) * sizeof(refs->addresses[0]));
	refs->addresses[i] = address;
	refs->n++;
}

/* --- amd64 -------------------------------------------------------------------------------------- */

static void add_amd64_operands(struct code_refs *refs, const ZydisDecodedInstruction *instruction,
			       const ZydisDecodedOperand *operands, uint64_t address)
{
	for (size_t i = 0; i < instruction->operand_count_visible; i++) {
		ZyanU64 target;

		if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    operands[i].mem.base != ZYDIS_REGISTER_RIP)
			continue;
		if (ZYAN_SUCCESS(
			    ZydisCalcAbsoluteAddress(instruction, &operands[i], address, &target)))
			add(refs, target);
	}
}

static void scan_amd64(uint64_t address, const uint8_t *code, size_t size, struct code_refs *refs)
{
	ZydisDecoder decoder;
	size_t done = 0;

	if (!ZYAN_SUCCESS(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return;
	while (done < size) {
		ZydisDecodedInstruction instruction;
		ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code + done, size - done,
							 &instruction, operands)))
			return;
		add_amd64_operands(refs, &instruction, operands, address + done);
		done += instruction.length;
	}
}

/* --- arm64 -------------------------------------------------------------------------------------- */

/* Encodings: Arm Architecture Reference Manual (DDI 0487), C4.1. */
#define A64_PC_RELATIVE_MASK 0x9f000000
#define A64_ADR		     0x10000000
#define A64_ADRP	     0x90000000
#define A64_ADD_IMM_MASK     0xff800000
#define A64_ADD_IMM	     0x91000000 /* 64 bits */
#define A64_LDST_IMM_MASK    0x3f000000
#define A64_LDST_IMM	     0x39000000 /* integer, unsigned scaled offset */
#define A64_LDST_OPC	     0x00c00000 /* 0: a store */

struct a64_registers {
	uint64_t value[32];
	uint32_t known; /* one bit per register */
};

static void set_known(struct a64_registers *regs, unsigned int reg, uint64_t value)
{
	regs->value[reg] = value;
	regs->known |= 1u << reg;
}

static bool is_known(const struct a64_registers *regs, unsigned int reg)
{
	return regs->known >> reg & 1;
}

/* The 21-bit signed immediate of ADR and ADRP: immhi in bits 23:5, immlo in 30:29. */
static uint64_t pc_relative_imm(uint32_t word)
{
	uint64_t imm = (uint64_t)(word >> 5 & 0x7ffff) << 2 | (word >> 29 & 3);

	return (imm ^ 1 << 20) - (1 << 20);
}

static void scan_arm64_word(struct a64_registers *regs, uint64_t pc, uint32_t word,
			    struct code_refs *refs)
{
	unsigned int rd = word & 31, rn = word >> 5 & 31;
	uint64_t imm = word >> 10 & 0xfff;

	if ((word & A64_PC_RELATIVE_MASK) == A64_ADRP) {
		set_known(regs, rd, (pc & ~0xfffULL) + (pc_relative_imm(word) << 12));
	} else if ((word & A64_PC_RELATIVE_MASK) == A64_ADR) {
		set_known(regs, rd, pc + pc_relative_imm(word));
		add(refs, regs->value[rd]);
	} else if ((word & A64_ADD_IMM_MASK) == A64_ADD_IMM && is_known(regs, rn)) {
		set_known(regs, rd, regs->value[rn] + (word >> 22 & 1 ? imm << 12 : imm));
		add(refs, regs->value[rd]);
	} else if ((word & A64_LDST_IMM_MASK) == A64_LDST_IMM) {
		if (is_known(regs, rn))
			add(refs, regs->value[rn] + (imm << (word >> 30)));
		if (word & A64_LDST_OPC)
			regs->known &= ~(1u << rd);
	}
}

static void scan_arm64(uint64_t address, const uint8_t *code, size_t size, struct code_refs *refs)
{
	struct a64_registers regs = {0};

	for (size_t done = 0; done + sizeof(uint32_t) <= size; done += sizeof(uint32_t)) {
		uint32_t word;

		memcpy(&word, code + done, sizeof(word));
		scan_arm64_word(&regs, address + done, word, refs);
	}
}

/* ------------------------------------------------------------------------------------------------ */

void code_refs__scan(enum elf_machine machine, uint64_t address, const uint8_t *code, size_t size,
		     struct code_refs *ret_refs)
{
	ret_refs->n = 0;
	ret_refs->refused = 0;
	if (machine == ELF_MACHINE_AMD64)
		scan_amd64(address, code, size, ret_refs);
	else
		scan_arm64(address, code, size, ret_refs);
}

int code_refs__read(struct elf_image *image, const struct pclntab_func *func,
		    struct code_refs *ret_refs)
{
	uint8_t *code __cleanup_free = NULL;
	int err;

	if (func->end <= func->entry || func->end - func->entry > CODE_REFS_MAX_BYTES)
		return -E2BIG;
	code = malloc(func->end - func->entry);
	if (!code)
		return -ENOMEM;
	err = elf_image__read(image, func->entry, code, func->end - func->entry);
	if (err)
		return err;
	code_refs__scan(elf_image__machine(image), func->entry, code, func->end - func->entry,
			ret_refs);
	return 0;
}

bool code_refs__has(const struct code_refs *refs, uint64_t address)
{
	for (size_t i = 0; i < refs->n; i++) {
		if (refs->addresses[i] == address)
			return true;
	}
	return false;
}
