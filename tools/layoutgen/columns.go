// SPDX-License-Identifier: Apache-2.0

package main

// A column of the table and where its number comes from: a field of a struct of package runtime,
// or the struct's size when there is no path.
type column struct {
	name  string
	typ   string
	paths []string // the first that exists is taken; with a star it must be a plain pointer
	since int      // the Go minor version that introduced it; 0: it was always there
	until int      // the Go minor version that removed it; 0: it is still there
	arch  string   // the architecture it is measured on; "": it is the same on both
}

// exists reports whether Go 1.minor should have the column.
func (c column) exists(minor int) bool {
	return minor >= c.since && (c.until == 0 || minor < c.until)
}

func (c column) isSize() bool { return len(c.paths) == 0 }

func field(name, typ string, paths ...string) column {
	return column{name: name, typ: typ, paths: paths}
}

func fieldSince(minor int, name, typ string, paths ...string) column {
	return column{name: name, typ: typ, paths: paths, since: minor}
}

func fieldUntil(minor int, name, typ string, paths ...string) column {
	return column{name: name, typ: typ, paths: paths, until: minor}
}

// onArm64 is a second column for a field that lies behind padding to a cache line, which is larger
// there (src/internal/cpu CacheLinePadSize).
func onAmd64(c column) column { c.arch = "amd64"; return c }
func onArm64(c column) column { c.arch = "arm64"; c.name += "_arm64"; return c }

func size(name, typ string) column { return column{name: name, typ: typ} }

