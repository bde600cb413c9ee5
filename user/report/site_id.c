// SPDX-License-Identifier: Apache-2.0
#include "report/site_id.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "naming/site_frames.h"

const char *site_id__wait_words(const struct target *target, const struct site_view *view)
{
	/* Of goroutines that do not park only those in a system call have a stack to be read. */
	if (!view->wait_reason && view->stack_id && !view->parked)
		return "syscall";
	return go_layout__wait_reason(go_binary__layout(target__binary(target)), view->wait_reason);
}

const struct site_view *site_id__view(const struct target *target, uint32_t index)
{
	size_t n;
	const struct site_view *views = tracker__sites(target__tracker(target), &n);

	for (size_t i = 0; i < n; i++) {
		if (views[i].index == index)
			return &views[i];
	}
	return NULL;
}

void site_id__of(const struct target *target, const struct site_view *view, char id[9])
{
	struct site_frames *frames __cleanup_free = malloc(sizeof(*frames));

	id[0] = '\0';
	if (!frames || view->other)
		return;
	site_frames__resolve(target__symbolizer(target), target__stacks(target), view->creation_pc,
			     view->start_pc, view->stack_id, frames);
	site_frames__set_call(frames, target__symbolizer(target), view->call_pc, view->apart);
	site_frames__id(frames, site_id__wait_words(target, view), id);
}
