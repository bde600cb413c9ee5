// SPDX-License-Identifier: Apache-2.0
#include "probe/slots.h"

#include <errno.h>

#include "golang/wait_reason.h"

int slots__take(struct slots *slots, size_t *ret_slot)
{
	for (size_t i = 0; i < GL_MAX_TARGETS; i++) {
		size_t slot = (slots->next + i) % GL_MAX_TARGETS;

		if (slots->taken[slot])
			continue;
		slots->taken[slot] = true;
		slots->next = slot + 1;
		*ret_slot = slot;
		return 0;
	}
	return -ENOSPC;
}

void slots__release(struct slots *slots, size_t slot)
{
	slots->taken[slot] = false;
}

/* Word number of @field in the window that begins at @start; false when it is not in there. */
static bool word_in_window(uint32_t field, uint32_t start, __u8 *ret_word)
{
	if (field < start || field - start >= GL_WINDOW_WORDS * 8 || (field - start) % 8)
		return false;
	*ret_word = (__u8)((field - start) / 8);
	return true;
}

/* Waits for other goroutines: of these it matters how long they last. */
static __u64 told_reasons(const struct go_layout *layout)
{
	__u64 told = 0;

	for (uint8_t reason = 0; reason < 64 && reason < layout->n_wait_reasons; reason++) {
		const char *text = go_layout__wait_reason(layout, reason);

		if (wait_class__facts(wait_class__of(text))->on != WAIT_ON_NOTHING)
			told |= 1ULL << reason;
	}
	return told;
}

static bool describe_waits(const struct go_layout *layout, struct gl_target *target)
{
	uint32_t reason_at = layout->g_waitreason - layout->g_goid;

	if (layout->g_sched_pc > UINT16_MAX || layout->g_sched_bp > UINT16_MAX ||
	    layout->g_waitreason < layout->g_goid || reason_at >= GL_WINDOW_WORDS * 8)
		return false;
	target->g_sched_pc = (__u16)layout->g_sched_pc;
	target->g_sched_bp = (__u16)layout->g_sched_bp;
	target->reason_at = (__u16)reason_at;
	target->told = told_reasons(layout);
	return true;
}

bool gl_target__describe(const struct go_layout *layout, pid_t pid, struct gl_target *ret_target)
{
	struct gl_target target = {.g_goid = (__u16)layout->g_goid, .tgid = (__u32)pid};

	if (layout->g_goid > UINT16_MAX || layout->g_m > UINT16_MAX ||
	    layout->m_curg > UINT16_MAX ||
	    !word_in_window(layout->g_gopc, layout->g_goid, &target.gopc_word) ||
	    !word_in_window(layout->g_startpc, layout->g_goid, &target.startpc_word))
		return false;
	target.g_m = (__u16)layout->g_m;
	target.m_curg = (__u16)layout->m_curg;
	if (!describe_waits(layout, &target))
		return false;
	*ret_target = target;
	return true;
}

/* Go 1.19 has begun to keep what allocCount was (src/runtime/mheap.go allocCountBeforeCache). */
#define FIRST_COUNT_BEFORE 19
#define COUNT_BEFORE_AT	   6 /* behind allocCount */

static bool describe_counts(const struct go_layout *l, struct gl_alloc_target *target)
{
	uint32_t count_at = l->mspan_allocCount - l->mspan_startAddr;

	if (count_at >= GL_ALLOC_NO_FIELD - COUNT_BEFORE_AT)
		return false;
	target->span_alloc_count = (__u16)count_at;
	target->span_count_before = l->minor < FIRST_COUNT_BEFORE ?
					    GL_ALLOC_NO_FIELD :
					    (__u16)(count_at + COUNT_BEFORE_AT);
	return true;
}

/* False: they are not where the program looks for them. */
static bool describe_places(const struct go_layout *l, struct gl_alloc_target *target)
{
	const uint32_t window = GL_SPAN_WORDS * 8;
	uint32_t free_at = l->mspan_freeindex - l->mspan_startAddr,
		 sweep_at = l->mspan_sweepgen - l->mspan_startAddr;

	if (l->m_p > UINT16_MAX || l->p_mcache > UINT16_MAX || l->mcache_alloc > UINT16_MAX ||
	    l->mspan_startAddr > UINT16_MAX || free_at % 8 || free_at >= window || sweep_at % 4 ||
	    sweep_at >= window)
		return false;
	target->m_p = (__u16)l->m_p;
	target->p_mcache = (__u16)l->p_mcache;
	target->mcache_alloc = (__u16)l->mcache_alloc;
	target->span_start = (__u16)l->mspan_startAddr;
	target->freeindex_word = (__u8)(free_at / 8);
	target->sweepgen_half = (__u8)(sweep_at / 4);
	/* Versions with headers have largeType, as in user/heap/spans/spans.c. */
	target->headers = l->mspan_largeType != GO_LAYOUT_ABSENT;
	return describe_counts(l, target);
}

bool gl_alloc_target__describe(const struct go_layout *layout, pid_t pid,
			       const struct alloc_recording *recording,
			       struct gl_alloc_target *ret_target)
{
	bool labels = layout->g_labels < GL_ALLOC_NO_FIELD;
	struct gl_target g;

	if (!gl_target__describe(layout, pid, &g))
		return false;
	*ret_target = (struct gl_alloc_target){
		.g_goid = g.g_goid,
		.g_m = g.g_m,
		.g_labels = labels ? (__u16)layout->g_labels : GL_ALLOC_NO_FIELD,
		.m_curg = g.m_curg,
		.gopc_word = g.gopc_word,
		.startpc_word = g.startpc_word,
		.tgid = g.tgid,
		.draws = recording->draws,
	};
	ret_target->follows = recording->follows && describe_places(layout, ret_target);
	return true;
}
