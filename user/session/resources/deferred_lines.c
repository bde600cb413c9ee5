// SPDX-License-Identifier: Apache-2.0
#include "session/resources/deferred_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "naming/site_frames.h"

/* A program has no more lines that are of interest: those of loops with many calls deferred. */
#define MAX_LINES 4096u

struct deferred_line {
	uint64_t pc;
	struct report_frame *frames; /* the line, and those that it was inlined into */
	size_t n;
};

void deferred_lines__release(struct deferred_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->all[i].frames);
	free(lines->all);
	*lines = (struct deferred_lines){0};
}

static int add(struct deferred_lines *lines, const struct target *target, uint64_t pc)
{
	struct site_frames *frames = malloc(sizeof(*frames));
	struct report_frame *copy = NULL;
	int err = -ENOMEM;

	if (frames) {
		site_frames__of_calls(target__symbolizer(target), &pc, 1, frames);
		copy = malloc((frames->n_stack + 1) * sizeof(*copy));
	}
	if (copy && array__reserve(lines->all, lines->capacity, lines->n + 1)) {
		memcpy(copy, frames->stack, frames->n_stack * sizeof(*copy));
		lines->all[lines->n++] = (struct deferred_line){pc, copy, frames->n_stack};
		copy = NULL;
		err = 0;
	}
	free(copy);
	free(frames);
	return err;
}

int deferred_lines__at(struct deferred_lines *lines, const struct target *target, uint64_t pc,
		       struct resource_opened_at *ret_opened)
{
	size_t i = 0;
	int err = 0;

	*ret_opened = (struct resource_opened_at){0};
	while (i < lines->n && lines->all[i].pc != pc)
		i++;
	if (i == lines->n) {
		if (lines->n == MAX_LINES)
			return 0;
		err = add(lines, target, pc);
	}
	if (!err && lines->all[i].n)
		*ret_opened = (struct resource_opened_at){
			.at = &lines->all[i].frames[0],
			.stack = lines->all[i].frames,
			.n_stack = lines->all[i].n,
		};
	return err;
}
