/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_EXPORTER_H
#define GLEAKD_CLI_EXPORTER_H

/* --textfile FILE over a run: written at each report, removed at an orderly end. */
#include "output/prometheus/textfile.h"

struct exporter {
	const char *path; /* NULL: nothing is exported */
	struct textfile_options options;
	struct group_totals *totals;
	char arch[65];
	bool written;	 /* what is there is ours */
	int failed;	 /* the last write's error, told once; 0: it went well */
	uint64_t errors; /* writes that failed */
};

/* exporter__open - @path may be NULL. -EINVAL a name that node_exporter ignores; -ENOMEM. */
int exporter__open(struct exporter *exporter, const char *path,
		   struct failure *failure) __must_check;

/* exporter__write - a failure is told, once for each kind, and is none of the run's. */
void exporter__write(struct exporter *exporter, const struct report *report);

/* exporter__close - remove the file: its values would be served for ever. */
void exporter__close(struct exporter *exporter);

#endif /* GLEAKD_CLI_EXPORTER_H */
