/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_REACH_H
#define GLEAKD_TRACK_REACH_H

/*
 * What the growth test cannot find, however plain the leak: how long a watch it needs, and how slow
 * a leak may be. The rules are those of verdict.h; both functions are in growth.c, next to their
 * numbers. @min_age_ns as in struct evidence; @resolution_ns is how exactly the begins of parks are
 * known: the time from one census to the next, or 0 where events tell.
 */
#include "base/common.h"

/*
 * reach__least_watch_ns - in a shorter watch no leak is found but a flood: hundreds of goroutines
 * within --min-age.
 */
uint64_t reach__least_watch_ns(uint64_t min_age_ns, uint64_t resolution_ns);

/*
 * reach__slowest_per_second - a steady leak of fewer goroutines a second than this is not found in
 * a watch of @watched_ns. INFINITY: none is.
 */
double reach__slowest_per_second(uint64_t min_age_ns, uint64_t resolution_ns, uint64_t watched_ns);

#endif /* GLEAKD_TRACK_REACH_H */
