/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_SITE_H
#define GLEAKD_REPORT_SITE_H

/* Sites of a report: what the tracker says of them, and a stack that they own. */
#include "output/report.h"

/* built_site__set_stack - a copy of @stack, innermost first. -ENOMEM. */
int built_site__set_stack(struct report_site *site, const struct report_frame *stack,
			  size_t n) __must_check;
void built_site__clear(struct report_site *site);

/* built_site__merge - take @from, which is the same place to a human, in. */
void built_site__merge(struct report_site *into, const struct report_site *from);

#endif /* GLEAKD_REPORT_SITE_H */
