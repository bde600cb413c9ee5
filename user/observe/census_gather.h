/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_CENSUS_GATHER_H
#define GLEAKD_OBSERVE_CENSUS_GATHER_H

/*
 * Reads equal windows of memory at many ascending addresses with few, long remote ranges.
 * process_vm_readv(2) spends its time on pinning pages and starting ranges rather than on copying,
 * so windows that lie near each other are read together with the bytes between them: g structs fill
 * whole spans of the Go heap, which takes one range each. Private to the census.
 */
#include "base/common.h"
#include "golang/layout.h"
#include "host/remote.h"

#define GATHER_SPANS 1024 /* IOV_MAX: one system call */

/* A gap costs its bytes; a further range costs as much as copying about this many. */
#define GATHER_GAP   4096
#define GATHER_APART UINT32_MAX /* each address has a range of its own */

struct census_gather {
	struct remote_span spans[GATHER_SPANS];
	size_t ends[GATHER_SPANS]; /* per span: index one past its last address */
	size_t n_spans;
};

struct census_window {
	uint32_t offset; /* from each address */
	uint32_t size;
};

/*
 * census_gather__plan - lay out as many of @addresses (ascending) as fit into @buffer.
 * Windows with no more than @gap bytes between them are read together. Returns how many were placed, at least
 * one when n is not 0 (@capacity must hold one window).
 */
size_t census_gather__plan(struct census_gather *gather, const uint64_t *addresses, size_t n,
			   struct census_window window, uint8_t *buffer, size_t capacity,
			   uint32_t gap);

/* census_gather__at - the copy of the window of @address, which lies in span @index. */
static inline const uint8_t *census_gather__at(const struct census_gather *gather, size_t index,
					       uint64_t address, struct census_window window)
{
	const struct remote_span *span = &gather->spans[index];

	return (const uint8_t *)span->buffer + (address + window.offset - span->address);
}

#endif /* GLEAKD_OBSERVE_CENSUS_GATHER_H */
