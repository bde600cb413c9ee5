// SPDX-License-Identifier: Apache-2.0
#include "probe/slots.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(slots, a_released_slot_is_taken_again_last)
{
	static struct slots slots;
	size_t first, slot;

	cr_assert_eq(slots__take(&slots, &first), 0);
	slots__release(&slots, first);
	for (size_t i = 1; i < GL_MAX_TARGETS; i++) {
		cr_assert_eq(slots__take(&slots, &slot), 0);
		cr_assert_neq(slot, first);
	}
	cr_assert_eq(slots__take(&slots, &slot), 0);
	cr_assert_eq(slot, first);
	slot = 4711;
	cr_assert_eq(slots__take(&slots, &slot), -ENOSPC);
	cr_assert_eq(slot, 4711);
	slots__release(&slots, 17);
	cr_assert_eq(slots__take(&slots, &slot), 0);
	cr_assert_eq(slot, 17);
}

static bool tells(const struct go_layout *layout, __u64 told, const char *text)
{
	for (uint8_t reason = 0; reason < 64; reason++) {
		if (!strcmp(go_layout__wait_reason(layout, reason), text))
			return told >> reason & 1;
	}
	cr_assert_fail("Go 1.%d has no \"%s\"", layout->minor, text);
	return false;
}

/* What ends by what another goroutine does, and nothing else. */
static void check_told(const struct go_layout *layout, __u64 told)
{
	cr_expect(tells(layout, told, "chan receive") && tells(layout, told, "select"));
	cr_expect(tells(layout, told, "semacquire"));
	if (layout->minor >= 20)
		cr_expect(tells(layout, told, "sync.Mutex.Lock"));
	cr_expect_not(tells(layout, told, "sleep") || tells(layout, told, "IO wait"));
	cr_expect_not(tells(layout, told, "GC worker (idle)") ||
		      tells(layout, told, "chan receive (nil chan)"));
	cr_expect_not(told & 1, "no reason");
}

/* The window must lead back to the offsets of the table, for every version in it. */
Test(slots, describes_every_known_go_version)
{
	for (int minor = go_layout__oldest()->minor; minor <= go_layout__newest()->minor; minor++) {
		const struct go_layout *layout = go_layout__find(minor);
		struct gl_target target = {0};

		if (!layout)
			continue;
		cr_assert(gl_target__describe(layout, 4711, &target), "Go 1.%d", minor);
		cr_assert_eq(target.tgid, 4711);
		cr_assert_eq(target.g_goid, layout->g_goid);
		cr_assert_eq(target.g_goid + 8 * target.gopc_word, layout->g_gopc);
		cr_assert_eq(target.g_goid + 8 * target.startpc_word, layout->g_startpc);
		cr_assert_eq(target.g_goid + target.reason_at, layout->g_waitreason);
		cr_assert_eq(target.g_sched_bp, layout->g_sched_bp);
		check_told(layout, target.told);
	}
}

Test(slots, refuses_a_layout_that_does_not_fit_the_window)
{
	struct go_layout good = *go_layout__newest(), layout = good;
	struct gl_target target = {.tgid = 1};

	layout.g_startpc = good.g_goid + 8 * GL_WINDOW_WORDS;
	cr_assert(!gl_target__describe(&layout, 2, &target));
	layout = good;
	layout.g_gopc = GO_LAYOUT_ABSENT;
	cr_assert(!gl_target__describe(&layout, 2, &target));
	layout = good;
	layout.g_gopc = good.g_goid - 8;
	cr_assert(!gl_target__describe(&layout, 2, &target));
	layout = good;
	layout.g_startpc++;
	cr_assert(!gl_target__describe(&layout, 2, &target));
	layout = good;
	layout.g_goid += 1u << 16;
	layout.g_gopc += 1u << 16;
	layout.g_startpc += 1u << 16;
	cr_assert(!gl_target__describe(&layout, 2, &target));
	layout = good;
	layout.g_goid = GO_LAYOUT_ABSENT;
	cr_assert(!gl_target__describe(&layout, 2, &target));
	cr_assert_eq(target.tgid, 1);
}
