/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_RESOURCES_TARGET_OPENINGS_H
#define GLEAKD_SESSION_RESOURCES_TARGET_OPENINGS_H

/* Who was seen to open what in a target, by the probes of a struct open_watch, which is for all targets. */
#include "heap/resources/resources.h"
#include "session/target.h"
#include "track/pools.h"
#include "track/resources.h"

/*
 * target_openings__fill - who has opened those of @resources that @tracker does not know yet. What
 * the probes have told so far is taken in first. @scan: of heap_resources__take(). Without a watch
 * nothing is known.
 */
void target_openings__fill(struct target *target, struct heap_resources *resources,
			   struct heap_scan *scan, const struct resource_tracker *tracker);

/* target_openings__next - a look is over. */
void target_openings__next(struct target *target);

/*
 * target_openings__want - whether it is @wanted to know who opens things until the next look, and,
 * until enough is known of that, how pools are used.
 */
void target_openings__want(struct target *target, bool wanted);

/* target_openings__at - who has @number; .at NULL: nobody. Valid as long as the target. */
struct resource_opened_at target_openings__at(const struct target *target, uint32_t number);

/* target_openings__pools - how its pools were used; NULL: nobody watches. Addresses are the target's. */
const struct pool_uses *target_openings__pools(const struct target *target);

/* target_openings__watched_ns - for how long it has been watched who opens things, by monotonic @now_ns. */
uint64_t target_openings__watched_ns(const struct target *target, uint64_t now_ns);

/* target_openings__cost_ns - of its CPU time, that these probes have cost it. */
uint64_t target_openings__cost_ns(const struct target *target);

/* target_openings__get - what was watched; false: nobody watches. */
bool target_openings__get(const struct target *target, struct resource_openings *ret_openings);

/* target_openings__close - part of target__free(). */
void target_openings__close(struct target *target);

#endif /* GLEAKD_SESSION_RESOURCES_TARGET_OPENINGS_H */
