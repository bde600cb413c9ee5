/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_OUTPUT_FILE_H
#define GLEAKD_CLI_OUTPUT_FILE_H

/* A file that an option names for output. */
#include <stdio.h>

#include "base/common.h"
#include "base/failure.h"

/*
 * output_file__open - @path of @option, for writing as it is; to be called before privileges are given up: it may be
 * where only root or only its owner can write. A FIFO that nobody reads is not waited for. The caller closes it.
 */
int output_file__open(const char *option, const char *path, FILE **ret_file,
		      struct failure *failure) __must_check;

#endif /* GLEAKD_CLI_OUTPUT_FILE_H */
