/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_GOLANG_FAKE_GO_H
#define GLEAKD_TESTS_GOLANG_FAKE_GO_H

/*
 * A Go program small enough to be made by a test: an ELF file with build information, a pclntab of
 * a few functions and their machine code, and the memory of a process that runs it. Whatever a test
 * wants to be wrong it overwrites before it binds.
 */
#include "golang/binary.h"

#define FAKE_BASE	0x400000
#define FAKE_TEXT	0x401000
#define FAKE_FUNC_SIZE	0x100
#define FAKE_PCLNTAB	0x402000
#define FAKE_DATA	0x404000 /* writable; the process's memory begins here */
#define FAKE_MODULEDATA 0x404400
#define FAKE_BSS	0x405000
#define FAKE_NOPTRBSS	0x40e000
#define FAKE_END	0x40f000
#define FAKE_HEAP	0xc000000000

/* The runtime's variables, at link time. */
#define FAKE_ALLGS	  0x405100
#define FAKE_ALLGPTR	  0x405180
#define FAKE_ALLP	  0x405200
#define FAKE_IDLE_MASK	  0x405240
#define FAKE_SCHED	  0x405300
#define FAKE_SEMTABLE	  0x406000 /* up to NOPTRBSS */
#define FAKE_ALLGLEN	  0x40e100
#define FAKE_ALLGLOCK	  0x40e180
#define FAKE_WRITEBARRIER 0x40e200

/* The heap of the process. */
#define FAKE_ALLGS_ARRAY (FAKE_HEAP + 0x1000)
#define FAKE_ALLP_ARRAY	 (FAKE_HEAP + 0x2000)
#define FAKE_G(i)	 (FAKE_HEAP + 0x4000 + (i)*0x200ULL)
#define FAKE_P(i)	 (FAKE_HEAP + 0x3000 + (i)*0x200ULL)
#define FAKE_STACK(i)	 (FAKE_HEAP + 0x10000 + (i)*0x800ULL)
#define FAKE_N_G	 7
#define FAKE_N_P	 3

enum fake_func {
	FAKE_MAIN, /* runtime.main */
	FAKE_ALLGADD,
	FAKE_PROCRESIZE,
	FAKE_NEWPROC1,
	FAKE_WORKER, /* main.worker */
	FAKE_GOPARK,
	FAKE_CHANRECV,
	FAKE_SEMACQUIRE1,
	FAKE_N_FUNCS,
};

#define FAKE_ENTRY(func) (FAKE_TEXT + (uint64_t)(func)*FAKE_FUNC_SIZE)

struct fake_options {
	const char *version; /* "go1.26.8" */
	bool arm64;
	bool symbols;
	bool module_section; /* .go.module */
	uint64_t bias;	     /* not 0: a dynamically linked PIE */
};

struct fake_go {
	struct fake_options options;
	const struct go_layout *layout;
	uint8_t file[0x7000];
	uint8_t memory[FAKE_END - FAKE_DATA];
	uint8_t heap[0x18000];
	struct remote_range ranges[2];
	struct go_binary *binary;
	struct failure failure;
};

/* fake_go__make - everything as in a healthy process with goroutine 1 and six parked workers. */
void fake_go__make(struct fake_go *fake, const struct fake_options *options);
void fake_go__release(struct fake_go *fake);

/* fake_go__open - go_binary__open() of the file; what it returns. */
int fake_go__open(struct fake_go *fake);

/* fake_go__open_plugin - go_binary__open_module() of it, as a plugin of @runtime. */
int fake_go__open_plugin(struct fake_go *fake, const struct fake_go *runtime);

/* fake_go__bind - open it if it is not, and go_binary__bind() to the memory as it is now. */
int fake_go__bind(struct fake_go *fake);

/* fake_go__set - the word at an address: link-time for variables, the target's for the heap. */
void fake_go__set(struct fake_go *fake, uint64_t address, uint64_t value);
uint64_t fake_go__get(struct fake_go *fake, uint64_t address);

/* fake_go__set_file - the word of the file which is loaded at link-time @address. */
void fake_go__set_file(struct fake_go *fake, uint64_t address, uint64_t value);

#endif /* GLEAKD_TESTS_GOLANG_FAKE_GO_H */
