// SPDX-License-Identifier: Apache-2.0
#include "heap/runtime/modules.h"

#include <errno.h>

#include "base/bytes.h"

#define WORD	      8u
#define MODULE_MAX    1024 /* 592 bytes in the largest version */
#define SECTION_MAX   (1ULL << 32)
#define BITVECTOR_PTR 8 /* src/runtime/stack.go bitvector {n int32; bytedata *uint8} */

/* The bitmap covers the section (src/runtime/mbitmap.go progToPointerMask). */
static bool read_section(const uint8_t *data, uint32_t start, uint32_t end, uint32_t mask,
			 struct heap_section *ret)
{
	*ret = (struct heap_section){
		.start = bytes__u64(data, start),
		.end = bytes__u64(data, end),
		.bits = bytes__u64(data, mask + BITVECTOR_PTR),
	};
	if (ret->end < ret->start || ret->end - ret->start > SECTION_MAX || ret->start % WORD)
		return false;
	return ret->end - ret->start < WORD || ret->bits;
}

static int read_module(const struct heap_runtime *runtime, uint64_t address,
		       struct heap_module *ret_module, uint64_t *ret_next)
{
	const struct go_layout *l = runtime->layout;
	uint8_t data[MODULE_MAX];
	int err;

	if (l->moduledata_sizeof > sizeof(data))
		return -EFAULT;
	err = remote__read(runtime->remote, address, data, l->moduledata_sizeof);
	if (err)
		return err;
	ret_module->text = bytes__u64(data, l->moduledata_text);
	ret_module->etext = bytes__u64(data, l->moduledata_etext);
	ret_module->types = bytes__u64(data, l->moduledata_types);
	ret_module->etypes = bytes__u64(data, l->moduledata_etypes);
	ret_module->rodata = bytes__u64(data, l->moduledata_rodata);
	*ret_next = bytes__u64(data, l->moduledata_next);
	if (!read_section(data, l->moduledata_data, l->moduledata_edata, l->moduledata_gcdatamask,
			  &ret_module->data) ||
	    !read_section(data, l->moduledata_bss, l->moduledata_ebss, l->moduledata_gcbssmask,
			  &ret_module->bss))
		return -EFAULT;
	return 0;
}

int heap_modules__read(const struct heap_runtime *runtime, struct heap_modules *ret_modules)
{
	uint64_t address = runtime->moduledata;
	size_t n = 0;

	while (address) {
		uint64_t next;
		int err;

		if (n == HEAP_MAX_MODULES)
			return -E2BIG;
		err = read_module(runtime, address, &ret_modules->all[n], &next);
		if (err)
			return err;
		n++;
		address = next;
	}
	ret_modules->n = n;
	return 0;
}
