/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_SEMTABLE_H
#define GLEAKD_GOLANG_SEMTABLE_H

/*
 * runtime.semtable (src/runtime/sema.go), the table of everybody who waits on a sync.Mutex, RWMutex,
 * WaitGroup or another semaphore: buckets by address, each with a treap of sudogs. Each of its
 * buckets is padded to a cache line (go_arch.cache_line).
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
 * to. It is taken only when its contents prove it: somebody waits in it, and whoever does is a
 * goroutine and hangs where the address of its semaphore belongs. 0 otherwise: nobody waits now, or
 * not found; the next attempt may be luckier. @live needs module.
 */
uint64_t semtable__find(struct live *live);

#endif /* GLEAKD_GOLANG_SEMTABLE_H */
