// SPDX-License-Identifier: Apache-2.0
#include "session/lock_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define MAX_CODE (128u << 10) /* of one function */
#define N_KNOWN	 1024	      /* functions that are remembered */

/* Of Go 1.18 to 1.27: what is called where a lock is taken, inlined or not. */
static const char *const takers[] = {
	"sync.(*Mutex).Lock",
	"sync.(*Mutex).lockSlow",
	"internal/sync.(*Mutex).Lock",
	"internal/sync.(*Mutex).lockSlow",
	"sync.(*RWMutex).Lock",
	"sync.(*RWMutex).RLock",
	"sync.runtime_SemacquireRWMutexR",
	"sync.runtime_SemacquireMutex", /* RLock until Go 1.19 */
};

/* They take locks for others, or on their own behalf. */
static const char *const packages[] = {"runtime.", "sync.", "internal/sync.", "internal/poll."};

struct lock_code {
	const struct loaded_module *module;
	enum elf_machine machine;
	uint64_t takers[ARRAY_SIZE(takers)]; /* entries; 0: not in this program */
	uint64_t addresses[LOCK_CODE_MAX_ADDRESSES];
	size_t n_addresses;
	struct {
		uint64_t entry;
		unsigned int does;
	} known[N_KNOWN];
	uint8_t code[MAX_CODE];
};

int lock_code__new(const struct loaded_module *module, const uint64_t *addresses, size_t n,
		   struct lock_code **ret_code)
{
	struct pclntab_func funcs[ARRAY_SIZE(takers)] = {0};
	struct lock_code *code;
	int found;

	if (!module->binary || !module->tab)
		return -EOPNOTSUPP;
	code = calloc(1, sizeof(*code));
	if (!code)
		return -ENOMEM;
	code->module = module;
	code->machine = elf_image__machine(go_binary__image(module->binary));
	code->n_addresses = min_of(n, (size_t)LOCK_CODE_MAX_ADDRESSES);
	memcpy(code->addresses, addresses, code->n_addresses * sizeof(*addresses));
	found = pclntab__find(module->tab, takers, funcs, ARRAY_SIZE(takers));
	if (found <= 0) {
		lock_code__free(code);
		return found ? found : -EOPNOTSUPP;
	}
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
		code->takers[i] = funcs[i].entry;
	*ret_code = code;
	return 0;
}

void lock_code__free(struct lock_code *code)
{
	free(code);
}

static bool is_taker(const struct lock_code *code, uint64_t address)
{
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++) {
		if (code->takers[i] && code->takers[i] == address)
			return true;
	}
	return false;
}

static unsigned int names(const struct lock_code *code, uint64_t address)
{
	for (unsigned int i = 0; i < code->n_addresses; i++) {
		if (code->addresses[i] == address)
			return LOCK_CODE_NAMES(i);
	}
	return 0;
}

/*
 * Every four bytes that would be the distance to something that is looked for are taken for one: there
 * is no need to know where instructions begin, since other bytes hardly ever are.
 */
static unsigned int scan_amd64(const struct lock_code *code, uint64_t entry, size_t size)
{
	unsigned int does = 0;

	for (size_t i = 1; i + 4 <= size; i++) {
		uint64_t to = entry + i + 4 + (uint64_t)(int64_t)(int32_t)bytes__u32(code->code, i);

		if (code->code[i - 1] == 0xe8 && is_taker(code, to)) /* call rel32 */
			does |= LOCK_CODE_TAKES;
		does |= names(code, to);
	}
	return does;
}

/* Addresses of variables are made of two instructions there, and are not looked for. */
static unsigned int scan_arm64(const struct lock_code *code, uint64_t entry, size_t size)
{
	for (size_t i = 0; i + 4 <= size; i += 4) {
		uint32_t insn = bytes__u32(code->code, i);
		int64_t distance = (int64_t)((uint64_t)insn << 38) >> 36; /* imm26, in words */

		if (insn >> 26 == 0x25 && is_taker(code, entry + i + (uint64_t)distance)) /* bl */
			return LOCK_CODE_TAKES;
	}
	return 0;
}

static bool is_left_out(const struct lock_code *code, const struct pclntab_func *func)
{
	char name[64];

	if (pclntab__name(code->module->tab, func, name, sizeof(name)) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
		if (!strncmp(name, packages[i], strlen(packages[i])))
			return true;
	}
	return false;
}

static unsigned int look_at(struct lock_code *code, const struct pclntab_func *func)
{
	size_t size = (size_t)min_of(func->end - func->entry, (uint64_t)MAX_CODE);

	if (is_left_out(code, func) ||
	    elf_image__read(go_binary__image(code->module->binary), func->entry, code->code, size))
		return 0;
	switch (code->machine) {
	case ELF_MACHINE_AMD64:
		return scan_amd64(code, func->entry, size);
	case ELF_MACHINE_ARM64:
		return scan_arm64(code, func->entry, size);
	}
	return 0;
}

unsigned int lock_code__of(struct lock_code *code, uint64_t pc)
{
	struct pclntab_func func;
	size_t slot;

	if (module_pc__number(pc) != code->module->number ||
	    pclntab__lookup(code->module->tab, module_pc__address(pc) - 1, &func))
		return 0;
	slot = func.entry / 32 % N_KNOWN;
	if (code->known[slot].entry != func.entry) {
		code->known[slot].entry = func.entry;
		code->known[slot].does = look_at(code, &func);
	}
	return code->known[slot].does;
}
