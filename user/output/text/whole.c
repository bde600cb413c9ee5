// SPDX-License-Identifier: Apache-2.0
#include "output/text/whole.h"

#include "output/text/alloc_sites.h"
#include "output/text/flagged.h"
#include "output/text/goroutines.h"
#include "output/text/others.h"
#include "output/text/resources.h"
#include "output/text/scheduling.h"
#include "output/text/site.h"
#include "output/text/target.h"

void text_whole__head(struct screen *screen, const struct report_target *target, bool all)
{
	text_part__target(screen, target);
	screen__end_line(screen);
	if (target->n_sites == 0) {
		screen__put(screen, STYLE_PLAIN, "no goroutines seen yet");
		screen__end_line(screen);
	}
	text_part__scheduling(screen, target, all);
	text_part__triggers(screen, target);
}

void text_whole__allocating(struct screen *screen, const struct report_target *target, size_t n)
{
	const struct alloc_sites_options options = {.few = n};

	text_part__alloc_groups(screen, target->alloc_groups, &options);
	if (target->alloc_groups)
		screen__end_line(screen);
}

static void put_target(struct screen *screen, const struct text_options *options,
		       const struct report_target *target)
{
	text_whole__head(screen, target, options->all);
	if (target->goroutines_listed) {
		text_part__goroutines(screen, target, options->verbose);
		return;
	}
	text_part__flagged(screen, target, options->all ? SIZE_MAX : TEXT_MANY_FLAGGED,
			   options->verbose ? SITE_STACK : SITE_EVIDENCE);
	text_part__growing_memory(screen, target, options->all ? SIZE_MAX : TEXT_FEW_GROWING,
				  options->verbose);
	text_whole__allocating(screen, target, options->all ? SIZE_MAX : TEXT_FEW_OTHERS);
	text_part__growing_resources(screen, target->resources,
				     options->all ? SIZE_MAX : TEXT_FEW_GROWING);
	text_part__suppressed(screen, target, SIZE_MAX, options->all);
	text_part__others(screen, target, options->all ? SIZE_MAX : TEXT_FEW_OTHERS, options->all,
			  options->all && options->verbose);
}

/* Of many processes those are told of in full that there is something to tell about. */
static bool worth_a_block(const struct text_options *options, const struct report_target *target)
{
	return options->all || target->goroutines_listed || overview__worst(target) ||
	       report__count_suppressed(target) || report__count_growing_memory(target) ||
	       text_part__told_resources(target->resources);
}

void text_whole__report(struct screen *screen, const struct text_options *options,
			const struct overview *overview)
{
	if (overview->n == 1) {
		put_target(screen, options, overview->targets[0]);
		return;
	}
	overview__put(screen, overview, SIZE_MAX);
	for (size_t i = 0; i < overview->n; i++) {
		if (!worth_a_block(options, overview->targets[i]))
			continue;
		screen__end_line(screen);
		put_target(screen, options, overview->targets[i]);
	}
}
