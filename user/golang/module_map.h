/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_MODULE_MAP_H
#define GLEAKD_GOLANG_MODULE_MAP_H

/*
 * The modules of one Go runtime in one process (src/runtime/symtab.go, the list that begins with
 * firstmoduledata): the file with the runtime itself, and the plugins that were opened since. Each is
 * a file of its own at an address of its own, and each has copies of the runtime's functions, which
 * run on the first one's variables.
 *
 * Program counters are kept as module pcs: the number of the module above MODULE_PC_SHIFT, below it
 * the link-time address. They mean the same in every process of the program, whatever is loaded where.
 */
#include "base/common.h"
#include "golang/binary.h"

#define MODULE_PC_SHIFT 48 /* user space ends below that on amd64 and arm64 (4-level page tables) */
#define MODULE_MAX	256
#define MODULE_NONE	0x7fff /* number in what lies in no module: the rest is the target's address */

static inline uint64_t module_pc__make(uint32_t number, uint64_t address)
{
	return (uint64_t)number << MODULE_PC_SHIFT | (address & ((1ULL << MODULE_PC_SHIFT) - 1));
}

static inline uint32_t module_pc__number(uint64_t pc)
{
	return (uint32_t)(pc >> MODULE_PC_SHIFT);
}

static inline uint64_t module_pc__address(uint64_t pc)
{
	return pc & ((1ULL << MODULE_PC_SHIFT) - 1);
}

/* A module where the process has it. */
struct loaded_module {
	uint32_t number;	  /* in module pcs; 0: the runtime's own */
	struct go_binary *binary; /* its file; NULL: not readable */
	struct pclntab *tab;	  /* of @binary; may be NULL */
	uint64_t bias;		  /* address in the target minus link-time address */
	uint64_t moduledata;	  /* in the target; its masks of pointers are read from there */
	uint64_t text, etext;	  /* in the target */
	/* Link-time bounds of its runtime.goexit, the outermost frame of goroutines; 0: unknown. */
	uint64_t goexit, goexit_end;
};

struct module_map;

int module_map__new(struct module_map **ret_map) __must_check;
void module_map__free(struct module_map *map);

/*
 * module_map__add - one more, in the order of the runtime's list; its binary must outlive the map.
 * Errors: -ENOMEM, -ENOSPC, -EEXIST its text overlaps that of another.
 */
int module_map__add(struct module_map *map, const struct loaded_module *module) __must_check;

size_t module_map__count(const struct module_map *map);
const struct loaded_module *module_map__at(const struct module_map *map, size_t index);

/* module_map__find - the module with the target's address @pc in its text; NULL: none. Fast. */
const struct loaded_module *module_map__find(struct module_map *map, uint64_t pc);

/* module_map__of - the module that the module pc @pc is in; NULL: none. */
const struct loaded_module *module_map__of(const struct module_map *map, uint64_t pc);

/* module_map__pc - the target's address @pc as a module pc; 0 stays 0. */
uint64_t module_map__pc(struct module_map *map, uint64_t pc);

/* module_map__is_goexit - whether the module pc @pc is in the goexit of its module: no goroutine has a frame beyond. */
bool module_map__is_goexit(const struct module_map *map, uint64_t pc);

/*
 * module_map__load - as module_map__add() of number @number, with what @binary, which is bound, tells.
 * Errors: as there, and as pclntab__find().
 */
int module_map__load(struct module_map *map, uint32_t number, struct go_binary *binary,
		     uint64_t bias, uint64_t moduledata) __must_check;

#endif /* GLEAKD_GOLANG_MODULE_MAP_H */
