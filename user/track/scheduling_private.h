/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SCHEDULING_PRIVATE_H
#define GLEAKD_TRACK_SCHEDULING_PRIVATE_H

/* What the parts of scheduling share: scheduling.c (what a census sees), scheduling_told.c (what is told of it). */
#include "track/scheduling.h"

/* Since when a goroutine is known to wait for a processor. */
struct runnable {
	uint64_t goid;
	uint64_t since_ns; /* measured, or of the census that saw it first */
	uint64_t read_at_ns;
	bool measured, never_ran;
	bool by_kernel;
};

struct call {
	struct scheduling_call seen;
	bool before; /* the census before has seen it in one, too, on the same thread */
	bool noted;
	uint64_t since_ns; /* that the kernel has shown the same of it */
};

struct running {
	uint64_t goid;
	uint64_t first_ns; /* of the looks in a row that found it running */
	uint64_t unyielding_ns;
	struct scheduling_thread thread;
	uint64_t looked_ns; /* at that thread */
	uint32_t looks;	    /* in a row that found it running, or waiting for a processor */
	uint32_t times;	    /* of these, running */
};

/* What one census has seen. In most processes that is nothing, and there are many of them. */
struct sighting {
	struct runnable *runnable;
	struct call *calls;
	struct running *running;
	uint64_t *locked; /* goids */
	size_t n_runnable, n_calls, n_running, n_locked;
	size_t runnable_capacity, calls_capacity, running_capacity, locked_capacity;
	uint64_t calls_refused;
	uint64_t left_out;
};

/* What was counted by the end of a census, that a later one is compared with. */
struct base {
	uint64_t ended_ns; /* 0: there was none */
	bool latencies_known;
	uint64_t over_10ms;
	struct scheduling_cpu totals;
};

struct scheduling {
	struct sighting sightings[2];
	struct sighting *now, *before;
	struct scheduling_view view;
	struct threads threads;
	struct base older, last;      /* SCHEDULING_WINDOW_NS apart at least */
	struct base compared;	      /* the one of them that the view is compared with */
	uint64_t ended_ns;	      /* the census before */
	struct scheduling_cpu totals; /* at that one, if it was asked then */
	bool ever_late;
};

/* sighting__add_running - what has no room is counted in left_out. */
void sighting__add_running(struct sighting *now, const struct running *one);

/* by_goid__* - lists of @n entries of @size bytes, each of which begins with a goid. */
void by_goid__sort(void *list, size_t n, size_t size);
/* by_goid__has - @list is sorted. */
bool by_goid__has(const void *list, size_t n, size_t size, uint64_t goid);

#endif /* GLEAKD_TRACK_SCHEDULING_PRIVATE_H */
