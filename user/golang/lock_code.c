// SPDX-License-Identifier: Apache-2.0
#include "golang/lock_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define MAX_CODE (128u << 10) /* of one function */
#define N_KNOWN	 1024	      /* functions that are remembered */

/* Of Go 1.18 to 1.27: what is called where a lock is taken, inlined or not, and of channels. */
static const struct {
	const char *name;
	unsigned int does;
} known_callees[] = {
	{"sync.(*Mutex).Lock", LOCK_CODE_TAKES},
	{"sync.(*Mutex).lockSlow", LOCK_CODE_TAKES},
	{"internal/sync.(*Mutex).Lock", LOCK_CODE_TAKES},
	{"internal/sync.(*Mutex).lockSlow", LOCK_CODE_TAKES},
	{"sync.(*RWMutex).Lock", LOCK_CODE_TAKES},
	{"sync.(*RWMutex).RLock", LOCK_CODE_TAKES},
	{"sync.runtime_SemacquireRWMutexR", LOCK_CODE_TAKES},
	{"sync.runtime_SemacquireMutex", LOCK_CODE_TAKES}, /* RLock until Go 1.19 */
	{"runtime.chanrecv1", LOCK_CODE_RECEIVES},
	{"runtime.chanrecv2", LOCK_CODE_RECEIVES},
	{"runtime.selectnbrecv", LOCK_CODE_RECEIVES},
	{"runtime.chansend1", LOCK_CODE_SENDS},
	{"runtime.selectnbsend", LOCK_CODE_SENDS},
	{"runtime.closechan", LOCK_CODE_SENDS},
	{"runtime.selectgo", LOCK_CODE_RECEIVES | LOCK_CODE_SENDS},
};

/* They take locks for others, or on their own behalf. */
static const char *const packages[] = {"runtime.", "sync.", "internal/sync.", "internal/poll."};

struct lock_code {
	const struct loaded_module *module;
	enum elf_machine machine;
	struct lock_callee callees[ARRAY_SIZE(known_callees)];
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
	struct pclntab_func funcs[ARRAY_SIZE(known_callees)] = {0};
	const char *wanted[ARRAY_SIZE(known_callees)];
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
	for (size_t i = 0; i < ARRAY_SIZE(known_callees); i++)
		wanted[i] = known_callees[i].name;
	found = pclntab__find(module->tab, wanted, funcs, ARRAY_SIZE(known_callees));
	if (found <= 0) {
		lock_code__free(code);
		return found ? found : -EOPNOTSUPP;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known_callees); i++)
		code->callees[i] = (struct lock_callee){funcs[i].entry, known_callees[i].does};
	*ret_code = code;
	return 0;
}

void lock_code__free(struct lock_code *code)
{
	free(code);
}

static unsigned int calls(const struct lock_code_sought *sought, uint64_t address)
{
	unsigned int does = 0;

	for (size_t i = 0; i < sought->n_callees; i++) {
		if (sought->callees[i].entry && sought->callees[i].entry == address)
			does |= sought->callees[i].does;
	}
	return does;
}

static unsigned int names(const struct lock_code_sought *sought, uint64_t address)
{
	for (unsigned int i = 0; i < sought->n_addresses && i < LOCK_CODE_MAX_ADDRESSES; i++) {
		if (sought->addresses[i] && sought->addresses[i] == address)
			return LOCK_CODE_NAMES(i);
	}
	return 0;
}

/*
 * Every four bytes that would be the distance to something that is looked for are taken for one: there
 * is no need to know where instructions begin, since other bytes hardly ever are.
 */
static unsigned int scan_amd64(const struct lock_code_sought *sought, uint64_t entry,
			       const uint8_t *code, size_t size)
{
	unsigned int does = 0;

	for (size_t i = 1; i + 4 <= size; i++) {
		uint64_t to = entry + i + 4 + (uint64_t)(int64_t)(int32_t)bytes__u32(code, i);

		if (code[i - 1] == 0xe8) /* call rel32 */
			does |= calls(sought, to);
		does |= names(sought, to);
	}
	return does;
}

/* Addresses of variables are made of two instructions there, and are not looked for. */
static unsigned int scan_arm64(const struct lock_code_sought *sought, uint64_t entry,
			       const uint8_t *code, size_t size)
{
	unsigned int does = 0;

	for (size_t i = 0; i + 4 <= size; i += 4) {
		uint32_t insn = bytes__u32(code, i);
		int64_t distance = (int64_t)((uint64_t)insn << 38) >> 36; /* imm26, in words */

		if (insn >> 26 == 0x25) /* bl */
			does |= calls(sought, entry + i + (uint64_t)distance);
	}
	return does;
}

unsigned int lock_code__scan(enum elf_machine machine, uint64_t entry, const uint8_t *code,
			     size_t size, const struct lock_code_sought *sought)
{
	switch (machine) {
	case ELF_MACHINE_AMD64:
		return scan_amd64(sought, entry, code, size);
	case ELF_MACHINE_ARM64:
		return scan_arm64(sought, entry, code, size);
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
	const struct lock_code_sought sought = {code->callees, ARRAY_SIZE(code->callees),
						code->addresses, code->n_addresses};
	size_t size = (size_t)min_of(func->end - func->entry, (uint64_t)MAX_CODE);

	if (is_left_out(code, func) ||
	    elf_image__read(go_binary__image(code->module->binary), func->entry, code->code, size))
		return 0;
	return lock_code__scan(code->machine, func->entry, code->code, size, &sought);
}

unsigned int lock_code__of_function(struct lock_code *code, const struct pclntab_func *func)
{
	size_t slot = func->entry / 32 % N_KNOWN;

	if (code->known[slot].entry != func->entry) {
		code->known[slot].entry = func->entry;
		code->known[slot].does = look_at(code, func);
	}
	return code->known[slot].does;
}

unsigned int lock_code__of(struct lock_code *code, uint64_t pc)
{
	struct pclntab_func func;

	if (module_pc__number(pc) != code->module->number ||
	    pclntab__lookup(code->module->tab, module_pc__address(pc) - 1, &func))
		return 0;
	return lock_code__of_function(code, &func);
}
