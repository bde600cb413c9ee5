// SPDX-License-Identifier: Apache-2.0
/*
 * arch/x86/kernel/uprobes.c decides what a probe costs: branch_setup_xol_ops() and
 * push_setup_xol_ops() list what is emulated. Everything else is copied aside and single-stepped.
 */
#include "probe/insn.h"

#include <Zydis/Zydis.h>
#include <errno.h>

/* g.stackguard0 of the g in R14 (src/runtime/runtime2.go): what Go's prologue compares SP with. */
#define STACK_LIMIT_OFFSET 0x10

struct decoded {
	ZydisDecodedInstruction head;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static uint8_t location_of(ZydisRegister reg)
{
	switch (ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg)) {
	case ZYDIS_REGISTER_RAX:
		return INSN_REG0;
	case ZYDIS_REGISTER_RBX:
		return INSN_REG1;
	case ZYDIS_REGISTER_RSP:
		return INSN_SP;
	default:
		return 0;
	}
}

/* 0x90 with and without the 0x66 prefix: Zydis calls the latter an xchg that writes AX. */
static bool is_nop1(const ZydisDecodedInstruction *head)
{
	return head->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && head->opcode == 0x90 &&
	       !(head->attributes & (ZYDIS_ATTRIB_HAS_REX | ZYDIS_ATTRIB_HAS_REP));
}

static uint8_t written_locations(const struct decoded *insn)
{
	uint8_t locations = 0;

	if (is_nop1(&insn->head))
		return 0;
	for (size_t i = 0; i < insn->head.operand_count; i++) {
		const ZydisDecodedOperand *operand = &insn->operands[i];

		if (!(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
			locations |= location_of(operand->reg.value);
		else if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
			 operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			locations |= INSN_STACK;
	}
	return locations;
}

static bool is_register(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->size == 64;
}

/* `mov reg, reg` and `mov slot(%rsp), reg` of 64 bits, between the locations that are followed. */
static void describe_move(const struct decoded *insn, struct insn *out)
{
	const ZydisDecodedOperand *to = &insn->operands[0], *from = &insn->operands[1];
	uint8_t source;

	if (insn->head.mnemonic != ZYDIS_MNEMONIC_MOV || !is_register(from))
		return;
	source = location_of(from->reg.value) & (INSN_REG0 | INSN_REG1);
	if (is_register(to)) {
		out->copies_to = source ? location_of(to->reg.value) & (INSN_REG0 | INSN_REG1) : 0;
		out->copies_from = source;
	} else if (to->type == ZYDIS_OPERAND_TYPE_MEMORY && to->size == 64 &&
		   to->mem.base == ZYDIS_REGISTER_RSP && to->mem.index == ZYDIS_REGISTER_NONE &&
		   to->mem.disp.value >= 0 && to->mem.disp.value <= UINT16_MAX) {
		out->stores = source;
		out->slot = (int32_t)to->mem.disp.value;
	}
}

static bool compares_stack_limit(const struct decoded *insn)
{
	const ZydisDecodedOperand *limit = &insn->operands[1];

	return insn->head.mnemonic == ZYDIS_MNEMONIC_CMP &&
	       limit->type == ZYDIS_OPERAND_TYPE_MEMORY && limit->mem.base == ZYDIS_REGISTER_R14 &&
	       limit->mem.index == ZYDIS_REGISTER_NONE &&
	       limit->mem.disp.value == STACK_LIMIT_OFFSET;
}

static bool is_undefined(ZydisMnemonic mnemonic)
{
	return mnemonic == ZYDIS_MNEMONIC_UD0 || mnemonic == ZYDIS_MNEMONIC_UD1 ||
	       mnemonic == ZYDIS_MNEMONIC_UD2;
}

static void describe_flow(const struct decoded *insn, uint64_t address, struct insn *out)
{
	const ZydisDecodedOperand *operand = &insn->operands[0];
	bool direct = operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand->imm.is_relative;

	if (direct)
		(void)ZydisCalcAbsoluteAddress(&insn->head, operand, address, &out->target);
	switch (insn->head.meta.category) {
	case ZYDIS_CATEGORY_CALL:
		out->kind = direct ? INSN_CALL : INSN_CALL_INDIRECT;
		break;
	case ZYDIS_CATEGORY_COND_BR:
		out->kind = direct ? INSN_BRANCH : INSN_END;
		out->branches_if_below_or_equal = insn->head.mnemonic == ZYDIS_MNEMONIC_JBE;
		break;
	case ZYDIS_CATEGORY_UNCOND_BR:
		out->kind = direct ? INSN_JUMP : INSN_END;
		break;
	case ZYDIS_CATEGORY_RET:
		out->kind = INSN_END;
		out->returns = true;
		break;
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSTEM:
		out->kind = INSN_END;
		break;
	default:
		out->kind = is_undefined(insn->head.mnemonic) ? INSN_END : INSN_PLAIN;
	}
}

static bool is_emulated(const ZydisDecodedInstruction *head)
{
	if (is_nop1(head))
		return true;
	/* Branches whose operand size is overridden are refused. */
	if (head->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE)
		return false;
	if (head->opcode_map == ZYDIS_OPCODE_MAP_0F)
		return (head->opcode & 0xf0) == 0x80; /* jcc rel32 */
	if (head->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT)
		return false;
	return head->opcode == 0xe8 || head->opcode == 0xe9 || head->opcode == 0xeb ||
	       (head->opcode & 0xf0) == 0x70 || (head->opcode & 0xf8) == 0x50; /* jcc, push */
}

/*
 * What Go puts around the sites; the kernel refuses some other instructions. No long nops: kernels
 * turn a probed one into a call of a system call (arch/x86/kernel/uprobes.c can_optimize(): five
 * bytes in Linux 6.18, ten in later ones), and what a process may do to its own system calls then
 * meets the probe. Syscall user dispatch kills the process, and a tracer sees, and may refuse, a
 * system call that no program made.
 */
static bool is_steppable(const struct decoded *insn)
{
	switch (insn->head.mnemonic) {
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_LEA:
	case ZYDIS_MNEMONIC_XOR:
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_TEST:
	case ZYDIS_MNEMONIC_RET:
		return !(insn->head.attributes & ZYDIS_ATTRIB_HAS_SEGMENT);
	default:
		return false;
	}
}

static void describe_cost(const struct decoded *insn, struct insn *out)
{
	out->probeable = true;
	if (is_emulated(&insn->head))
		out->class = PROBE_CLASS_EMULATED;
	else if (is_steppable(insn))
		out->class = PROBE_CLASS_SINGLE_STEP;
	else
		out->probeable = false;
}

int insn_amd64__decode(const uint8_t *code, size_t size, uint64_t address, struct insn *ret_insn)
{
	struct insn out = {.slot = INSN_NO_SLOT};
	struct decoded insn = {0};
	ZydisDecoder decoder;

	if (ZYAN_FAILED(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, size, &insn.head, insn.operands)))
		return -EILSEQ;
	out.length = insn.head.length;
	out.writes = written_locations(&insn);
	out.compares_stack_limit = compares_stack_limit(&insn);
	describe_move(&insn, &out);
	describe_flow(&insn, address, &out);
	describe_cost(&insn, &out);
	*ret_insn = out;
	return 0;
}
