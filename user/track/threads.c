// SPDX-License-Identifier: Apache-2.0
#include "track/threads.h"

#define PERIOD_NS (THREADS_WINDOW_NS / THREADS_PERIODS)

void threads__note(struct threads *threads, uint64_t n, uint64_t now_ns)
{
	uint64_t number = now_ns / PERIOD_NS;
	struct threads_period *period = &threads->periods[number % THREADS_PERIODS];

	if (period->number != number)
		*period = (struct threads_period){.number = number, .least = n};
	if (n > period->least)
		return;
	period->least = n;
	period->seen_ns = now_ns;
}

struct threads_rise threads__rise(const struct threads *threads, uint64_t n, uint64_t processors,
				  uint64_t now_ns)
{
	uint64_t number = now_ns / PERIOD_NS, few;
	const struct threads_period *fewest = NULL;

	for (size_t i = 0; i < THREADS_PERIODS; i++) {
		const struct threads_period *period = &threads->periods[i];

		if (!period->seen_ns || period->number > number ||
		    number - period->number >= THREADS_PERIODS)
			continue;
		if (!fewest || period->least < fewest->least ||
		    (period->least == fewest->least && period->seen_ns > fewest->seen_ns))
			fewest = period;
	}
	if (!fewest || fewest->seen_ns >= now_ns)
		return (struct threads_rise){0};
	few = max_of(fewest->least, processors);
	if (n < few + THREADS_MIN_RISE || n / 2 < few)
		return (struct threads_rise){0};
	return (struct threads_rise){fewest->least, n, now_ns - fewest->seen_ns};
}
