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

/* What can be read of a module before its file is known. Addresses of the target. */
struct moduledata_head {
	uint64_t pc_header; /* of its pclntab, which is in the file */
	uint64_t text, etext;
	uint64_t next; /* moduledata of the next module; 0: none */
};

/*
 * moduledata__peek - the module whose moduledata is at the target's address @address. Errors: as
 * remote__read(), -EPROTO it makes no sense.
 */
int moduledata__peek(const struct go_layout *layout, struct remote *remote, uint64_t address,
		     struct moduledata_head *ret_head) __must_check;

#endif /* GLEAKD_GOLANG_MODULEDATA_H */
