/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_DRAWS_H
#define GLEAKD_PROBE_ALLOC_DRAWS_H

/*
 * Which hits of the allocator there is a record of, with the stack, which costs several times what a hit
 * without one does: those that chance draws, as the runtime draws its samples, by what they allocate. Pure.
 */
#include "base/common.h"
#include "probe/alloc_abi.h"

/* alloc_draws__table - for the program: it takes the lengths of its gaps from there. */
void alloc_draws__table(uint32_t table[GL_ALLOC_GAPS + 1]);

/*
 * alloc_draws__gap - with which one in GL_ALLOC_ONE_IN hits like these is drawn, or, where nobody is @busy with little
 * else than allocating, one in ALLOC_DRAWS_CALM; at most GL_ALLOC_MAX_GAP.
 *
 * There chance is most of the error, and more records are worth what they take of the windows: with 0.5 µs for a hit
 * and 2 for a record there are three times as many, of three quarters of the hits.
 */
#define ALLOC_DRAWS_CALM 8
uint64_t alloc_draws__gap(uint64_t hits, uint64_t amount, bool busy);

/* alloc_draws__first - how far the first one of a processor is; @random: any number is as likely. */
int64_t alloc_draws__first(uint64_t gap, uint64_t random);

/* alloc_draws__weight - how many hits of @size bytes a drawn one stands for; 1 where @gap is 0. */
double alloc_draws__weight(uint64_t size, uint64_t gap);

#endif /* GLEAKD_PROBE_ALLOC_DRAWS_H */
