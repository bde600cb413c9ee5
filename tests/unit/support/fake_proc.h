/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_SESSION_FAKE_PROC_H
#define GLEAKD_TESTS_SESSION_FAKE_PROC_H

/*
 * A /proc of processes that do not exist, and the executables they run, in a directory of their own.
 * Whatever is there is made again by putting it again.
 */
#include "base/common.h"

/* fake_proc__make / _remove - init and fini of a test suite. */
void fake_proc__make(void);
void fake_proc__remove(void);
const char *fake_proc__root(void);

enum fake_exe {
	FAKE_GO,      /* an ELF file with a Go build id */
	FAKE_C,	      /* one without */
	FAKE_UNKNOWN, /* one without section headers */
	FAKE_GCCGO,
	FAKE_SCRIPT, /* no ELF file */
};

/* fake_exe__put - a new file of this name, with an inode of its own. */
void fake_exe__put(const char *name, enum fake_exe kind);
/* fake_exe__put_bytes - a file of this name with these contents. */
void fake_exe__put_bytes(const char *name, const void *bytes, size_t size);
void fake_exe__rename(const char *name, const char *to);

struct fake_process {
	int pid;
	const char *comm;   /* NULL: "server" */
	const char *exe;    /* name of a fake_exe; NULL: a kernel thread */
	const char *cgroup; /* contents; NULL: no file */
	unsigned int uid;
	uint64_t start_seconds; /* after boot */
	bool zombie;
	bool on_fuse;		  /* the executable, as mountinfo has it */
	const char *libraries[4]; /* names of fake_exes of which it has code mapped; then no maps */
	unsigned long code;	  /* KiB of code that it has mapped; 0: none is told */
};

void fake_process__put(const struct fake_process *process);
void fake_process__remove(int pid);

#endif /* GLEAKD_TESTS_SESSION_FAKE_PROC_H */
