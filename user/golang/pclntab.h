/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_PCLNTAB_H
#define GLEAKD_GOLANG_PCLNTAB_H

/*
 * Functions, lines and inlining of a Go binary from its pclntab, which stripping leaves in place
 * (src/runtime/symtab.go, src/internal/abi/symtab.go). Formats of Go 1.18-1.19 (magic 0xfffffff0)
 * and 1.20 on (0xfffffff1). Everything is read through the ELF image on demand.
 *
 * All addresses are link-time virtual addresses. Where text begins is not in the table from Go
 * 1.26 on: it must be given with pclntab__set_text() before any other call when
 * pclntab__text() is 0.
 */
#include "base/common.h"
#include "base/failure.h"
#include "elf/image.h"

struct pclntab;

struct pclntab_func {
	uint64_t entry;	 /* first instruction */
	uint64_t end;	 /* one past the last: entry of the next function */
	uint64_t record; /* address of the _func */
	uint8_t func_id; /* abi.FuncID of this Go version */
	uint8_t flag;	 /* abi.FuncFlag */
	uint32_t name_offset;
};

#define PCLNTAB_MAX_INLINE 64 /* deepest inlining that is expanded */

/* One logical call: an inlined one or the function itself. */
struct pclntab_frame {
	char function[512]; /* as the runtime prints it: "main.(*T).run", "main.main.func1" */
	char file[512];
	uint32_t line;
	uint64_t offset; /* of the pc in the function's code; 0 when inlined */
	bool inlined;
	bool wrapper; /* compiler-generated, hidden in tracebacks (abi.FuncIDWrapper) */
};

/*
 * pclntab__open - find the table: section .gopclntab or .data.rel.ro.gopclntab, else by its magic
 * in the read-only and relro segments; the header is verified before it is believed. @image must
 * outlive the result.
 * Errors: -ENOEXEC no table, -EOPNOTSUPP a format before Go 1.18, -EPROTO damaged, -ENOMEM.
 */
int pclntab__open(struct elf_image *image, struct pclntab **ret_tab,
		  struct failure *failure) __must_check;
void pclntab__free(struct pclntab *tab);

uint64_t pclntab__address(const struct pclntab *tab); /* of the header: moduledata.pcHeader */
uint64_t pclntab__funcname_address(const struct pclntab *tab); /* moduledata.funcnametab */
uint64_t pclntab__text(const struct pclntab *tab);	       /* 0 until known (Go 1.26 on) */
void pclntab__set_text(struct pclntab *tab, uint64_t text);

/*
 * pclntab__set_gofunc - moduledata.gofunc, the base of funcdata offsets; without it inlined calls
 * are not expanded (only the physical function's frame is given).
 */
void pclntab__set_gofunc(struct pclntab *tab, uint64_t gofunc);

/*
 * pclntab__find - functions by exact name, many in one pass which ends early when all are found.
 * @funcs[i].entry stays 0 for a name that is not there. Returns the number found or -errno.
 */
int pclntab__find(struct pclntab *tab, const char *const *names, struct pclntab_func *funcs,
		  size_t n) __must_check;

/* pclntab__lookup - the function that contains @pc; -ENOENT when none does. */
int pclntab__lookup(struct pclntab *tab, uint64_t pc, struct pclntab_func *ret_func) __must_check;

/* pclntab__name - the function's name, cut to @size. Returns its length or -errno. */
int pclntab__name(struct pclntab *tab, const struct pclntab_func *func, char *name,
		  size_t size) __must_check;

/*
 * pclntab__frames - the calls that @pc stands for, innermost first. For a return address pass
 * pc - 1, as the runtime does. Returns their number (>= 1) or -errno.
 */
int pclntab__frames(struct pclntab *tab, uint64_t pc, struct pclntab_frame *frames,
		    size_t max) __must_check;

/*
 * pclntab__sp_delta - bytes between sp and the return address slot at @pc (pcsp table): the
 * return address is at sp + delta on amd64.
 */
int pclntab__sp_delta(struct pclntab *tab, uint64_t pc, int32_t *ret_delta) __must_check;

#endif /* GLEAKD_GOLANG_PCLNTAB_H */
