// SPDX-License-Identifier: Apache-2.0
/* What functions do with locks and channels, by their machine code. */
#include "golang/lock_code.h"

#include <string.h>

#include <criterion/criterion.h>

#define ENTRY	 0x401000ULL
#define LOCK	 0x402000ULL
#define RECEIVE	 0x3ff000ULL
#define SEND	 0x480000ULL
#define VARIABLE 0x500000ULL
#define OTHER	 0x500010ULL

static const struct lock_callee callees[] = {
	{LOCK, LOCK_CODE_TAKES},
	{0, LOCK_CODE_TAKES}, /* not in this program */
	{RECEIVE, LOCK_CODE_RECEIVES},
	{SEND, LOCK_CODE_SENDS | LOCK_CODE_RECEIVES},
};
static const uint64_t addresses[] = {0, OTHER, VARIABLE};

static unsigned int scan(enum elf_machine machine, const uint8_t *code, size_t size)
{
	const struct lock_code_sought sought = {callees, ARRAY_SIZE(callees), addresses,
						ARRAY_SIZE(addresses)};

	return lock_code__scan(machine, ENTRY, code, size, &sought);
}

static void put(uint8_t *code, size_t at, uint32_t value)
{
	memcpy(code + at, &value, sizeof(value));
}

/* call rel32 at @at, to @to. */
static void call(uint8_t *code, size_t at, uint64_t to)
{
	code[at] = 0xe8;
	put(code, at + 1, (uint32_t)(to - (ENTRY + at + 5)));
}

Test(lock_code, calls_of_amd64)
{
	uint8_t code[64];

	memset(code, 0x90, sizeof(code));
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code)), 0u);
	call(code, 3, LOCK);
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code)), LOCK_CODE_TAKES);
	call(code, 17, RECEIVE); /* backwards */
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code)),
		     LOCK_CODE_TAKES | LOCK_CODE_RECEIVES);
	call(code, sizeof(code) - 5, SEND);
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code)),
		     LOCK_CODE_TAKES | LOCK_CODE_RECEIVES | LOCK_CODE_SENDS);
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code) - 1),
		     LOCK_CODE_TAKES | LOCK_CODE_RECEIVES, "the last is cut off");
	code[3] = 0xe9; /* a jump is none */
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, 16), 0u);
	for (size_t size = 0; size < 5; size++)
		cr_expect_eq(scan(ELF_MACHINE_AMD64, code + 17, size), 0u);
}

Test(lock_code, variables_of_amd64)
{
	uint8_t code[32];

	memset(code, 0x90, sizeof(code));
	code[7] = 0x05; /* lea rax, [rip + ...] */
	put(code, 8, (uint32_t)(VARIABLE - (ENTRY + 12)));
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code)), LOCK_CODE_NAMES(2));
	put(code, 20, (uint32_t)(OTHER - (ENTRY + 24)));
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code)),
		     LOCK_CODE_NAMES(1) | LOCK_CODE_NAMES(2));
	put(code, 8, (uint32_t)(VARIABLE + 1 - (ENTRY + 12)));
	put(code, 20, (uint32_t)(0 - (ENTRY + 24)));
	cr_expect_eq(scan(ELF_MACHINE_AMD64, code, sizeof(code)), 0u, "0 is no address");
}

Test(lock_code, calls_of_arm64)
{
	uint8_t code[16];

	for (size_t at = 0; at < sizeof(code); at += 4)
		put(code, at, 0xd503201f); /* nop */
	cr_expect_eq(scan(ELF_MACHINE_ARM64, code, sizeof(code)), 0u);
	put(code, 4, 0x94000000 | ((uint32_t)((LOCK - (ENTRY + 4)) >> 2) & 0x3ffffff));
	cr_expect_eq(scan(ELF_MACHINE_ARM64, code, sizeof(code)), LOCK_CODE_TAKES);
	put(code, 12, 0x94000000 | ((uint32_t)((RECEIVE - (ENTRY + 12)) >> 2) & 0x3ffffff));
	cr_expect_eq(scan(ELF_MACHINE_ARM64, code, sizeof(code)),
		     LOCK_CODE_TAKES | LOCK_CODE_RECEIVES);
	cr_expect_eq(scan(ELF_MACHINE_ARM64, code, 15), LOCK_CODE_TAKES, "the last is cut off");
	put(code, 4, 0x14000000 | ((uint32_t)((LOCK - (ENTRY + 4)) >> 2) & 0x3ffffff)); /* b */
	cr_expect_eq(scan(ELF_MACHINE_ARM64, code, 8), 0u, "a jump is none");
}
