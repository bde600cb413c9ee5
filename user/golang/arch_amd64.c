// SPDX-License-Identifier: Apache-2.0
#include "golang/arch.h"

#include <Zydis/Zydis.h>
#include <errno.h>

#include "golang/code_fields.h"
#include "golang/code_refs.h"

static uint32_t cache_line(int minor)
{
	(void)minor;
	return 64;
}

/* CALL: E8 rel32; FF /2 with a register, a displacement of 8 or 32 bits, or relative to rip. */
static bool ends_in_call(const uint8_t code[8])
{
	static const size_t lengths[] = {2, 3, 6, 7};

	if (code[8 - 5] == 0xe8)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const uint8_t *insn = code + 8 - lengths[i];

		if (insn[0] == 0xff && (insn[1] >> 3 & 7) == 2)
			return true;
	}
	return false;
}

/* --- memory operands ----------------------------------------------------------------------------- */

struct operand_visitor {
	void (*visit)(void *ctx, const ZydisDecodedInstruction *insn,
		      const ZydisDecodedOperand *operand, size_t offset);
	void *ctx;
};

/* Every visible memory operand, until the first bytes that are no instruction. */
static void visit_operands(const uint8_t *code, size_t size, const struct operand_visitor *visitor)
{
	ZydisDecoder decoder;
	size_t done = 0;

	if (!ZYAN_SUCCESS(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return;
	while (done < size) {
		ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
		ZydisDecodedInstruction insn;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code + done, size - done, &insn,
							 operands)))
			return;
		for (size_t i = 0; i < insn.operand_count_visible; i++) {
			if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
				visitor->visit(visitor->ctx, &insn, &operands[i], done);
		}
		done += insn.length;
	}
}

struct refs_scan {
	struct code_refs *refs;
	uint64_t address; /* of the code */
};

static void visit_for_refs(void *ctx, const ZydisDecodedInstruction *insn,
			   const ZydisDecodedOperand *operand, size_t offset)
{
	const struct refs_scan *scan = ctx;
	ZyanU64 target;

	if (operand->mem.base == ZYDIS_REGISTER_RIP &&
	    ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(insn, operand, scan->address + offset, &target)))
		code_refs__add(scan->refs, target);
}

/* Every memory operand and LEA relative to rip. */
static void scan_refs(uint64_t address, const uint8_t *code, size_t size,
		      struct code_refs *ret_refs)
{
	struct refs_scan scan = {ret_refs, address};

	visit_operands(code, size, &(struct operand_visitor){visit_for_refs, &scan});
}

static void visit_for_fields(void *ctx, const ZydisDecodedInstruction *insn,
			     const ZydisDecodedOperand *operand, size_t offset)
{
	const ZydisDecodedOperandMem *mem = &operand->mem;

	(void)offset;
	if (mem->base == ZYDIS_REGISTER_NONE || mem->base == ZYDIS_REGISTER_RIP ||
	    mem->base == ZYDIS_REGISTER_RSP || mem->index != ZYDIS_REGISTER_NONE ||
	    mem->segment == ZYDIS_REGISTER_FS)
		return;
	/* SSE stores two fields at once. */
	code_fields__add(ctx, mem->disp.value,
			 insn->mnemonic == ZYDIS_MNEMONIC_LEA ? 0 :
								min_of(operand->size / 8u, 32u));
}

static void scan_fields(const uint8_t *code, size_t size, struct code_fields *ret_fields)
{
	visit_operands(code, size, &(struct operand_visitor){visit_for_fields, ret_fields});
}

/* --- values of registers ------------------------------------------------------------------------- */

/* As instructions number them: RAX, RCX, RDX, RBX, RSP ... */
static bool number_of(ZydisRegister reg, uint8_t *ret_number)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
		return false;
	*ret_number = (uint8_t)ZydisRegisterGetId(whole);
	return true;
}

static uint32_t written_registers(const ZydisDecodedInstruction *head,
				  const ZydisDecodedOperand *operands)
{
	uint32_t writes = 0;
	uint8_t number;

	for (size_t i = 0; i < head->operand_count; i++) {
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
		    number_of(operands[i].reg.value, &number))
			writes |= 1u << number;
	}
	return writes;
}

static bool is_plain(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.base &&
	       !operand->mem.index && operand->mem.segment != ZYDIS_REGISTER_FS;
}

/* `lea address(%rip), reg`, `mov reg, reg` and `mov reg, offset(reg)` of 64 bits. */
static void describe_move(const ZydisDecodedInstruction *head, const ZydisDecodedOperand *operands,
			  uint64_t address, struct go_insn *out)
{
	const ZydisDecodedOperand *to = &operands[0], *from = &operands[1];
	bool lea = head->mnemonic == ZYDIS_MNEMONIC_LEA;

	if (head->operand_width != 64 || (!lea && head->mnemonic != ZYDIS_MNEMONIC_MOV))
		return;
	if (to->type == ZYDIS_OPERAND_TYPE_REGISTER && number_of(to->reg.value, &out->to)) {
		if (lea && from->mem.base == ZYDIS_REGISTER_RIP) {
			if (ZYAN_SUCCESS(
				    ZydisCalcAbsoluteAddress(head, from, address, &out->value)))
				out->kind = GO_INSN_ADDRESS;
		} else if (!lea && from->type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   number_of(from->reg.value, &out->from)) {
			out->kind = GO_INSN_ADD;
		}
	} else if (is_plain(to) && from->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		   number_of(to->mem.base, &out->to) && number_of(from->reg.value, &out->from)) {
		out->kind = GO_INSN_STORE;
		out->value = (uint64_t)to->mem.disp.value;
	}
}

static int read_insn(uint64_t address, const uint8_t *code, size_t size, struct go_insn *ret_insn)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	struct go_insn out = {0};
	ZydisDecodedInstruction head;
	ZydisDecoder decoder;

	if (ZYAN_FAILED(
		    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code, size, &head, operands)))
		return -EILSEQ;
	out.length = head.length;
	out.writes = written_registers(&head, operands);
	switch (head.meta.category) {
	case ZYDIS_CATEGORY_CALL:
		out.kind = GO_INSN_CALL;
		break;
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
		out.kind = GO_INSN_BRANCH;
		break;
	default:
		describe_move(&head, operands, address, &out);
	}
	if ((out.kind == GO_INSN_CALL || out.kind == GO_INSN_BRANCH) &&
	    operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	    ZYAN_FAILED(ZydisCalcAbsoluteAddress(&head, &operands[0], address, &out.value)))
		out.value = 0;
	*ret_insn = out;
	return 0;
}

/* CALL rel32; LEA reg, disp32(%rip). */
static bool may_store_behind(const uint8_t *code, size_t size)
{
	return code[0] == 0xe8 && size >= 12 && (code[5] & 0xfb) == 0x48 && code[6] == 0x8d &&
	       (code[7] & 0xc7) == 5;
}

const struct go_arch go_arch_amd64 = {
	.pc_quantum = 1,
	.uses_lr = false,
	.arena_base_offset = 0xffff800000000000ULL,
	.mheap_arenas = offsetof(struct go_layout, mheap_arenas),
	.cleanupQueue_all = offsetof(struct go_layout, cleanupQueue_all),
	.cache_line = cache_line,
	.ends_in_call = ends_in_call,
	.scan_refs = scan_refs,
	.scan_fields = scan_fields,
	.read_insn = read_insn,
	.may_store_behind = may_store_behind,
	.arguments = {0, 3, 1, 7, 6, 8}, /* RAX, RBX, RCX, RDI, RSI, R8 */
};
