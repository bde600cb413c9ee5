/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_GO_FILE_H
#define GLEAKD_DISCOVER_GO_FILE_H

/*
 * What one executable file says of itself, for the list: whether it is a Go program, which, how it
 * was built, and whether gleakd can take it. Opened once for all processes that run it.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"
#include "golang/symbolize.h"
#include "discover/process_list.h"

struct go_file {
	bool is_go;		  /* else nothing below is known */
	struct go_binary *binary; /* NULL: not supported, for this reason */
	struct failure reason;
	struct symbolizer *symbolizer;				 /* see goroutine_count__take() */
	char go_version[sizeof(((struct go_version *)0)->text)]; /* "" unknown, as are the next */
	char module[sizeof(((struct go_build_info *)0)->module_path)];
	char main_path[sizeof(((struct go_build_info *)0)->main_path)];
	char module_version[sizeof(((struct go_build_info *)0)->module_version)];
	struct listed_build build;
};

/*
 * go_file__read - fill @file from @fd, which the caller keeps. A file that is no Go program, or one
 * of a kind that gleakd cannot take, is no error.
 * Errors: -EIO, -ENOMEM; @file then holds nothing.
 */
int go_file__read(int fd, struct go_file *file) __must_check;

/* go_file__release - also of one that is all zero. */
void go_file__release(struct go_file *file);

#endif /* GLEAKD_DISCOVER_GO_FILE_H */
