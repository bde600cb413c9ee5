// SPDX-License-Identifier: Apache-2.0
#include "probe/slots.h"

#include <errno.h>

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

bool gl_target__describe(const struct go_layout *layout, pid_t pid, struct gl_target *ret_target)
{
	struct gl_target target = {.g_goid = (__u16)layout->g_goid, .tgid = (__u32)pid};

	if (layout->g_goid > UINT16_MAX ||
	    !word_in_window(layout->g_gopc, layout->g_goid, &target.gopc_word) ||
	    !word_in_window(layout->g_startpc, layout->g_goid, &target.startpc_word))
		return false;
	*ret_target = target;
	return true;
}

bool gl_alloc_target__describe(const struct go_layout *layout, pid_t pid,
			       struct gl_alloc_target *ret_target)
{
	bool labels = layout->g_labels < GL_ALLOC_NO_FIELD;
	struct gl_target g;

	if (!gl_target__describe(layout, pid, &g) || layout->g_m > UINT16_MAX ||
	    layout->m_curg > UINT16_MAX)
		return false;
	*ret_target = (struct gl_alloc_target){
		.g_goid = g.g_goid,
		.g_m = (__u16)layout->g_m,
		.g_labels = labels ? (__u16)layout->g_labels : GL_ALLOC_NO_FIELD,
		.m_curg = (__u16)layout->m_curg,
		.gopc_word = g.gopc_word,
		.startpc_word = g.startpc_word,
		.tgid = g.tgid,
	};
	return true;
}
