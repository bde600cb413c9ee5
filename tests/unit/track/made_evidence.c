// SPDX-License-Identifier: Apache-2.0
#include "made_evidence.h"

#include <string.h>

#define SECOND NSEC_PER_SEC

struct age_histogram ages, connections;
struct length_histogram ended_parks, ended_lives;

struct evidence leak(void)
{
	memset(&ages, 0, sizeof(ages));
	memset(&connections, 0, sizeof(connections));
	memset(&ended_parks, 0, sizeof(ended_parks));
	memset(&ended_lives, 0, sizeof(ended_lives));
	for (uint64_t s = 0; s < 60; s++)
		age_histogram__add(&ages, s * SECOND + SECOND / 2);
	return (struct evidence){
		.wait_class = WAIT_CHAN_SEND,
		.goroutines = 60,
		.parked = 60,
		.parked_min_age = 50,
		.oldest_park_ns = 59 * SECOND,
		.park_ages = &ages,
		.ended_parks = &ended_parks,
		.ended_lives = &ended_lives,
		.connections = &connections,
		.quiet_ns = UINT64_MAX,
		.moved_ns = UINT64_MAX,
		.min_age_ns = 10 * SECOND,
		.watched_ns = 60 * SECOND,
		.trend = {.samples = 30,
			  .span_ns = 60 * SECOND,
			  .first = 1,
			  .last = 60,
			  .per_minute = 60,
			  .rise = 50,
			  .steady = true},
		.alarm_age_ns = UINT64_MAX,
	};
}
