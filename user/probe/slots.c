// SPDX-License-Identifier: Apache-2.0
#include "probe/slots.h"

#include <errno.h>

int slots__take(struct slots *slots, size_t *ret_slot)
{
	for (size_t i = 0; i < GL_MAX_BINARIES; i++) {
		size_t slot = (slots->next + i) % GL_MAX_BINARIES;

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

bool gl_binary__describe(const struct go_layout *layout, pid_t pid, struct gl_binary *ret_binary)
{
	uint32_t to_reason = layout->g_waitreason - layout->g_goid;
	struct gl_binary binary = {
		.g_goid = (__u16)layout->g_goid,
		.g_m = (__u16)layout->g_m,
		.m_curg = (__u16)layout->m_curg,
		.waitreason_byte = (__u8)to_reason,
		.parent_word = GL_NO_WORD,
		.tgid = (__u32)pid,
	};

	if (layout->g_goid > UINT16_MAX || layout->g_m > UINT16_MAX || layout->m_curg > UINT16_MAX)
		return false;
	if (to_reason >= GL_PARK_WINDOW_WORDS * 8 ||
	    !word_in_window(layout->g_gopc, layout->g_goid, &binary.gopc_word) ||
	    !word_in_window(layout->g_startpc, layout->g_goid, &binary.startpc_word))
		return false;
	if (layout->g_parentGoid != GO_LAYOUT_ABSENT &&
	    !word_in_window(layout->g_parentGoid, layout->g_goid, &binary.parent_word))
		return false;
	*ret_binary = binary;
	return true;
}
