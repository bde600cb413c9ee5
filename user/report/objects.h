/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_OBJECTS_H
#define GLEAKD_REPORT_OBJECTS_H

/* What the members of chosen sites wait on: found in the census, read from the target. */
#include "session/target.h"

#define SITE_OBJECTS_MAX_SITES	 64
#define SITE_OBJECTS_MAX_MEMBERS 256 /* looked at per site */

struct site_objects_wanted {
	uint32_t site; /* the tracker's index */
	enum wait_class wait_class;
	uint8_t wait_reason;
	struct wait_objects found; /* looked_at 0: nothing could be read */
};

/*
 * site_objects__look - fill in .found of @n sites, SITE_OBJECTS_MAX_SITES at most, and tell the
 * tracker. Costs a walk over the slots of the census and some reads per member.
 * Errors: -ENOMEM; a target that is gone leaves .found empty.
 */
int site_objects__look(struct target *target, struct site_objects_wanted *wanted,
		       size_t n) __must_check;

#endif /* GLEAKD_REPORT_OBJECTS_H */
