/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_OUTPUT_FILE_H
#define GLEAKD_CLI_OUTPUT_FILE_H

/*
 * A file that an option names for output. A command that fails leaves what was there before as it was, and nothing
 * where there was nothing: what is written has another name (base/temp_file.h) until it is whole. A file that cannot
 * be replaced without somebody noticing, as a link, one of another owner or one with several names, is written over
 * when all of it is there; a FIFO or a device gets what is written as it comes.
 */
#include <stdio.h>

#include "base/common.h"
#include "base/failure.h"

struct output_file;

/*
 * output_file__open - @path of @option, which both outlive it; to be called before privileges are given up: it may be
 * where only root or only its owner can write. A FIFO that nobody reads is not waited for. Errors in words.
 */
int output_file__open(const char *option, const char *path, struct output_file **ret_file,
		      struct failure *failure) __must_check;

/* output_file__out - to write to. */
FILE *output_file__out(const struct output_file *file);

/* output_file__keep - what was written is all of it. To be called once. Errors in words. */
int output_file__keep(struct output_file *file, struct failure *failure) __must_check;

/* output_file__close - what was not kept is as if it had never been written. */
void output_file__close(struct output_file *file);

#endif /* GLEAKD_CLI_OUTPUT_FILE_H */
