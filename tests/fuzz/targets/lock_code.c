// SPDX-License-Identifier: Apache-2.0
/*
 * The input is one byte of choices, what is called and named, and the machine code of a function, as a
 * foreign binary has it: what the function does with locks and channels.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "golang/lock_code.h"

#define ENTRY	  0x401000ULL
#define N_CALLEES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int does[N_CALLEES] = {LOCK_CODE_TAKES, LOCK_CODE_RECEIVES,
						     LOCK_CODE_SENDS};
	struct fuzz_input input = {data, size};
	enum elf_machine machine =
		fuzz_input__u8(&input) & 1 ? ELF_MACHINE_ARM64 : ELF_MACHINE_AMD64;
	struct lock_callee callees[N_CALLEES];
	uint64_t addresses[LOCK_CODE_MAX_ADDRESSES + 1] = {0};
	unsigned int possible = 0, found, none;
	const struct lock_code_sought sought = {callees, N_CALLEES, addresses,
						LOCK_CODE_MAX_ADDRESSES + 1};
	const struct lock_code_sought nothing = {0};
	uint8_t *code;

	for (size_t i = 0; i < N_CALLEES; i++) {
		callees[i] = (struct lock_callee){ENTRY + fuzz_input__u8(&input) * 4u, does[i]};
		possible |= does[i];
	}
	for (unsigned int i = 0; i < LOCK_CODE_MAX_ADDRESSES; i++) {
		addresses[i] = i % 4 ? 0 : ENTRY + fuzz_input__u8(&input);
		if (addresses[i])
			possible |= LOCK_CODE_NAMES(i);
	}
	addresses[LOCK_CODE_MAX_ADDRESSES] = ENTRY; /* one too many */
	code = malloc(input.left + !input.left);    /* exactly so many */
	fuzz__require(code);
	if (input.left)
		memcpy(code, input.data, input.left);
	found = lock_code__scan(machine, ENTRY, code, input.left, &sought);
	fuzz__require(!(found & ~possible));
	none = lock_code__scan(machine, ENTRY, code, input.left, &nothing);
	fuzz__require(!none);
	free(code);
	return 0;
}
