/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_REPORT_FILE_H
#define GLEAKD_CLI_REPORT_FILE_H

/* What can be reported without a process: a recording, or a report in JSON. */
#include "record/reader.h"

struct report_file {
	const struct report *report;
	const struct timeline *timeline; /* NULL: of a report in JSON */
	/* For report_file.c. */
	struct recording *recording;
	struct report_reader *reader;
};

/* report_file__open - by what is in it; "-" is stdin, JSON. Errors in words. */
int report_file__open(const char *path, struct report_file *ret_file,
		      struct failure *failure) __must_check;
void report_file__close(struct report_file *file);

#endif /* GLEAKD_CLI_REPORT_FILE_H */
