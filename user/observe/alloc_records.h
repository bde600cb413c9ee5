/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_ALLOC_RECORDS_H
#define GLEAKD_OBSERVE_ALLOC_RECORDS_H

/* Records of allocations from the ring buffer, checked: they are foreign data. */
#include "base/common.h"
#include "probe/alloc_abi.h"

typedef void (*alloc_record_fn)(void *ctx, const struct gl_alloc *record);

/*
 * alloc_record__decode - one raw record, with the caller that some kernels name twice once in its stack;
 * false and nothing called when it is malformed.
 */
bool alloc_record__decode(const void *data, size_t size, alloc_record_fn fn, void *ctx);

#endif /* GLEAKD_OBSERVE_ALLOC_RECORDS_H */
