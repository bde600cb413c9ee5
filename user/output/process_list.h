/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PROCESS_LIST_H
#define GLEAKD_OUTPUT_PROCESS_LIST_H

/* The Go processes of a host, for people and for programs. */
#include <stdio.h>

#include "discover/process_list.h"
#include "output/text/screen.h"

/*
 * process_list__write_text - a table and what was looked at; with @verbose the path of each
 * executable. -ENOMEM, or -EPIPE and kin.
 */
int process_list__write_text(FILE *out, const struct process_list *list,
			     const struct screen_options *options, bool verbose) __must_check;

/* process_list__write_json - one object on one line (docs/schema.md), flushed. Errors as above. */
int process_list__write_json(FILE *out, const struct process_list *list) __must_check;

#endif /* GLEAKD_OUTPUT_PROCESS_LIST_H */
