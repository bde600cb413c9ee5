/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_STACK_TABLE_H
#define GLEAKD_OBSERVE_STACK_TABLE_H

/*
 * Interned call stacks: equal stacks get equal ids. Ids are dense, start at 1 and are never
 * reused; 0 means "no stack". Bounded: past the maximum, new stacks get STACK_ID_OTHER.
 */
#include "base/common.h"

#define STACK_MAX_DEPTH 100 /* frames kept, innermost first: the runtime's own traceback limit */
#define STACK_ID_NONE	0u
#define STACK_ID_OTHER	UINT32_MAX

struct stack_table;

int stack_table__new(size_t max_stacks, struct stack_table **ret_table) __must_check;
void stack_table__free(struct stack_table *table);

/*
 * stack_table__intern - id of @pcs (link-time addresses, innermost first). @depth is cut to
 * STACK_MAX_DEPTH; depth 0 is STACK_ID_NONE. STACK_ID_OTHER when full or out of memory.
 */
uint32_t stack_table__intern(struct stack_table *table, const uint64_t *pcs, size_t depth);

/* stack_table__get - the frames of @id; NULL and 0 for NONE and OTHER. Valid until freed. */
const uint64_t *stack_table__get(const struct stack_table *table, uint32_t id, size_t *ret_depth);

/* stack_table__freeze - while @frozen, new stacks get STACK_ID_OTHER. */
void stack_table__freeze(struct stack_table *table, bool frozen);
uint64_t stack_table__memory(const struct stack_table *table); /* bytes */

size_t stack_table__count(const struct stack_table *table);
uint64_t stack_table__refused(const struct stack_table *table);

#endif /* GLEAKD_OBSERVE_STACK_TABLE_H */
