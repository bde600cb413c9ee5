/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_SEMTABLE_H
#define GLEAKD_GOLANG_SEMTABLE_H

/*
 * runtime.semtable (src/runtime/sema.go), the table of all goroutines that wait on a sync.Mutex,
 * RWMutex, WaitGroup or another semaphore: buckets by address, each with a treap of sudogs. Each of
 * its buckets is padded to a cache line (go_arch.cache_line).
 */
#include "golang/live.h"

#define SEMTABLE_BUCKETS 251 /* semTabSize, a prime */
/* Of semaRoot, in all versions from 1.18 to 1.27 as their DWARF tells: {lock, treap, nwait}. */
#define SEMTABLE_TREAP 8
#define SEMTABLE_NWAIT 16

/* semtable__bucket - where the semaphore at target address @semaphore has its waiters (rootFor). */
static inline size_t semtable__bucket(uint64_t semaphore)
{
	return (size_t)((semaphore >> 3) % SEMTABLE_BUCKETS);
}

/*
 * semtable__find - link-time address, recovered from what runtime.semacquire1 and semrelease1 refer
 * to. An address is taken only when its contents prove it: there are waiters, each is a goroutine,
 * and each is in the bucket of its semaphore's address. 0 when none is found, which may be because
 * no goroutine waits now; the next attempt may find it. @live needs module.
 */
uint64_t semtable__find(struct live *live);

#endif /* GLEAKD_GOLANG_SEMTABLE_H */
