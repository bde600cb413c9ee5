/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_EXPORTER_H
#define GLEAKD_CLI_EXPORTER_H

/*
 * --textfile FILE during a run: written at each report, removed at an orderly end. With --once it is what
 * the run is for, and stays.
 */
#include "output/prometheus/textfile.h"

struct exporter {
	const char *path; /* NULL: nothing is exported */
	struct textfile_options options;
	struct group_totals *totals;
	char arch[65];
	bool keep;	 /* at the end as well */
	bool written;	 /* what is there is ours */
	int failed;	 /* the last write's error, told once; 0: it went well */
	uint64_t errors; /* writes that failed */
};

/*
 * exporter__open - @path may be NULL. @keep: the file is to stay when the run has ended. -EINVAL a name
 * that node_exporter ignores; -ENOMEM.
 */
int exporter__open(struct exporter *exporter, const char *path, bool keep,
		   struct failure *failure) __must_check;

/* exporter__write - a failure does not end the run; it is logged, once for each kind. */
void exporter__write(struct exporter *exporter, const struct report *report);

/* exporter__error - the error of the last write when the file was to stay; else 0. */
int exporter__error(const struct exporter *exporter);

/* exporter__close - remove the file, unless it is to stay: its values would be served for ever. */
void exporter__close(struct exporter *exporter);

#endif /* GLEAKD_CLI_EXPORTER_H */
