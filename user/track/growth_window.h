/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_GROWTH_WINDOW_H
#define GLEAKD_TRACK_GROWTH_WINDOW_H

#include "track/verdict.h"

/* The test is made of parks, of lives and of times without a park: one question each. */
struct growth_question {
	const struct evidence *e;
	const struct age_histogram *ages;	/* of parks, or lives, that go on */
	const struct age_histogram *woken_ages; /* of those that have woken; NULL: no matter */
	const struct length_histogram *ended;
	uint64_t watched_ns, resolution_ns;
	uint64_t least_stay_ns;
	bool of_lives, of_runs; /* else of parks */
};

/* growth_window__in_step - whether connections or files came as the goroutines in the window of @g did. */
enum in_step growth_window__in_step(const struct growth_question *q, const struct growth *g);

/* growth_window__shortest_ns - that proves anything, whatever else is known of the site. */
uint64_t growth_window__shortest_ns(uint64_t stay_ns, double stayed);

/* growth_window__ask - the window of @g has to be @ns at least because of @obstacle. */
void growth_window__ask(struct growth *g, uint64_t ns, enum growth_obstacle obstacle);

/*
 * growth_window__find_least - over how long a window a rise proves something at this site, and which rule says
 * so: @g's least_ns and obstacle. Its other fields are known.
 */
void growth_window__find_least(const struct growth_question *q, struct growth *g);

#endif /* GLEAKD_TRACK_GROWTH_WINDOW_H */
