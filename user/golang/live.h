/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_LIVE_H
#define GLEAKD_GOLANG_LIVE_H

/*
 * A file and one process that runs it, side by side: what the steps of go_binary__bind() are given.
 * Addresses are link-time unless a name says "target"; `bias` is what lies between the two.
 *
 * The process runs while it is read. Each step therefore tells three outcomes apart: it fits, it
 * does not fit (-EOPNOTSUPP, with the values), and the runtime is not that far yet (-EAGAIN).
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"

struct live {
	struct elf_image *image;
	struct pclntab *tab;
	struct remote *remote;
	const struct go_layout *layout;
	const char *version; /* "go1.26.8", for messages */
	int guess;	     /* the minor version whose layout is tried on another; 0 when known */
	uint64_t bias;
	struct go_module module;
	bool other_modules;    /* plugins or shared objects: not all code is in `module` */
	uint64_t next_module;  /* in the target: moduledata of the first of them */
	uint64_t runtime_main; /* entry of runtime.main */
	struct failure *failure;
};

/* live__read - @size bytes at link-time @address; on failure says that @what could not be read. */
int live__read(struct live *live, uint64_t address, void *buffer, size_t size,
	       const char *what) __must_check;

/* live__read_target - the same at an address of the target. */
int live__read_target(struct live *live, uint64_t target, void *buffer, size_t size,
		      const char *what) __must_check;

/* live__refuse - -EOPNOTSUPP: @format says what does not fit; what to do is added. */
int live__refuse(struct live *live, const char *format, ...) __printf_fmt(2, 3);

/* live__not_yet - -EAGAIN: the runtime has not set up @what yet. */
int live__not_yet(struct live *live, const char *what);

#endif /* GLEAKD_GOLANG_LIVE_H */
