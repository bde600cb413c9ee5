/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_ELF_STRING_POOL_H
#define GLEAKD_ELF_STRING_POOL_H

/*
 * Strings that stay where they are until the pool is freed, each distinct one once. The pool has a
 * maximum: a string that no longer fits is refused. None is ever removed, because callers keep
 * pointers to them.
 */
#include "base/common.h"

struct string_pool;

/* string_pool__new - an empty one that takes at most @max_bytes of text. */
int string_pool__new(size_t max_bytes, struct string_pool **ret_pool) __must_check;
void string_pool__free(struct string_pool *pool);

/*
 * string_pool__intern - the pool's copy of @text, in which control characters are replaced by '?'.
 * NULL when the pool is full or there is no memory.
 */
const char *string_pool__intern(struct string_pool *pool, const char *text);

/* string_pool__used - bytes of text in it. */
size_t string_pool__used(const struct string_pool *pool);

#endif /* GLEAKD_ELF_STRING_POOL_H */
