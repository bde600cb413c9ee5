// SPDX-License-Identifier: Apache-2.0
#include "golang/layout.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Every version that gleakd says it supports. */
#define OLDEST 18
#define NEWEST 27

static const struct go_layout *row(int minor)
{
	const struct go_layout *layout = go_layout__find(minor);

	cr_assert_not_null(layout, "no row for Go 1.%d", minor);
	return layout;
}

Test(layout, covers_every_version_without_a_gap)
{
	char prefix[16];

	cr_assert_eq(go_layout__oldest()->minor, OLDEST);
	cr_assert_eq(go_layout__newest()->minor, NEWEST);
	for (int minor = OLDEST; minor <= NEWEST; minor++) {
		snprintf(prefix, sizeof(prefix), "go1.%d", minor);
		cr_assert_eq(row(minor)->minor, minor);
		cr_assert_eq(strncmp(row(minor)->measured, prefix, strlen(prefix)), 0);
	}
	cr_assert_null(go_layout__find(OLDEST - 1));
	cr_assert_null(go_layout__find(NEWEST + 1));
	cr_assert_null(go_layout__find(-1));
}

/* Facts from src/runtime/runtime2.go, chan.go and symtab.go, not from the table. */
Test(layout, known_offsets)
{
	cr_assert_eq(row(18)->g_goid, 152);
	cr_assert_eq(row(22)->g_goid, 152);
	cr_assert_eq(row(23)->g_goid, 160); /* syscallbp came */
	cr_assert_eq(row(24)->g_goid, 160);
	cr_assert_eq(row(25)->g_goid, 152); /* gobuf.ret went */
	cr_assert_eq(row(27)->g_goid, 152);
	cr_assert_eq(row(24)->g_sched_bp, 104);
	cr_assert_eq(row(25)->g_sched_bp, 96);
	cr_assert_eq(row(21)->g_trackingSeq, 188);
	cr_assert_eq(row(22)->g_trackingSeq, 191);
	cr_assert_eq(row(20)->g_startpc, 312);
	cr_assert_eq(row(21)->g_startpc, 296);
	cr_assert_eq(row(26)->g_startpc, 304);
	cr_assert_eq(row(24)->m_curg, 192);
	cr_assert_eq(row(25)->m_curg, 184);
	cr_assert_eq(row(25)->sched_ngsys, 80);
	cr_assert_eq(row(26)->sched_ngsys, 96);
	cr_assert_eq(row(22)->hchan_recvq, 56);
	cr_assert_eq(row(23)->hchan_recvq, 64);
	cr_assert_eq(row(26)->moduledata_gofunc, 320);
	cr_assert_eq(row(27)->moduledata_gofunc, 344);
}

/* In 1.26 sudog.elem and sudog.c became pairs; the second word always holds the address. */
Test(layout, traceable_pointers_of_sudog)
{
	cr_assert_eq(row(25)->sudog_elem, 24);
	cr_assert_eq(row(25)->sudog_c, 80);
	cr_assert_eq(row(26)->sudog_elem, 32);
	cr_assert_eq(row(26)->sudog_c, 96);
}

static void check_since(const char *name, size_t member, int since)
{
	for (int minor = OLDEST; minor <= NEWEST; minor++) {
		uint32_t offset;

		memcpy(&offset, (const char *)row(minor) + member, sizeof(offset));
		cr_assert_eq(offset == GO_LAYOUT_ABSENT, minor < since, "%s in Go 1.%d", name,
			     minor);
	}
}

#define CHECK_SINCE(field, since) check_since(#field, offsetof(struct go_layout, field), since)

Test(layout, younger_fields_are_absent_before)
{
	CHECK_SINCE(g_parentGoid, 21);
	CHECK_SINCE(g_coroarg, 22);
	CHECK_SINCE(g_syscallbp, 23);
	CHECK_SINCE(g_sleepWhen, 23);
	CHECK_SINCE(hchan_timer, 23);
	CHECK_SINCE(g_bubble, 24);
	CHECK_SINCE(g_goid, 0);
	CHECK_SINCE(moduledata_gofunc, 0);
	CHECK_SINCE(mspan_isUserArenaChunk, 20);
	CHECK_SINCE(mspan_largeType, 22);
	CHECK_SINCE(cleanupQueue_all, 25);
	CHECK_SINCE(g_xRegs, 26);
	for (int minor = OLDEST; minor <= NEWEST; minor++)
		cr_assert_eq(row(minor)->heapArena_bitmap == GO_LAYOUT_ABSENT, minor >= 22);
}

