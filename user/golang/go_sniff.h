/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_GO_SNIFF_H
#define GLEAKD_GOLANG_GO_SNIFF_H

/*
 * A first look at an executable, of any architecture: is it worth opening as a Go binary? Nearly
 * all programs of a host are not, and are dismissed after four reads of a few KiB. On the other
 * hand it recognises Go programs that go_binary__open() cannot take, so that the reason can be told.
 */
#include "base/common.h"
#include "host/remote.h"

enum go_sniff_kind {
	GO_SNIFF_NO,	 /* made by something else, or no ELF file */
	GO_SNIFF_GO,	 /* the standard toolchain made it */
	GO_SNIFF_GCCGO,	 /* Go code with the runtime of GCC */
	GO_SNIFF_TINYGO, /* Go code with the runtime of TinyGo */
	GO_SNIFF_UNSURE, /* no section headers to tell by */
};

struct go_sniff {
	enum go_sniff_kind kind;
	/* of GO_SNIFF_GO when the file says it plainly (Go 1.18 and later), or "" */
	char version[96];
};

/*
 * go_sniff__file - look at the file behind @fd. Reads at most some MiB, whatever the file says.
 * Errors: -EIO, -ENOMEM.
 */
int go_sniff__file(int fd, struct go_sniff *ret_sniff) __must_check;

/*
 * go_sniff__library - the same for a file that a process has mapped beside its executable, of which
 * there are many more: GO_SNIFF_GO, or GO_SNIFF_NO for anything else.
 */
int go_sniff__library(int fd, struct go_sniff *ret_sniff) __must_check;

/*
 * go_sniff__memory - whether the ELF file whose beginning a process has at the target's address @image
 * was made by Go's toolchain, as far as its notes tell: for files that cannot be opened.
 */
bool go_sniff__memory(struct remote *remote, uint64_t image);

#endif /* GLEAKD_GOLANG_GO_SNIFF_H */
