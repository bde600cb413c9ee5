// SPDX-License-Identifier: Apache-2.0
#include "golang/code_refs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void code_refs__add(struct code_refs *refs, uint64_t address)
{
	size_t i = refs->n;

	while (i > 0 && refs->addresses[i - 1] > address)
		i--;
	if (i > 0 && refs->addresses[i - 1] == address)
		return;
	if (refs->n == CODE_REFS_MAX) {
		refs->refused++;
		return;
	}
	memmove(&refs->addresses[i + 1], &refs->addresses[i],
		(refs->n - i) * sizeof(refs->addresses[0]));
	refs->addresses[i] = address;
	refs->n++;
}

void code_refs__scan(const struct go_arch *arch, uint64_t address, const uint8_t *code, size_t size,
		     struct code_refs *ret_refs)
{
	ret_refs->n = 0;
	ret_refs->refused = 0;
	arch->scan_refs(address, code, size, ret_refs);
}

int code_refs__read(struct elf_image *image, const struct pclntab_func *func,
		    struct code_refs *ret_refs)
{
	uint8_t *code __cleanup_free = NULL;
	int err;

	if (func->end <= func->entry || func->end - func->entry > CODE_REFS_MAX_BYTES)
		return -E2BIG;
	code = malloc(func->end - func->entry);
	if (!code)
		return -ENOMEM;
	err = elf_image__read(image, func->entry, code, func->end - func->entry);
	if (err)
		return err;
	code_refs__scan(go_arch__of(image), func->entry, code, func->end - func->entry, ret_refs);
	return 0;
}

bool code_refs__has(const struct code_refs *refs, uint64_t address)
{
	for (size_t i = 0; i < refs->n; i++) {
		if (refs->addresses[i] == address)
			return true;
	}
	return false;
}
