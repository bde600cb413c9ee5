// SPDX-License-Identifier: Apache-2.0
#include "golang/arch.h"

#include <Zydis/Zydis.h>

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
};
