/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_BINARY_H
#define GLEAKD_GOLANG_BINARY_H

/*
 * What is known about one Go executable, and the proof that it fits a live process: version, struct
 * layout, functions, the addresses of the runtime's globals. One per file, shared by all processes
 * that run it. Addresses in here are link-time; add the process's load bias for target addresses.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/build_id.h"
#include "golang/buildinfo.h"
#include "golang/dependencies.h"
#include "elf/image.h"
#include "golang/layout.h"
#include "golang/pclntab.h"
#include "host/remote.h"

struct go_binary;

/* Link-time addresses of the runtime's globals; 0 where not found and not needed. */
struct go_globals {
	uint64_t moduledata; /* runtime.firstmoduledata */
	uint64_t allgptr;    /* **g */
	uint64_t allglen;    /* uintptr */
	uint64_t allgs;	     /* slice */
	uint64_t sched;	     /* schedt; 0 when a stripped binary does not yield it */
	uint64_t allp;	     /* slice of *p; 0 as above */
	/* [251]{semaRoot, padding}; 0: without symbols, see go_binary__find_semtable() */
	uint64_t semtable;
};

/* The few words of moduledata that are needed, link-time addresses. */
struct go_module {
	uint64_t text, etext;
	uint64_t minpc, maxpc;
	uint64_t noptrdata, enoptrdata, data, edata, bss, ebss, noptrbss, enoptrbss;
	uint64_t types, etypes;
	uint64_t gofunc;
};

/*
 * go_binary__open - read what the file alone can tell: ELF, build info, pclntab, layout row.
 * Versions newer than the table, development versions and experiments are opened too: see
 * layout_choice.h. What remains of a doubt is settled by bind.
 * Errors: as elf_image__open(), go_build_info__read(), layout_choice__make(), pclntab__open().
 */
int go_binary__open(int exe_fd, struct go_binary **ret_binary,
		    struct failure *failure) __must_check;
void go_binary__free(struct go_binary *binary);

/*
 * go_binary__open_module - a plugin of @runtime, a bound binary that must outlive it. Plugins are made
 * by the same toolchain, or the runtime refuses them; before Go 1.21 they have no build information.
 * Errors: as elf_image__open(), pclntab__open().
 */
int go_binary__open_module(int fd, const struct go_binary *runtime, struct go_binary **ret_binary,
			   struct failure *failure) __must_check;

/*
 * go_binary__bind - complete it with what only a running process shows (moduledata, text start,
 * globals of stripped binaries) and check the whole reading against that process before it is
 * trusted: allgs[0] is goroutine 1 started at runtime.main (or, after main ended with
 * runtime.Goexit, another one in its g), every g sampled has a sane status, stack and pc. sched and
 * allp are left 0 when they do not add up. A layout that is a guess is held against the program's
 * code and more of its goroutines; wait reasons that no row tells are read. May be called again for
 * another process of the same file; it then only checks: also that this one's memory says the same,
 * so that nobody's memory counts for another. One that is refused then (-EOPNOTSUPP) may fit a
 * binary of its own.
 * @load_bias: start address minus link-time address of the image in that process.
 * Errors: -EAGAIN the runtime has not started yet (try again shortly), -EOPNOTSUPP a check failed
 * (the failure says which, with the values), -ESRCH the process is gone.
 */
int go_binary__bind(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
		    struct failure *failure) __must_check;

/* go_binary__is_bound - a process has completed it. */
bool go_binary__is_bound(const struct go_binary *binary);

/*
 * go_binary__bind_module - complete what go_binary__open_module() opened, with its moduledata at the
 * target's address @moduledata. May be called again for other processes, whose memory must say the same; one that
 * is refused then (-EOPNOTSUPP) may fit a binary of its own. @ret_bias: as the load bias above. Errors: as above.
 */
int go_binary__bind_module(struct go_binary *binary, struct remote *remote, uint64_t moduledata,
			   uint64_t *ret_bias, struct failure *failure) __must_check;

/*
 * go_binary__find_semtable - link-time address of runtime.semtable, or 0. A stripped binary yields it
 * only while some goroutine waits on a lock, of the process which @remote and @load_bias stand for; what that one's
 * memory shows is for it alone. Only after bind.
 */
uint64_t go_binary__find_semtable(const struct go_binary *binary, struct remote *remote,
				  uint64_t load_bias);

/*
 * go_binary__load_bias - from the lowest mapping of the executable's file: its start address and
 * file offset. Errors: -ENOEXEC when no PT_LOAD matches.
 */
int go_binary__load_bias(const struct go_binary *binary, uint64_t mapping_start,
			 uint64_t mapping_file_offset, uint64_t *ret_bias) __must_check;

/*
 * go_binary__bias_of_code - as above, from a mapping of code anywhere in the file: the kernel and
 * loaders may have split it. -ENOEXEC when no executable segment has that offset.
 */
int go_binary__bias_of_code(const struct go_binary *binary, uint64_t mapping_start,
			    uint64_t mapping_file_offset, uint64_t *ret_bias) __must_check;

const char *go_binary__build_id(const struct go_binary *binary); /* see build_id.h */
const struct go_build_info *go_binary__build_info(const struct go_binary *binary);
/* go_binary__dependencies - read when first asked for; NULL: no memory. */
const struct go_dependencies *go_binary__dependencies(struct go_binary *binary);
const struct go_layout *go_binary__layout(const struct go_binary *binary);
const struct go_globals *go_binary__globals(const struct go_binary *binary);
const struct go_module *go_binary__module(const struct go_binary *binary);
struct elf_image *go_binary__image(const struct go_binary *binary);
struct pclntab *go_binary__pclntab(const struct go_binary *binary);

/*
 * go_binary__how - how it was read, for the user: "symbols", or for a stripped binary
 * "stripped: moduledata by scan, globals from runtime.allgadd". Where the layout is not that of the
 * table's row for a release, "; layout from DWARF" or "; layout of go1.27, self-checked" follows.
 * Filled by bind.
 */
const char *go_binary__how(const struct go_binary *binary);

#endif /* GLEAKD_GOLANG_BINARY_H */
