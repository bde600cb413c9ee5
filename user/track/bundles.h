/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_BUNDLES_H
#define GLEAKD_TRACK_BUNDLES_H

/*
 * Sites whose members are created together: the goroutines of one client, one stream, one pool. When
 * such are forgotten, that is one leak, at whatever places they wait. Together means that nearly every
 * member of either site has one of the other that began at the same time; where the times are not
 * exact, one with nearly the same goid.
 */
#include "base/common.h"

#define BUNDLES_MAX_SITES  64
#define BUNDLES_MAX_BIRTHS 1024 /* of each site; the latest are kept */

struct bundles;

/* bundles__new - @exact: when goroutines began is known to the tick. NULL: no memory. */
struct bundles *bundles__new(bool exact);
void bundles__free(struct bundles *bundles);

/* bundles__add_site - its slot; -ENOSPC, -ENOMEM. */
int bundles__add_site(struct bundles *bundles);
size_t bundles__count(const struct bundles *bundles);

/* bundles__add_birth - of a member of the site in @slot: its goid, and when it began. */
void bundles__add_birth(struct bundles *bundles, size_t slot, uint64_t goid, uint64_t ticks);

/* bundles__find - once all births are there. */
void bundles__find(struct bundles *bundles);

/* bundles__of - the first slot of the bundle that @slot belongs to; its own when it is alone. */
size_t bundles__of(const struct bundles *bundles, size_t slot);

#endif /* GLEAKD_TRACK_BUNDLES_H */