/* src/runtime/mheap.go; on arm64 a cache line of 128 bytes lies before arenas from 1.22 on. */
Test(layout, heap)
{
	cr_assert_eq(row(18)->heapArena_spans, 2097152); /* after 2 bits per word of 64 MiB */
	cr_assert_eq(row(20)->heapArena_spans, 1064960); /* 1 bit, and noMorePtrs */
	cr_assert_eq(row(22)->heapArena_spans, 0);
	cr_assert_eq(row(21)->mheap_arenas_arm64, row(21)->mheap_arenas);
	cr_assert_eq(row(22)->mheap_arenas_arm64, row(22)->mheap_arenas + 64);
	cr_assert_eq(row(21)->mspan_nelems, 56);
	cr_assert_eq(row(22)->mspan_nelems, 50); /* became uint16 */
	cr_assert_eq(row(23)->special_sizeof, 16);
	cr_assert_eq(row(24)->special_sizeof, 24); /* offset became uintptr */
}

/* Words overlap in no version, and every offset lies inside its struct. */
Test(layout, fields_are_inside_and_in_order)
{
	for (int minor = OLDEST; minor <= NEWEST; minor++) {
		const struct go_layout *l = row(minor);
		const uint32_t rising[] = {
			l->g_stack_lo,	 l->g_stack_hi,	    l->g_m,	    l->g_sched_sp,
			l->g_sched_pc,	 l->g_sched_bp,	    l->g_syscallsp, l->g_syscallpc,
			l->g_param,	 l->g_atomicstatus, l->g_goid,	    l->g_waitsince,
			l->g_waitreason, l->g_trackingSeq,  l->g_lockedm,   l->g_gopc,
			l->g_startpc,	 l->g_waiting,	    l->g_labels,    l->g_timer,
			l->g_sizeof,
		};
		const uint32_t module[] = {
			l->moduledata_pcHeader,	  l->moduledata_funcnametab,
			l->moduledata_ftab,	  l->moduledata_minpc,
			l->moduledata_maxpc,	  l->moduledata_text,
			l->moduledata_etext,	  l->moduledata_noptrdata,
			l->moduledata_enoptrdata, l->moduledata_data,
			l->moduledata_edata,	  l->moduledata_bss,
			l->moduledata_ebss,	  l->moduledata_noptrbss,
			l->moduledata_enoptrbss,  l->moduledata_types,
			l->moduledata_etypes,	  l->moduledata_gofunc,
			l->moduledata_gcdatamask, l->moduledata_gcbssmask,
			l->moduledata_next,	  l->moduledata_sizeof,
		};

		for (size_t i = 1; i < ARRAY_SIZE(rising); i++)
			cr_assert_lt(rising[i - 1], rising[i], "Go 1.%d g, %zu", minor, i);
		for (size_t i = 1; i < ARRAY_SIZE(module); i++)
			cr_assert_lt(module[i - 1], module[i], "Go 1.%d moduledata, %zu", minor, i);
		cr_assert_lt(l->sudog_c, l->sudog_sizeof);
		cr_assert_lt(l->hchan_sendq, l->hchan_sizeof);
	}
}

Test(layout, wait_reasons_by_number)
{
	cr_assert_str_eq(go_layout__wait_reason(row(18), 0), "");
	cr_assert_str_eq(go_layout__wait_reason(row(18), 14), "chan receive");
	cr_assert_str_eq(go_layout__wait_reason(row(25), 14), "chan receive");
	cr_assert_str_eq(go_layout__wait_reason(row(26), 19), "chan receive"); /* renumbered */
	cr_assert_str_eq(go_layout__wait_reason(row(20), 21), "sync.Mutex.Lock");
	cr_assert_str_eq(go_layout__wait_reason(row(27), 46), "cleanup wait");
	cr_assert_str_eq(go_layout__wait_reason(row(27), 47), "unknown");
	cr_assert_str_eq(go_layout__wait_reason(row(18), 255), "unknown");
}

Test(layout, nearest)
{
	for (int minor = OLDEST; minor <= NEWEST; minor++) {
		struct go_layout layout = *row(minor);

		layout.minor = 0;
		cr_expect_eq(go_layout__nearest(&layout), row(minor), "Go 1.%d", minor);
		layout.g_sizeof += 8;
		layout.g_gopc += 8;
		cr_expect_eq(go_layout__nearest(&layout), row(minor), "Go 1.%d, patched", minor);
	}
}
