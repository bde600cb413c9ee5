// SPDX-License-Identifier: Apache-2.0
/*
 * The input is one byte of choices and the machine code of a function, as a foreign binary has it:
 * what it refers to, its instructions, and where a probe would go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "golang/call_values.h"
#include "golang/code_refs.h"
#include "probe/insn.h"
#include "probe/path.h"

#define ADDRESS 0x401000ULL

enum choice {
	CODE_ARM64 = 1 << 0,
	AFTER_CALL = 1 << 1,
	UP_TO_ANY_CALL = 1 << 2,
};

static void check_refs(const struct go_arch *arch, const uint8_t *code, size_t size)
{
	static struct code_refs refs;

	code_refs__scan(arch, ADDRESS, code, size, &refs);
	fuzz__require(refs.n <= CODE_REFS_MAX && (!refs.refused || refs.n == CODE_REFS_MAX));
	for (size_t i = 0; i + 1 < refs.n; i++)
		fuzz__require(refs.addresses[i] < refs.addresses[i + 1]);
	for (size_t i = 0; i < refs.n; i++)
		fuzz__require(code_refs__has(&refs, refs.addresses[i]));
}

/* Of each call in it, as far as it can be followed. */
static void check_values(const struct go_arch *arch, const uint8_t *code, size_t size)
{
	struct call_values values;
	struct go_insn insn;

	for (size_t at = 0; at < size; at += insn.length) {
		if (arch->read_insn(ADDRESS + at, code + at, size - at, &insn))
			break;
		fuzz__require(insn.length && insn.length <= size - at);
		fuzz__require(insn.to < GO_REGISTERS && insn.from < GO_REGISTERS);
		if (insn.kind == GO_INSN_CALL && at < 4096)
			fuzz__require(call_values__read(arch, ADDRESS, code, at + insn.length,
							&values) != -EINVAL);
		(void)call_values__stored(arch, ADDRESS + at, code + at, size - at);
	}
}

/* Returns where the first call leads to, 0 without one. */
static uint64_t check_instructions(const struct code *code)
{
	uint64_t call = 0;
	struct insn insn;

	for (size_t at = 0; at < code->size; at += insn.length) {
		if (code->decode(code->bytes + at, code->size - at, code->address + at, &insn))
			break;
		fuzz__require(insn.length && insn.length <= code->size - at);
		fuzz__require(insn.kind <= INSN_END);
		if (insn.kind == INSN_CALL && !call)
			call = insn.target;
	}
	return call;
}

static void check_path(const struct code *code, const struct path_query *query)
{
	struct path_point point;

	if (!path__cheapest(code, query, &point)) {
		fuzz__require(point.offset && point.offset < code->size);
		fuzz__require(point.class <= PROBE_CLASS_SINGLE_STEP);
		fuzz__require(point.location <= GL_G_ON_STACK);
	}
	if (!path__only_return(code, &point))
		fuzz__require(point.offset < code->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t choices = fuzz_input__u8(&input);
	bool arm64 = choices & CODE_ARM64;
	uint8_t *bytes = malloc(input.left + !input.left); /* exactly so many */
	struct path_query query = {.up_to_any_call = choices & UP_TO_ANY_CALL};
	struct code code = {
		.bytes = bytes,
		.size = input.left,
		.address = ADDRESS,
		.decode = arm64 ? insn_arm64__decode : insn_amd64__decode,
	};
	uint64_t call;

	fuzz__require(bytes);
	if (input.left)
		memcpy(bytes, input.data, input.left);
	check_refs(arm64 ? &go_arch_arm64 : &go_arch_amd64, bytes, code.size);
	check_values(arm64 ? &go_arch_arm64 : &go_arch_amd64, bytes, code.size);
	call = check_instructions(&code);
	if (choices & AFTER_CALL)
		query.after_call = call;
	else
		query.up_to_call = call;
	check_path(&code, &query);
	free(bytes);
	return 0;
}
