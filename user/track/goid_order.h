/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_GOID_ORDER_H
#define GLEAKD_TRACK_GOID_ORDER_H

/*
 * How long goroutines have lived at least, by the order of their goids. Go hands goids out in order
 * (src/runtime/proc.go newproc1), so a goroutine is at least as old as the longest wait of any that
 * was created after it. One census is enough for that.
 *
 * Goroutines are put into up to GOID_ORDER_STEPS steps of about as many members each, a step of its
 * own for each where there are no more of them than that; inside a step nothing is known of the
 * order. Go's Ps take goids 16 at a time (_GoidCacheBatch): neighbours may have been created the
 * other way round, which moves a life by as long as a batch lasts.
 */
#include "track/goroutine_table.h"

#define GOID_ORDER_STEPS 4096

struct goid_order;

/* goid_order__new - the order of the goroutines in @goroutines, none in it yet; NULL: no memory. */
struct goid_order *goid_order__new(const struct goroutine_table *goroutines) __must_check;
void goid_order__free(struct goid_order *order);

/* goid_order__note - goroutine @goid has been in its wait since @since_ticks. */
void goid_order__note(struct goid_order *order, uint64_t goid, uint64_t since_ticks);
/* goid_order__count - goroutine @goid is one of those that goid_order__counted() counts. */
void goid_order__count(struct goid_order *order, uint64_t goid);
/* goid_order__close - all are noted and counted; the questions below can be asked. */
void goid_order__close(struct goid_order *order);

/* goid_order__existed_at - @goid was created by then, in ticks; UINT64_MAX when nothing tells. */
uint64_t goid_order__existed_at(const struct goid_order *order, uint64_t goid);
/*
 * goid_order__counted - how many of those counted have a goid from @first to @last, by whole steps.
 */
uint64_t goid_order__counted(const struct goid_order *order, uint64_t first, uint64_t last);

#endif /* GLEAKD_TRACK_GOID_ORDER_H */
