/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_MODULEDATA_H
#define GLEAKD_GOLANG_MODULEDATA_H

/*
 * runtime.firstmoduledata: where text, data and bss are, written by the linker and relocated in the
 * process. It is the one struct that can be recognised without any symbol, because its first word
 * is the address of the pclntab.
 */
#include "golang/live.h"

enum moduledata_source {
	MODULEDATA_SYMBOL,
	MODULEDATA_SECTION, /* .go.module, Go 1.26 on */
	MODULEDATA_SCAN,    /* of writable memory */
};

/*
 * moduledata__find - find and verify it; fills live->module.
 * Errors: -EAGAIN not relocated yet, -EOPNOTSUPP not there or not sane, -ESRCH.
 */
int moduledata__find(struct live *live, uint64_t *ret_address,
		     enum moduledata_source *ret_source) __must_check;

/* moduledata__read - verify the one at @address; fills live->module. Errors as above. */
int moduledata__read(struct live *live, uint64_t address) __must_check;

#endif /* GLEAKD_GOLANG_MODULEDATA_H */
