/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SERIES_H
#define GLEAKD_OUTPUT_TEXT_SERIES_H

/* What the tables of a recording have in common: a part for each process, with a title. */
#include <stdio.h>

#include "output/text/screen.h"
#include "output/timeline.h"

/* The most rows that one process has in a table. */
#define SERIES_ROWS 8u

/* series__write - @put for each process of it. -ENOMEM, or an error of writing. */
int series__write(FILE *out, const struct timeline *timeline, const struct screen_options *options,
		  void (*put)(struct screen *screen, const struct timeline *timeline,
			      const struct timeline_target *target)) __must_check;

/* series__put_title - an empty line, and "@what of NAME (pid PID)". */
void series__put_title(struct screen *screen, const char *what,
		       const struct timeline_target *target);

/* series__put_time - "13:30:22", UTC, of a time of the monotonic clock. */
void series__put_time(struct screen *screen, const struct timeline *timeline, uint64_t time_ns);

#endif /* GLEAKD_OUTPUT_TEXT_SERIES_H */
