/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_HTML_FILE_H
#define GLEAKD_CLI_HTML_FILE_H

/* The page that --html names: written when the run ends, about all of it. */
#include "base/failure.h"
#include "output/report.h"

struct html_file;

/*
 * html_file__open - to be called before privileges are given up: @path may be where only root or only its
 * owner may write. What is in it stays until there is something to write. The error of open(2), in words;
 * -ENOMEM.
 */
int html_file__open(const char *path, struct html_file **ret_file,
		    struct failure *failure) __must_check;
void html_file__free(struct html_file *file);

/*
 * html_file__add - @report becomes a part of it; of the final one the page is written. What fails is logged, and
 * kept for html_file__error().
 */
void html_file__add(struct html_file *file, const struct report *report);

/* html_file__error - 0, or why the page is not there or not whole. NULL: 0. */
int html_file__error(const struct html_file *file);

#endif /* GLEAKD_CLI_HTML_FILE_H */
