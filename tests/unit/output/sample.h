/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_SAMPLE_H
#define TESTS_UNIT_OUTPUT_SAMPLE_H

/* Reports for the renderers to show, and what came out of them. */
#include <stdio.h>

#include "output/report.h"
#include "output/text/report.h"

/* 2026-01-02T03:04:05.678Z */
#define SAMPLE_TIME_NS (1767323045ULL * NSEC_PER_SEC + 678 * NSEC_PER_MSEC)

#define SAMPLE_MAX_SITES 64

/* A report with one target that tests may change before it is shown. */
struct sample {
	struct report report;
	struct report_target target;
	struct report_site sites[SAMPLE_MAX_SITES];
};

/* sample__leaks - a service with two leaking sites, a stuck one and healthy ones. */
void sample__leaks(struct sample *sample);

/* sample__suppressed - the same, with all but the first suspect suppressed by the allow-list. */
void sample__suppressed(struct sample *sample);

/* sample__healthy - the same without what is flagged. */
void sample__healthy(struct sample *sample);

/* sample__empty - just attached, nothing seen yet. */
void sample__empty(struct sample *sample);

/* sample__hostile - control sequences, invalid UTF-8, wide and endless names everywhere. */
void sample__hostile(struct sample *sample);

/* sample__random - any report at all, the same for the same seed. sample__random_free() it. */
void sample__random(struct sample *sample, unsigned int seed);
void sample__random_free(struct sample *sample);

/* sample__remove_site - by index. */
void sample__remove_site(struct sample *sample, size_t index);

/* sample__text - what a new text_writer makes of the report; to free(). */
char *sample__text(const struct report *report, const struct text_options *options);

/* sample__begin - a plain screen of 120 columns, as of a file. sample__end - what was put on it; to free(). */
void sample__begin(struct screen *screen);
char *sample__end(struct screen *screen);

/* sample__has - fails the test unless @text has @part somewhere. */
void sample__has(const char *text, const char *part);

/* Output in memory, read piece by piece. */
struct sample_stream {
	FILE *file;
	char *bytes;
	size_t n, seen;
};
void sample__open(struct sample_stream *stream);
const char *sample__added(struct sample_stream *stream); /* since the last call */
void sample__close(struct sample_stream *stream);

/* sample__check_lines - of @text, all safe and at most @columns wide; @what is told when not. */
size_t sample__check_lines(const char *text, unsigned int columns, const char *what);

/*
 * sample__golden - fails the test unless @text is what tests/golden/output/@name holds; with
 * GLEAKD_UPDATE_GOLDEN=1 in the environment writes that file instead.
 */
void sample__golden(const char *name, const char *text);

/* Labels of gleakd_target_info where nothing is known. */
#define NO_INFO                                                                           \
	"library=\"\",go_version=\"\",module=\"\",module_version=\"\",vcs_revision=\"\"," \
	"unit=\"\",container_id=\"\",pod_uid=\"\""

/* Who allocates, by goroutine; other ways may be tried on it as well. */
const struct report_alloc_groups *sample_alloc_groups(void);

#endif /* TESTS_UNIT_OUTPUT_SAMPLE_H */
