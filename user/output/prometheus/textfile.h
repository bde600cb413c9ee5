/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PROMETHEUS_TEXTFILE_H
#define GLEAKD_OUTPUT_PROMETHEUS_TEXTFILE_H

/*
 * The report as a file for node_exporter's textfile collector (docs/metrics.md). Names and labels
 * are a contract: they are extended, never renamed.
 */
#include <stdio.h>

#include "base/failure.h"
#include "output/prometheus/group_totals.h"

#define TEXTFILE_MAX_GROUPS	 50
#define TEXTFILE_MAX_GROUP_SITES 20
#define TEXTFILE_MAX_SITES	 200

struct textfile_options {
	/* Limits; 0 is the default above. What they hide is counted. */
	size_t max_groups, max_group_sites, max_sites;
	/* Labels of gleakd_build_info. */
	const char *version, *revision, *libbpf, *arch;
	/* What ended processes had counted; NULL when there is only ever one process. */
	const struct group_totals *totals;
};

/* textfile__render - the metrics of @report. -ENOMEM, or the error of writing to @out. */
int textfile__render(FILE *out, const struct report *report,
		     const struct textfile_options *options) __must_check;

/*
 * textfile__check_path - whether node_exporter would read a file of that name; -EINVAL with advice.
 */
int textfile__check_path(const char *path, struct failure *failure) __must_check;

/*
 * textfile__replace - write the metrics to @path so that a reader sees either the old file or the
 * new one, and may read it whoever it is (0644). What is written first is "@path.tmp", which
 * node_exporter ignores; one that a killed gleakd left is replaced. On failure the old file stays
 * as it is, and says by its age that something is wrong.
 */
int textfile__replace(const char *path, const struct report *report,
		      const struct textfile_options *options, struct failure *failure) __must_check;

/*
 * textfile__remove - at an orderly end: values would be served for ever otherwise. 0 when there is
 * no such file.
 */
int textfile__remove(const char *path, struct failure *failure) __must_check;

#endif /* GLEAKD_OUTPUT_PROMETHEUS_TEXTFILE_H */
