/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SCHEDULING_SERIES_H
#define GLEAKD_OUTPUT_TEXT_SCHEDULING_SERIES_H

/* What of a recording was held up, when and for how long. */
#include "output/text/screen.h"
#include "output/timeline.h"

/* scheduling_series__write - nothing of targets where nothing was wrong. -ENOMEM, or the error of writing. */
int scheduling_series__write(FILE *out, const struct timeline *timeline,
			     const struct screen_options *options) __must_check;

#endif /* GLEAKD_OUTPUT_TEXT_SCHEDULING_SERIES_H */