// columns is GO_LAYOUT_FIELDS of user/golang/layout.h. A field which a version lacks although it
// should have it stops the measurement: a rename in a new Go version must be looked at.
var columns = []column{
	field("g_stack_lo", "g", "stack.lo"),
	field("g_stack_hi", "g", "stack.hi"),
	field("g_m", "g", "m"),
	field("g_sched_sp", "g", "sched.sp"),
	field("g_sched_pc", "g", "sched.pc"),
	field("g_sched_bp", "g", "sched.bp"),
	field("g_syscallsp", "g", "syscallsp"),
	field("g_syscallpc", "g", "syscallpc"),
	fieldSince(23, "g_syscallbp", "g", "syscallbp"),
	field("g_param", "g", "param"),
	field("g_atomicstatus", "g", "atomicstatus"),
	field("g_goid", "g", "goid"),
	field("g_waitsince", "g", "waitsince"),
	field("g_waitreason", "g", "waitreason"),
	field("g_trackingSeq", "g", "trackingSeq"),
	field("g_tracking", "g", "tracking"),
	field("g_trackingStamp", "g", "trackingStamp", "runnableStamp"), // renamed in 1.20
	field("g_lockedm", "g", "lockedm"),
	fieldSince(21, "g_parentGoid", "g", "parentGoid"),
	field("g_gopc", "g", "gopc"),
	field("g_startpc", "g", "startpc"),
	field("g_waiting", "g", "waiting"),
	field("g_labels", "g", "labels"),
	field("g_timer", "g", "timer"),
	fieldSince(23, "g_sleepWhen", "g", "sleepWhen"),
	fieldSince(22, "g_coroarg", "g", "coroarg"),
	fieldSince(24, "g_bubble", "g", "bubble", "syncGroup"), // renamed in 1.25
	field("g_sched_ctxt", "g", "sched.ctxt"),
	field("g_sched_lr", "g", "sched.lr"),
	field("g_panic", "g", "_panic"),
	field("g_defer", "g", "_defer"),
	field("g_asyncSafePoint", "g", "asyncSafePoint"),
	fieldSince(26, "g_xRegs", "g", "xRegs.state"),
	size("g_sizeof", "g"),

	field("defer_heap", "_defer", "heap"),
	field("defer_fn", "_defer", "fn"),
	field("defer_link", "_defer", "link"),
	size("defer_sizeof", "_defer"),

	field("m_g0", "m", "g0"),
	field("m_procid", "m", "procid"),
	field("m_curg", "m", "curg"),
	field("m_gsignal", "m", "gsignal"),
	field("m_p", "m", "p"),
	field("m_incgo", "m", "incgo"),

	field("p_id", "p", "id"),
	field("p_status", "p", "status"),
	field("p_m", "p", "m"),
	field("p_schedtick", "p", "schedtick"),
	field("p_sysmontick_schedtick", "p", "sysmontick.schedtick"),
	field("p_sysmontick_schedwhen", "p", "sysmontick.schedwhen"),
	field("p_mcache", "p", "mcache"),
	field("p_goidcache", "p", "goidcache"),
	field("p_goidcacheend", "p", "goidcacheend"),
	// A slice of pointers, from 1.23 on of pointers and times.
	field("p_timers", "p", "timers.heap", "timers"),
	field("timer_when", "timer", "when"),
	field("timer_arg", "timer", "arg"),
	field("p_wbBuf_next", "p", "wbBuf.next"),
	field("p_wbBuf_buf", "p", "wbBuf.buf"),
	field("mcache_alloc", "mcache", "alloc"),

	field("sched_goidgen", "schedt", "goidgen"),
	field("sched_ngsys", "schedt", "ngsys"),
	field("sched_timeToRun", "schedt", "timeToRun"),
	field("timeHistogram_counts", "timeHistogram", "counts"),
	size("timeHistogram_sizeof", "timeHistogram"),

	// From 1.26 on elem and c hold a maybeTraceablePtr{vp, vu}: vp is nil while the leak
	// profile's GC runs, vu always holds the address (src/runtime/runtime2.go).
	field("sudog_g", "sudog", "g"),
	field("sudog_elem", "sudog", "elem.vu", "*elem"),
	field("sudog_waitlink", "sudog", "waitlink"),
	field("sudog_c", "sudog", "c.maybeTraceablePtr.vu", "*c"),
	field("sudog_next", "sudog", "next"),
	field("sudog_prev", "sudog", "prev"),
	size("sudog_sizeof", "sudog"),

	field("hchan_qcount", "hchan", "qcount"),
	field("hchan_dataqsiz", "hchan", "dataqsiz"),
	field("hchan_closed", "hchan", "closed"),
	fieldSince(23, "hchan_timer", "hchan", "timer"),
	field("hchan_recvq", "hchan", "recvq"),
	field("hchan_sendq", "hchan", "sendq"),
	field("hchan_buf", "hchan", "buf"),
	field("hchan_elemtype", "hchan", "elemtype"),
	size("hchan_sizeof", "hchan"),

	field("moduledata_pcHeader", "moduledata", "pcHeader"),
	field("moduledata_funcnametab", "moduledata", "funcnametab"),
	field("moduledata_ftab", "moduledata", "ftab"),
	field("moduledata_minpc", "moduledata", "minpc"),
	field("moduledata_maxpc", "moduledata", "maxpc"),
	field("moduledata_text", "moduledata", "text"),
	field("moduledata_etext", "moduledata", "etext"),
	field("moduledata_noptrdata", "moduledata", "noptrdata"),
	field("moduledata_enoptrdata", "moduledata", "enoptrdata"),
	field("moduledata_data", "moduledata", "data"),
	field("moduledata_edata", "moduledata", "edata"),
	field("moduledata_bss", "moduledata", "bss"),
	field("moduledata_ebss", "moduledata", "ebss"),
	field("moduledata_noptrbss", "moduledata", "noptrbss"),
	field("moduledata_enoptrbss", "moduledata", "enoptrbss"),
	field("moduledata_gcdatamask", "moduledata", "gcdatamask"),
	field("moduledata_gcbssmask", "moduledata", "gcbssmask"),
	field("moduledata_types", "moduledata", "types"),
	field("moduledata_etypes", "moduledata", "etypes"),
	field("moduledata_gofunc", "moduledata", "gofunc"),
	field("moduledata_rodata", "moduledata", "rodata"),
	field("moduledata_next", "moduledata", "next"),
	size("moduledata_sizeof", "moduledata"),

	field("mheap_sweepgen", "mheap", "sweepgen"),
	field("mheap_allspans", "mheap", "allspans"),
	onAmd64(field("mheap_arenas", "mheap", "arenas")),
	onArm64(field("mheap_arenas", "mheap", "arenas")),
	field("mheap_pagesInUse", "mheap", "pagesInUse"),

	// Where pointers are: two bits a word before Go 1.20, one before 1.22; since then it is
	// told by the spans and the types (src/runtime/mbitmap.go).
	fieldUntil(22, "heapArena_bitmap", "heapArena", "bitmap"),
	field("heapArena_spans", "heapArena", "spans"),
	field("heapArena_pageSpecials", "heapArena", "pageSpecials"),

	field("mspan_startAddr", "mspan", "startAddr"),
	field("mspan_npages", "mspan", "npages"),
	field("mspan_freeindex", "mspan", "freeindex"),
	field("mspan_nelems", "mspan", "nelems"),
	field("mspan_allocBits", "mspan", "allocBits"),
	field("mspan_gcmarkBits", "mspan", "gcmarkBits"),
	field("mspan_sweepgen", "mspan", "sweepgen"),
	field("mspan_allocCount", "mspan", "allocCount"),
	field("mspan_spanclass", "mspan", "spanclass"),
	field("mspan_state", "mspan", "state"),
	fieldSince(20, "mspan_isUserArenaChunk", "mspan", "isUserArenaChunk"),
	field("mspan_elemsize", "mspan", "elemsize"),
	field("mspan_limit", "mspan", "limit"),
	field("mspan_specials", "mspan", "specials"),
	fieldSince(22, "mspan_largeType", "mspan", "largeType"),
	size("mspan_sizeof", "mspan"),

	field("special_next", "special", "next"),
	field("special_offset", "special", "offset"),
	size("special_sizeof", "special"),

	onAmd64(fieldSince(25, "cleanupQueue_all", "cleanupQueue", "all")),
	onArm64(fieldSince(25, "cleanupQueue_all", "cleanupQueue", "all")),
	fieldSince(25, "cleanupBlock_alllink", "cleanupBlock", "cleanupBlockHeader.alllink"),
	fieldSince(25, "cleanupBlock_n", "cleanupBlock", "cleanupBlockHeader.n"),
	fieldSince(25, "cleanupBlock_cleanups", "cleanupBlock", "cleanups"),

	// The memory profile. A bucket is followed by its stack, and that by a memRecord.
	field("bucket_allnext", "bucket", "allnext"),
	field("bucket_typ", "bucket", "typ"),
	field("bucket_size", "bucket", "size"),
	field("bucket_nstk", "bucket", "nstk"),
	size("bucket_sizeof", "bucket"),
	field("memRecord_active", "memRecord", "active"),
	field("memRecord_future", "memRecord", "future"),
	size("memRecord_sizeof", "memRecord"),
	field("memRecordCycle_allocs", "memRecordCycle", "allocs"),
	field("memRecordCycle_frees", "memRecordCycle", "frees"),
	size("memRecordCycle_sizeof", "memRecordCycle"),

	field("mstats_heapStats", "mstats", "heapStats.stats"),
	field("mstats_mspan_sys", "mstats", "mspan_sys"),
	field("mstats_mcache_sys", "mstats", "mcache_sys"),
	field("mstats_buckhash_sys", "mstats", "buckhash_sys"),
	field("mstats_gcMiscSys", "mstats", "gcMiscSys"),
	field("mstats_other_sys", "mstats", "other_sys"),
	field("mstats_last_gc_unix", "mstats", "last_gc_unix"),
	field("mstats_pause_end", "mstats", "pause_end"),
	field("mstats_last_gc_nanotime", "mstats", "last_gc_nanotime"),
	field("mstats_pause_total_ns", "mstats", "pause_total_ns"),
	field("mstats_numgc", "mstats", "numgc"),
	field("mstats_enablegc", "mstats", "enablegc"),
	field("heapStats_released", "heapStatsDelta", "released"),
	field("heapStats_inHeap", "heapStatsDelta", "inHeap"),
	field("heapStats_inStacks", "heapStatsDelta", "inStacks"),
	field("heapStats_inWorkBufs", "heapStatsDelta", "inWorkBufs"),
	fieldUntil(25, "heapStats_inPtrScalarBits", "heapStatsDelta", "inPtrScalarBits"),
	field("heapStats_largeAlloc", "heapStatsDelta", "largeAlloc"),
	field("heapStats_largeAllocCount", "heapStatsDelta", "largeAllocCount"),
	field("heapStats_tinyAllocCount", "heapStatsDelta", "tinyAllocCount"),
	field("heapStats_smallAllocCount", "heapStatsDelta", "smallAllocCount"),
	field("heapStats_largeFree", "heapStatsDelta", "largeFree"),
	field("heapStats_largeFreeCount", "heapStatsDelta", "largeFreeCount"),
	field("heapStats_smallFreeCount", "heapStatsDelta", "smallFreeCount"),
	size("heapStats_sizeof", "heapStatsDelta"),
	field("gcController_heapMinimum", "gcControllerState", "heapMinimum"),
	field("gcController_heapMarked", "gcControllerState", "heapMarked"),
	// By GOGC; until Go 1.18 there was no other.
	field("gcController_heapGoal", "gcControllerState", "gcPercentHeapGoal", "heapGoal"),
	fieldSince(19, "gcController_memoryLimit", "gcControllerState", "memoryLimit"),
	field("gcController_assistTime", "gcControllerState", "assistTime"),
}
