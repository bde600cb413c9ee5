/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_SITE_H
#define GLEAKD_REPORT_SITE_H

/* A site of a report with the storage that its report_site points into. */
#include "output/report.h"
#include "report/objects.h"
#include "track/tracker.h"

struct built_site {
	struct site_view view; /* what it points to is the tracker's */
	struct report_site report;
	struct built_numbers *numbers; /* owned */
	struct report_object objects[WAIT_OBJECTS_TOP];
	struct report_frame *stack; /* owned */
};

/* built_site__init - from what the tracker tells, which has to outlive the site. -ENOMEM. */
int built_site__init(struct built_site *site, const struct site_view *view) __must_check;
void built_site__clear(struct built_site *site);

/* built_site__merge - take @from, which is the same place to a human, in. */
void built_site__merge(struct built_site *into, const struct built_site *from);

/* built_site__set_objects - what its members wait on; @target gives the address its meaning. */
void built_site__set_objects(struct built_site *site, const struct wait_objects *objects);

/* built_site__finish - point the report into the storage, once the site has its final address. */
void built_site__finish(struct built_site *site);

#endif /* GLEAKD_REPORT_SITE_H */
