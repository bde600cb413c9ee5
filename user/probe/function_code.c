// SPDX-License-Identifier: Apache-2.0
#include "probe/function_code.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest that is looked at, mallocgc of Go 1.22, has 3 KiB. */
#define MAX_FUNCTION_BYTES (32u << 10)

int function_code__read(struct elf_image *image, const struct pclntab_func *func,
			uint8_t **ret_bytes, struct code *ret_code)
{
	size_t size = (size_t)(func->end - func->entry);
	uint8_t *bytes;
	int err;

	if (!func->entry || func->end <= func->entry)
		return -ENOENT;
	if (size > MAX_FUNCTION_BYTES)
		return -E2BIG;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	err = elf_image__read(image, func->entry, bytes, size);
	if (err) {
		free(bytes);
		return err;
	}
	*ret_bytes = bytes;
	*ret_code = (struct code){
		.bytes = bytes,
		.size = size,
		.address = func->entry,
		.decode = insn__decoder(image),
	};
	return 0;
}

int probe_site__set(struct probe_site *site, struct elf_image *image, uint64_t entry,
		    const char *name, const struct path_point *point)
{
	uint64_t address = entry + point->offset;
	uint64_t file_offset;
	uint8_t code[sizeof(site->code)];
	int err = elf_image__file_offset(image, address, &file_offset);

	if (!err)
		err = elf_image__read(image, address, code, point->length);
	if (err)
		return err;
	*site = (struct probe_site){
		.present = true,
		.class = point->class,
		.address = address,
		.file_offset = file_offset,
		.func_offset = point->offset,
		.length = point->length,
		.g_location = point->location,
		.guard = point->guard,
		.g_stack_offset = point->stack_offset,
	};
	memcpy(site->code, code, point->length);
	snprintf(site->function, sizeof(site->function), "%s", name);
	if (point->class == PROBE_CLASS_SINGLE_STEP)
		snprintf(
			site->reason, sizeof(site->reason),
			"only a single-stepped instruction shows it: each hit costs many times more");
	return 0;
}
