/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_ARCH_H
#define GLEAKD_GOLANG_ARCH_H

/*
 * What differs between the architectures that Go programs are compiled for, one file for each:
 * arch_amd64.c, arch_arm64.c. A new one is a new file like those, a value of enum elf_machine and a
 * line in arch.c. How its instructions are probed is told in probe/insn.h.
 */
#include "base/bytes.h"
#include "base/common.h"
#include "elf/image.h"
#include "golang/layout.h"

struct code_fields;
struct code_refs;

#define GO_REGISTERS 32

/* What an instruction does to registers that hold static addresses. */
enum go_insn_kind {
	GO_INSN_OTHER,
	GO_INSN_ADDRESS, /* @to becomes @value */
	GO_INSN_ADD,	 /* @to becomes @from plus @value */
	GO_INSN_STORE,	 /* the word at @value bytes behind what @to points to becomes @from */
	GO_INSN_CALL,	 /* of the function at @value; 0: of one that is not told here */
	GO_INSN_BRANCH,	 /* within the function, to @value; 0: likewise */
};

/* Registers by the numbers that instructions have for them. */
struct go_insn {
	uint8_t length;
	uint8_t kind; /* enum go_insn_kind */
	uint8_t to, from;
	uint32_t writes; /* registers that have another value behind it; @to of the first two too */
	uint64_t value;
};

struct go_arch {
	/* src/internal/goarch/goarch_*.go _PCQuantum: every instruction is a multiple of so many bytes. */
	uint8_t pc_quantum;
	/*
	 * src/runtime/stkframe.go usesLR: a call leaves the return address in a register. The callee
	 * saves it at the bottom of its frame and the frame pointer one word below sp; elsewhere the
	 * call itself pushes it above the callee's frame.
	 */
	bool uses_lr;
	/* src/runtime/malloc.go arenaBaseOffset: what the index of an arena counts from. */
	uint64_t arena_base_offset;
	/* Members of struct go_layout: offsets of fields that a cache line's padding lies before. */
	size_t mheap_arenas, cleanupQueue_all;

	/* src/internal/cpu/cpu_*.go CacheLinePadSize of Go 1.@minor. */
	uint32_t (*cache_line)(int minor);
	/* ends_in_call - whether @code, eight bytes that may begin anywhere, ends with a call. */
	bool (*ends_in_call)(const uint8_t code[8]);
	/* scan_refs / scan_fields - see code_refs__scan() and code_fields__scan(): both add to @ret_*. */
	void (*scan_refs)(uint64_t address, const uint8_t *code, size_t size,
			  struct code_refs *ret_refs);
	void (*scan_fields)(const uint8_t *code, size_t size, struct code_fields *ret_fields);
	/* read_insn - the one at @code, which lies at @address. -EILSEQ: it is none, or is cut off. */
	int (*read_insn)(uint64_t address, const uint8_t *code, size_t size,
			 struct go_insn *ret_insn);
	/*
	 * may_store_behind - whether @code begins like a direct call behind which a static address is
	 * loaded. It may begin anywhere, so there may be none.
	 */
	bool (*may_store_behind)(const uint8_t *code, size_t size);
	/* src/internal/abi/abi_*.go: the registers of the first integer arguments; 0 is the result, too. */
	uint8_t arguments[6];
};

extern const struct go_arch go_arch_amd64, go_arch_arm64;

/* go_arch__of - of the program in @image. */
const struct go_arch *go_arch__of(const struct elf_image *image);

/* go_arch__mheap_arenas / __cleanup_queue - offset of mheap.arenas, of cleanupQueue.all. */
static inline uint32_t go_arch__mheap_arenas(const struct go_arch *arch,
					     const struct go_layout *layout)
{
	return bytes__u32(layout, arch->mheap_arenas);
}

static inline uint32_t go_arch__cleanup_queue(const struct go_arch *arch,
					      const struct go_layout *layout)
{
	return bytes__u32(layout, arch->cleanupQueue_all);
}

#endif /* GLEAKD_GOLANG_ARCH_H */
