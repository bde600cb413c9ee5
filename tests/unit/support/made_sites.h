/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_SUPPORT_MADE_SITES_H
#define TESTS_UNIT_SUPPORT_MADE_SITES_H

/* A report of sites to choose among: main.f0 to main.f11, the later the larger. */
#include "output/report.h"

#define MADE_SITES 12

struct made_sites {
	struct report_site sites[MADE_SITES];
	struct report_target target;
	struct report report;
	char names[MADE_SITES][16];
};

/* made_sites__init - all of them idle; the report refers to @made. */
void made_sites__init(struct made_sites *made);

#endif /* TESTS_UNIT_SUPPORT_MADE_SITES_H */
