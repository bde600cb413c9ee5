// SPDX-License-Identifier: Apache-2.0
/*
 * One stack of a goroutine: registers, bounds, which part of it was copied, and what the pcsp table
 * says, all from the input. The last bytes of it are the copy.
 */
#include "observe/unwind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "fuzz.h"
#include "observe/stack_table.h"

#define STACK 0xc000100000ULL
#define TEXT  0x401000ULL

enum choice {
	BP_VALID = 1 << 0,
	ARM_64 = 1 << 1,
	NO_TABLE = 1 << 2,
	ANYWHERE = 1 << 3, /* bounds and registers are whole words of the input */
};

struct deltas {
	int16_t values[4];
};

static int sp_delta(void *ctx, uint64_t pc, int32_t *ret_delta)
{
	const struct deltas *deltas = ctx;
	uint64_t which = hash__mix64(pc) % (ARRAY_SIZE(deltas->values) + 1);

	if (which == ARRAY_SIZE(deltas->values))
		return -ENOENT;
	*ret_delta = deltas->values[which];
	return 0;
}

static uint64_t address(struct fuzz_input *input, bool anywhere, uint64_t base)
{
	return anywhere ? fuzz_input__u64(input) : base + fuzz_input__u16(input);
}

static void walk(const struct unwind_input *in, struct deltas *deltas, bool no_table, size_t max)
{
	uint64_t *pcs = malloc(max * sizeof(*pcs) + 1); /* exactly so many */
	uint64_t more;
	size_t depth;

	fuzz__require(pcs);
	depth = unwind__walk_by(in, no_table ? NULL : sp_delta, deltas, pcs, max, &more);
	fuzz__require(depth <= max);
	fuzz__require(!more || (more >= in->stack_lo && more < in->stack_hi));
	for (size_t i = 0; i < depth; i++) {
		const struct loaded_module *module = module_map__of(in->modules, pcs[i]);

		fuzz__require(module && module_pc__address(pcs[i]) + module->bias >= module->text &&
			      module_pc__address(pcs[i]) + module->bias < module->etext);
	}
	free(pcs);
}

/* Two neighbours, of which the second has another bias: frames change over from one into the other. */
static struct module_map *make_modules(uint8_t bias)
{
	const struct loaded_module first = {.bias = bias, .text = TEXT, .etext = TEXT + 0x4000};
	const struct loaded_module second = {
		.number = 1, .bias = TEXT - bias, .text = TEXT + 0x4000, .etext = TEXT + 0x8000};
	struct module_map *map;

	fuzz__require(!module_map__new(&map) && !module_map__add(map, &first) &&
		      !module_map__add(map, &second));
	return map;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t choices = fuzz_input__u8(&input);
	bool anywhere = choices & ANYWHERE;
	size_t max = fuzz_input__u8(&input) % (STACK_MAX_DEPTH + 1);
	struct unwind_input in = {
		.bp_valid = choices & BP_VALID,
		.uses_lr = choices & ARM_64,
		.pc = address(&input, anywhere, TEXT),
		.sp = address(&input, anywhere, STACK),
		.bp = address(&input, anywhere, STACK),
		.lr = address(&input, anywhere, TEXT),
		.modules = make_modules(fuzz_input__u8(&input)),
	};
	struct deltas deltas;
	uint8_t *copy;

	for (size_t i = 0; i < ARRAY_SIZE(deltas.values); i++)
		deltas.values[i] = (int16_t)fuzz_input__u16(&input);
	in.stack_lo = anywhere ? fuzz_input__u64(&input) : STACK;
	in.stack_hi = address(&input, anywhere, STACK);
	/* As the census makes it: what was copied begins at or below sp and ends within the stack. */
	if (in.stack_lo > in.stack_hi || in.sp < in.stack_lo || in.sp > in.stack_hi) {
		module_map__free(in.modules);
		return 0;
	}
	in.copy_address = in.uses_lr && in.sp >= in.stack_lo + 8 ? in.sp - 8 : in.sp;
	in.copy_size = (size_t)min_of((uint64_t)input.left, in.stack_hi - in.copy_address);
	copy = malloc(in.copy_size + !in.copy_size);
	fuzz__require(copy);
	if (in.copy_size)
		memcpy(copy, input.data, in.copy_size);
	in.copy = copy;
	walk(&in, &deltas, choices & NO_TABLE, max);
	free(copy);
	module_map__free(in.modules);
	return 0;
}
