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
