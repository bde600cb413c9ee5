/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SITE_NUMBERS_H
#define GLEAKD_TRACK_SITE_NUMBERS_H

/* The evidence of a site as numbers for people: what happened when, who is left of whom. */
#include "track/tracker_internal.h"
#include "track/verdict.h"

/* site_numbers__fill - during tracker__sites(), when the site's pass is complete. */
void site_numbers__fill(const struct tracker *tracker, const struct site *site,
			const struct opinion *opinion, uint64_t now_ticks,
			struct site_evidence *ret_evidence);

#endif /* GLEAKD_TRACK_SITE_NUMBERS_H */
