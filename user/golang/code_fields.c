// SPDX-License-Identifier: Apache-2.0
/*
 * Which function has which field was chosen so that it holds for every version of the table on
 * amd64 and arm64, with and without -race (tests/unit/golang/code_fields.c checks it on real
 * programs).
 */
#include "golang/code_fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MAX_FUNCTION_SIZE 32768 /* runtime.selectgo has 5 KiB */

void code_fields__add(struct code_fields *fields, int64_t offset, unsigned int bytes)
{
	if (offset < 0 || offset >= CODE_FIELDS_MAX_OFFSET)
		return;
	if (bytes > 8) {
		code_fields__add(fields, offset, 8);
		code_fields__add(fields, offset + 8, bytes - 8);
		return;
	}
	fields->widths[offset] |= bytes ? (uint8_t)bytes : CODE_FIELD_ADDRESS;
}

void code_fields__scan(const struct go_arch *arch, const uint8_t *code, size_t size,
		       struct code_fields *ret_fields)
{
	memset(ret_fields, 0, sizeof(*ret_fields));
	arch->scan_fields(code, size, ret_fields);
}

/* --- what must be where ------------------------------------------------------------------------- */

/* How a field of that many bytes is accessed. */
#define ONE_BYTE   CODE_FIELD_1
#define FOUR_BYTES (CODE_FIELD_4 | CODE_FIELD_ADDRESS) /* atomic */
#define WORD	   CODE_FIELD_8

enum function {
	GOROUTINEHEADER, /* prints a goroutine as a traceback begins */
	NEWPROC1,
	MCALL,
	EXECUTE,
	REENTERSYSCALL,
	CHANRECV,
	CASGSTATUS,
	MINIT,
	WIREP,
	N_FUNCTIONS,
};

static const char *const function_names[N_FUNCTIONS] = {
	[GOROUTINEHEADER] = "runtime.goroutineheader",
	[NEWPROC1] = "runtime.newproc1",
	[MCALL] = "runtime.mcall",
	[EXECUTE] = "runtime.execute",
	[REENTERSYSCALL] = "runtime.reentersyscall",
	[CHANRECV] = "runtime.chanrecv",
	[CASGSTATUS] = "runtime.casgstatus",
	[MINIT] = "runtime.minit",
	[WIREP] = "runtime.wirep",
};

struct expectation {
	enum function function;
	uint8_t widths; /* one of them must be there */
	size_t member;	/* of struct go_layout */
	const char *column;
};

#define AT(function, widths, field)                                         \
	{                                                                   \
		function, widths, offsetof(struct go_layout, field), #field \
	}

static const struct expectation expectations[] = {
	AT(GOROUTINEHEADER, WORD, g_goid),
	AT(GOROUTINEHEADER, FOUR_BYTES, g_atomicstatus),
	AT(GOROUTINEHEADER, ONE_BYTE, g_waitreason),
	AT(GOROUTINEHEADER, WORD, g_waitsince),
	AT(GOROUTINEHEADER, WORD, g_lockedm),
	AT(NEWPROC1, WORD, g_stack_hi),
	AT(NEWPROC1, WORD, g_sched_sp),
	AT(NEWPROC1, WORD, g_sched_pc),
	AT(NEWPROC1, WORD, g_goid),
	AT(NEWPROC1, ONE_BYTE, g_trackingSeq),
	AT(NEWPROC1, WORD, g_parentGoid),
	AT(NEWPROC1, WORD, g_gopc),
	AT(NEWPROC1, WORD, g_startpc),
	AT(NEWPROC1, WORD, g_labels),
	AT(NEWPROC1, WORD, p_goidcache),
	AT(NEWPROC1, WORD, p_goidcacheend),
	AT(MCALL, WORD, g_sched_bp),
	AT(MCALL, WORD, g_sched_sp),
	AT(MCALL, WORD, g_m),
	AT(MCALL, WORD, m_g0),
	AT(EXECUTE, WORD, m_curg),
	AT(EXECUTE, WORD, g_m),
	AT(EXECUTE, WORD, g_stack_lo),
	AT(REENTERSYSCALL, WORD, g_syscallsp),
	AT(REENTERSYSCALL, WORD, g_syscallpc),
	AT(REENTERSYSCALL, WORD, g_syscallbp),
	AT(CHANRECV, WORD, g_param),
	AT(CHANRECV, WORD, g_waiting),
	AT(CHANRECV, WORD, sudog_g),
	AT(CHANRECV, WORD, sudog_elem),
	AT(CHANRECV, WORD, sudog_waitlink),
	AT(CHANRECV, WORD, sudog_c),
	AT(CHANRECV, WORD, hchan_qcount),
	AT(CHANRECV, WORD, hchan_dataqsiz),
	AT(CHANRECV, FOUR_BYTES, hchan_closed),
	AT(CHANRECV, WORD, hchan_timer),
	AT(CHANRECV, WORD, hchan_recvq),
	AT(CHANRECV, WORD, hchan_sendq),
	AT(CASGSTATUS, WORD, g_bubble),
	AT(MINIT, WORD, m_procid),
	AT(WIREP, WORD, p_m),
	AT(WIREP, FOUR_BYTES, p_status),
};

static int scan_function(struct elf_image *image, const struct pclntab_func *func,
			 struct code_fields *ret_fields)
{
	uint64_t size = func->end - func->entry;
	uint8_t *code __cleanup_free = NULL;
	int err;

	if (func->end <= func->entry || size > MAX_FUNCTION_SIZE)
		return -E2BIG;
	code = malloc(size);
	if (!code)
		return -ENOMEM;
	err = elf_image__read(image, func->entry, code, size);
	if (!err)
		code_fields__scan(go_arch__of(image), code, size, ret_fields);
	return err;
}

static bool fits(const struct expectation *expected, const struct go_layout *layout,
		 const struct code_fields *fields, uint32_t *ret_offset)
{
	uint32_t offset;

	memcpy(&offset, (const char *)layout + expected->member, sizeof(offset));
	*ret_offset = offset;
	return offset == GO_LAYOUT_ABSENT ||
	       (offset < CODE_FIELDS_MAX_OFFSET && fields->widths[offset] & expected->widths);
}

static int check_function(struct elf_image *image, enum function function,
			  const struct pclntab_func *func, const struct go_layout *layout,
			  char *text, size_t size)
{
	struct code_fields fields;
	int err = scan_function(image, func, &fields);

	for (size_t i = 0; i < ARRAY_SIZE(expectations) && !err; i++) {
		const struct expectation *expected = &expectations[i];
		uint32_t offset;

		if (expected->function != function || fits(expected, layout, &fields, &offset))
			continue;
		snprintf(text, size, "%s is not at %u in the code of %s", expected->column, offset,
			 function_names[function]);
		return 1;
	}
	return err;
}

int code_fields__contradicts(struct elf_image *image, struct pclntab *tab,
			     const struct go_layout *layout, char *text, size_t size)
{
	struct pclntab_func funcs[N_FUNCTIONS] = {0};
	int found = pclntab__find(tab, function_names, funcs, N_FUNCTIONS);

	if (found < 0)
		return found;
	for (size_t i = 0; i < N_FUNCTIONS; i++) {
		int result;

		if (!funcs[i].entry) {
			snprintf(text, size, "it has no function %s", function_names[i]);
			return 1;
		}
		result = check_function(image, (enum function)i, &funcs[i], layout, text, size);
		if (result)
			return result;
	}
	return 0;
}
