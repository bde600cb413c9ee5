/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_LAYOUT_H
#define GLEAKD_GOLANG_LAYOUT_H

/*
 * Where the fields of the Go runtime's structs are, per Go version. The table is data/go-layout.tsv
 * (one line per version), made from real toolchains by tools/layoutgen and compiled in; adding a
 * Go version is adding a line. Offsets are the same on amd64 and arm64 for every field in here but
 * those that have a second column for arm64.
 */
#include "base/common.h"
#include "golang/go_status.h"

#define GO_LAYOUT_ABSENT UINT32_MAX /* this version has no such field */

/* Offsets in bytes; the list of columns of data/go-layout.tsv, in its order. */
/* clang-format off */
#define GO_LAYOUT_FIELDS(X)                                                                 \
	X(g_stack_lo) X(g_stack_hi) X(g_m) X(g_sched_sp) X(g_sched_pc)                      \
	X(g_sched_bp) X(g_syscallsp) X(g_syscallpc) X(g_syscallbp) X(g_param)               \
	X(g_atomicstatus) X(g_goid) X(g_waitsince) X(g_waitreason)                          \
	X(g_trackingSeq) X(g_tracking) X(g_trackingStamp) X(g_lockedm)                      \
	X(g_parentGoid) X(g_gopc) X(g_startpc)                                              \
	X(g_waiting) X(g_labels) X(g_timer) X(g_sleepWhen) X(g_coroarg)                     \
	X(g_bubble) X(g_sched_ctxt) X(g_sched_lr) X(g_panic) X(g_defer)                     \
	X(g_asyncSafePoint) X(g_xRegs) X(g_sizeof)                                          \
	X(defer_heap) X(defer_fn) X(defer_link) X(defer_sizeof)                             \
	X(m_g0) X(m_procid) X(m_curg) X(m_gsignal) X(m_p) X(m_incgo)                        \
	X(p_id) X(p_status) X(p_m) X(p_schedtick) X(p_sysmontick_schedtick)                 \
	X(p_sysmontick_schedwhen) X(p_mcache) X(p_goidcache) X(p_goidcacheend)              \
	X(p_timers) X(timer_when) X(timer_arg) X(p_wbBuf_next) X(p_wbBuf_buf)               \
	X(mcache_alloc)                                                                     \
	X(sched_goidgen) X(sched_ngsys) X(sched_timeToRun) X(timeHistogram_counts)          \
	X(timeHistogram_sizeof)                                                             \
	X(sudog_g) X(sudog_elem) X(sudog_waitlink) X(sudog_c) X(sudog_next)                 \
	X(sudog_prev) X(sudog_sizeof)                                                       \
	X(hchan_qcount) X(hchan_dataqsiz) X(hchan_closed) X(hchan_timer)                    \
	X(hchan_recvq) X(hchan_sendq) X(hchan_buf) X(hchan_elemtype)                        \
	X(hchan_sizeof)                                                                     \
	X(moduledata_pcHeader) X(moduledata_funcnametab) X(moduledata_ftab)                 \
	X(moduledata_minpc) X(moduledata_maxpc) X(moduledata_text)                          \
	X(moduledata_etext) X(moduledata_noptrdata) X(moduledata_enoptrdata)                \
	X(moduledata_data) X(moduledata_edata) X(moduledata_bss)                            \
	X(moduledata_ebss) X(moduledata_noptrbss) X(moduledata_enoptrbss)                   \
	X(moduledata_gcdatamask) X(moduledata_gcbssmask) X(moduledata_types)                \
	X(moduledata_etypes) X(moduledata_gofunc) X(moduledata_rodata)                      \
	X(moduledata_next) X(moduledata_sizeof)                                             \
	X(mheap_sweepgen) X(mheap_allspans) X(mheap_arenas) X(mheap_arenas_arm64)           \
	X(mheap_pagesInUse)                                                                 \
	X(heapArena_bitmap) X(heapArena_spans) X(heapArena_pageSpecials)                    \
	X(mspan_startAddr) X(mspan_npages) X(mspan_freeindex) X(mspan_nelems)               \
	X(mspan_allocBits) X(mspan_gcmarkBits) X(mspan_sweepgen)                            \
	X(mspan_allocCount) X(mspan_spanclass) X(mspan_state)                               \
	X(mspan_isUserArenaChunk) X(mspan_elemsize) X(mspan_limit)                          \
	X(mspan_specials) X(mspan_largeType) X(mspan_sizeof)                                \
	X(special_next) X(special_offset) X(special_sizeof)                                 \
	X(cleanupQueue_all) X(cleanupQueue_all_arm64)                                       \
	X(cleanupBlock_alllink) X(cleanupBlock_n) X(cleanupBlock_cleanups)                  \
	X(bucket_allnext) X(bucket_typ) X(bucket_size) X(bucket_nstk) X(bucket_sizeof)      \
	X(memRecord_active) X(memRecord_future) X(memRecord_sizeof)                         \
	X(memRecordCycle_allocs) X(memRecordCycle_frees) X(memRecordCycle_sizeof)           \
	X(mstats_heapStats) X(mstats_mspan_sys) X(mstats_mcache_sys)                        \
	X(mstats_buckhash_sys) X(mstats_gcMiscSys) X(mstats_other_sys)                      \
	X(mstats_last_gc_unix) X(mstats_pause_end) X(mstats_last_gc_nanotime)               \
	X(mstats_pause_total_ns) X(mstats_numgc)                                            \
	X(mstats_enablegc)                                                                  \
	X(heapStats_released)                                                               \
	X(heapStats_inHeap) X(heapStats_inStacks) X(heapStats_inWorkBufs)                   \
	X(heapStats_inPtrScalarBits) X(heapStats_largeAlloc)                                \
	X(heapStats_largeAllocCount) X(heapStats_tinyAllocCount)                            \
	X(heapStats_smallAllocCount)                                                        \
	X(heapStats_largeFree) X(heapStats_largeFreeCount)                                  \
	X(heapStats_smallFreeCount) X(heapStats_sizeof)                                     \
	X(gcController_heapMinimum) X(gcController_heapMarked)                              \
	X(gcController_heapGoal) X(gcController_memoryLimit)                                \
	X(gcController_assistTime)
/* clang-format on */

struct go_layout {
	int minor;	   /* 26: Go 1.26 */
	char measured[16]; /* the toolchain the row was read from: "go1.26.8" */
#define X(field) uint32_t field;
	GO_LAYOUT_FIELDS(X)
#undef X
	/* Wait reasons by number; NULL past the last. */
	const char *const *wait_reasons;
	size_t n_wait_reasons;
};

/* go_layout__find - the row of Go 1.@minor; NULL when there is none. */
const struct go_layout *go_layout__find(int minor);

/* go_layout__oldest / newest - the span of the table, for messages. */
const struct go_layout *go_layout__oldest(void);
const struct go_layout *go_layout__newest(void);

/* go_layout__nearest - the row from which @layout differs in the fewest fields; of equals the newest. */
const struct go_layout *go_layout__nearest(const struct go_layout *layout);

/* go_layout__wait_reason - the runtime's own words; "" for 0, "unknown" for a number past the end. */
const char *go_layout__wait_reason(const struct go_layout *layout, uint8_t reason);

#endif /* GLEAKD_GOLANG_LAYOUT_H */
