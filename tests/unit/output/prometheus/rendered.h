/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_RENDERED_H
#define TESTS_UNIT_OUTPUT_RENDERED_H

#include "output/prometheus/textfile.h"

/* rendered - @report as metrics, which a reader of the format finds nothing wrong with; to free(). */
char *rendered(const struct report *report, const struct textfile_options *options);

#endif /* TESTS_UNIT_OUTPUT_RENDERED_H */
