/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_ALLOC_SITES_H
#define GLEAKD_OUTPUT_TEXT_ALLOC_SITES_H

/* Where a process allocates its memory: all of it for `gleakd heap`, what grows for a watch. */
#include "output/report.h"
#include "output/text/news.h"
#include "output/text/screen.h"

struct alloc_sites_options {
	bool stacks; /* whole, below each */
	bool all;    /* not only the first few */
	size_t few;  /* that many; 0: ten */
};

/* text_part__alloc_sites - a table of @allocations, or why there is none; nothing for NULL. */
void text_part__alloc_sites(struct screen *screen, const struct report_allocations *allocations,
			    const struct alloc_sites_options *options);

/*
 * text_part__growing_memory - the first @max places that grow, how many more there are, those that
 * rise and when they will be growing, and a blank line; nothing where none does.
 */
void text_part__growing_memory(struct screen *screen, const struct report_target *target,
			       size_t max, bool stacks);

/* text_part__memory_news - those of them that @news has not printed, @max at most, each with a blank line before it. */
void text_part__memory_news(struct screen *screen, const struct text_news *news,
			    const struct report_target *target, size_t max, bool stacks);

/*
 * text_part__alloc_groups - who allocates, and how that is known, or why it is not; nothing for NULL.
 */
void text_part__alloc_groups(struct screen *screen, const struct report_alloc_groups *groups,
			     const struct alloc_sites_options *options);
/* text_part__alloc_group - one of them; _name: what it is, which does not end the line. */
void text_part__alloc_group(struct screen *screen, const struct report_alloc_groups *groups,
			    const struct report_alloc_group *group);
void text_part__alloc_group_name(struct screen *screen, enum report_alloc_by by,
				 const struct report_alloc_group *group);

#endif /* GLEAKD_OUTPUT_TEXT_ALLOC_SITES_H */
