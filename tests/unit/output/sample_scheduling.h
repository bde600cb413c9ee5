/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_SAMPLE_SCHEDULING_H
#define GLEAKD_TESTS_SAMPLE_SCHEDULING_H

/* A process in which goroutines of @sites (two) wait for a processor, keep one, and stay in a call. */
#include "output/report.h"

struct report_scheduling sample_scheduling(const struct report_site *sites);

#endif /* GLEAKD_TESTS_SAMPLE_SCHEDULING_H */
