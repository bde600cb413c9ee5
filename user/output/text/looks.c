// SPDX-License-Identifier: Apache-2.0
#include "output/text/looks.h"

#include "output/text/heap.h"
#include "output/text/resources.h"
#include "output/text/target.h"
#include "output/text/ways.h"

static void put_heap(struct screen *screen, const struct report_target *target,
		     const struct looks_options *options, size_t last_row)
{
	const struct heap_text_options heap = {
		.stacks = options->verbose,
		.all = options->all,
		.by = options->by,
		.last_row = last_row,
	};

	text_part__heap(screen, target, &heap);
}

void text_part__looks(struct screen *screen, const struct report *report,
		      const struct looks_options *options)
{
	for (size_t i = 0; i < report->n_targets; i++) {
		const struct report_target *target = &report->targets[i];
		/* What was put before it scrolls away. */
		size_t last_row = options->rows == SIZE_MAX || report->n_targets > 1 ?
					  SIZE_MAX :
					  options->rows + screen->lines;

		if (i)
			screen__end_line(screen);
		text_part__identity(screen, target);
		if (target->holders)
			text_part__ways(screen, target, options->all);
		else if (target->resources)
			text_part__resources(screen, target->resources, options->all);
		else
			put_heap(screen, target, options, last_row);
	}
}
