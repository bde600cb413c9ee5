/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PROMETHEUS_TEXTFILE_PARTS_H
#define GLEAKD_OUTPUT_PROMETHEUS_TEXTFILE_PARTS_H

/* The parts of the textfile; textfile.c puts them together. */
#include <stdio.h>

#include "output/prometheus/exposition.h"
#include "output/prometheus/metrics.h"

/* A figure of a group. */
struct textfile_gauge {
	const char *name, *help;
	enum exposition_type type;
	bool (*known)(const struct metrics_group *group);
	uint64_t (*value)(const struct metrics_group *group);
};

/* textfile_part__gauges - each of all groups of which it is known. */
void textfile_part__gauges(FILE *out, const struct metrics *metrics,
			   const struct textfile_gauge *gauges, size_t n);

/* textfile_part__groups - what there is once per group. @realtime_ns is the time of the report. */
void textfile_part__groups(FILE *out, const struct metrics *metrics, uint64_t realtime_ns);

/* textfile_part__memory - what groups keep in memory. -ENOMEM. */
int textfile_part__memory(FILE *out, const struct metrics *metrics) __must_check;

/* textfile_part__scheduling - what of groups is held up. */
void textfile_part__scheduling(FILE *out, const struct metrics *metrics);

/* textfile_part__sites - the chosen sites. -ENOMEM. */
int textfile_part__sites(FILE *out, const struct metrics *metrics) __must_check;

#define TEXTFILE_MAX_FUNCTION 250 /* columns */

/* textfile_part__location - "main.go:42", "" when it is not known, to free(). */
char *textfile_part__location(const struct report_frame *frame) __must_check;

/* textfile_part__self - gleakd itself. */
void textfile_part__self(FILE *out, const struct metrics *metrics, const struct report *report);

#endif /* GLEAKD_OUTPUT_PROMETHEUS_TEXTFILE_PARTS_H */
