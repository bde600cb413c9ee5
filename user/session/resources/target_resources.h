/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_RESOURCES_TARGET_RESOURCES_H
#define GLEAKD_SESSION_RESOURCES_TARGET_RESOURCES_H

/* What a target has open, and what becomes of it from look to look, by scans of its heap while it runs. */
#include "session/heap/target_view.h"
#include "track/resources.h"

/* target_resources__take - one more look. Errors: as target_view__take(). */
int target_resources__take(struct target *target, const struct target_view_options *options,
			   struct failure *failure) __must_check;

/* target_resources__wants_openers - something has come to stay, by the last look, and who opens it is not known. */
bool target_resources__wants_openers(const struct target *target);

/* target_resources__get - since the first look; NULL: there was none. */
const struct resource_lines *target_resources__get(const struct target *target);

/* target_resources__close - part of target__free(). */
void target_resources__close(struct target *target);

#endif /* GLEAKD_SESSION_RESOURCES_TARGET_RESOURCES_H */
