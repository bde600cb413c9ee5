/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_MEMORY_SERIES_H
#define GLEAKD_OUTPUT_TEXT_MEMORY_SERIES_H

/* What became of the memory of each process of a recording, at a few moments of it. */
#include <stdio.h>

#include "output/text/screen.h"
#include "output/timeline.h"

/* memory_series__write - nothing of a process that was looked at once or never. -ENOMEM, or an error of writing. */
int memory_series__write(FILE *out, const struct timeline *timeline,
			 const struct screen_options *options) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_MEMORY_SERIES_H */
