/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_SITE_ID_H
#define GLEAKD_REPORT_SITE_ID_H

/* What reports call a site of a target's tracker. */
#include "session/target.h"

/* site_id__wait_words - why its members wait, in the runtime's words; "" while they run. */
const char *site_id__wait_words(const struct target *target, const struct site_view *view);

/* site_id__view - site @index as it was judged last; NULL: it is not among those. */
const struct site_view *site_id__view(const struct target *target, uint32_t index);

/* site_id__of - its id; "" for what is beyond a limit, or without memory. */
void site_id__of(const struct target *target, const struct site_view *view, char id[9]);

#endif /* GLEAKD_REPORT_SITE_ID_H */
