// SPDX-License-Identifier: Apache-2.0
#include "host/stop_delay.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define TRIES	 4u
#define MAX_BUSY 4u
/* For longer than a thread has a processor to itself when others want it (kernel/sched/fair.c base_slice). */
#define BUSY_NS (5 * NSEC_PER_MSEC)

/* What the threads share. */
struct trial {
	unsigned int tries;   /* so far, atomic */
	unsigned int noticed; /* by how many threads, of this one, atomic */
	bool ended;	      /* atomic */
	uint64_t last_ns;     /* when the last one did, atomic */
};

static void notice(struct trial *trial)
{
	uint64_t now_ns = clock__monotonic_ns();
	uint64_t last_ns = __atomic_load_n(&trial->last_ns, __ATOMIC_RELAXED);

	while (last_ns < now_ns &&
	       !__atomic_compare_exchange_n(&trial->last_ns, &last_ns, now_ns, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	__atomic_fetch_add(&trial->noticed, 1, __ATOMIC_RELEASE);
}

static void *be_busy(void *ctx)
{
	struct trial *trial = ctx;
	unsigned int seen = 0, tries;

	while (!__atomic_load_n(&trial->ended, __ATOMIC_RELAXED)) {
		tries = __atomic_load_n(&trial->tries, __ATOMIC_ACQUIRE);
		if (tries == seen)
			continue;
		seen = tries;
		notice(trial);
	}
	return NULL;
}

static uint64_t try_once(struct trial *trial, size_t n)
{
	const struct timespec pause = {.tv_nsec = BUSY_NS};
	uint64_t begin_ns;

	nanosleep(&pause, NULL);
	begin_ns = clock__monotonic_ns();
	__atomic_store_n(&trial->last_ns, begin_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&trial->noticed, 0, __ATOMIC_RELAXED);
	__atomic_fetch_add(&trial->tries, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&trial->noticed, __ATOMIC_ACQUIRE) < n)
		nanosleep(&pause, NULL);
	return __atomic_load_n(&trial->last_ns, __ATOMIC_RELAXED) - begin_ns;
}

uint64_t stop_delay__measure(void)
{
	size_t wanted = (size_t)max_of(sysconf(_SC_NPROCESSORS_ONLN), 1L), n = 0;
	struct trial trial = {.tries = 0};
	pthread_t threads[MAX_BUSY];
	uint64_t sum_ns = 0;

	wanted = min_of(wanted, (size_t)MAX_BUSY);
	while (n < wanted && !pthread_create(&threads[n], NULL, be_busy, &trial))
		n++;
	for (unsigned int i = 0; i < TRIES && n; i++)
		sum_ns += try_once(&trial, n);
	__atomic_store_n(&trial.ended, true, __ATOMIC_RELAXED);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return sum_ns / TRIES;
}
