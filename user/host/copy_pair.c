// SPDX-License-Identifier: Apache-2.0
#include "host/copy_pair.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "host/access.h"
#include "host/priority.h"

/* What one of them takes at a time: some 50 us, so that neither waits for long for the other one's last. */
#define PIECE_BYTES (256u << 10)
#define MAX_PARTS   (ACCESS_COPY_MAX / PIECE_BYTES + ACCESS_COPY_RANGES)

/* Parts of ranges that one call reads; @done: as process_vm_readv(2), or -errno. */
struct piece {
	size_t first, n, bytes;
	ssize_t done;
};

static struct {
	bool started;
	bool may_be_first; /* the helping thread: there is a processor left for everybody else */
	pthread_t thread;
	_Atomic pid_t tid; /* of the helping one, 0: it has not run yet */
	sem_t go, idle;	   /* for the helping thread; what it has taken is done */
	pid_t task;
	struct iovec local[MAX_PARTS], foreign[MAX_PARTS];
	struct piece pieces[MAX_PARTS];
	size_t n_parts, n_pieces;
	atomic_size_t next; /* piece */
} pair;

static void work(void)
{
	size_t i;

	while ((i = atomic_fetch_add(&pair.next, 1)) < pair.n_pieces) {
		struct piece *piece = &pair.pieces[i];

		piece->done = process_vm_readv(pair.task, &pair.local[piece->first], piece->n,
					       &pair.foreign[piece->first], piece->n, 0);
		if (piece->done < 0)
			piece->done = -errno;
	}
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) && errno == EINTR)
		;
}

static void *help(void *ctx __maybe_unused)
{
	atomic_store(&pair.tid, gettid());
	for (;;) {
		wait_for(&pair.go);
		work();
		sem_post(&pair.idle);
	}
	return NULL;
}

void copy_pair__start(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_attr_t attributes;

	if (pair.started || processors < 2 || sem_init(&pair.go, 0, 0) ||
	    sem_init(&pair.idle, 0, 0) || pthread_attr_init(&attributes))
		return;
	pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN + (64u << 10));
	pair.may_be_first = processors > 2;
	pair.started = !pthread_create(&pair.thread, &attributes, help, NULL);
	pthread_attr_destroy(&attributes);
}

static void add_part(char *local, char *foreign, size_t size)
{
	struct piece *last = pair.n_pieces ? &pair.pieces[pair.n_pieces - 1] : NULL;

	if (!last || last->bytes + size > PIECE_BYTES) {
		last = &pair.pieces[pair.n_pieces++];
		*last = (struct piece){.first = pair.n_parts};
	}
	pair.local[pair.n_parts] = (struct iovec){local, size};
	pair.foreign[pair.n_parts++] = (struct iovec){foreign, size};
	last->n++;
	last->bytes += size;
}

static void cut(const struct iovec *local, const struct iovec *foreign, size_t n)
{
	pair.n_parts = pair.n_pieces = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t at = 0, size; at < foreign[i].iov_len; at += size) {
			size = min_of(foreign[i].iov_len - at, (size_t)PIECE_BYTES);
			add_part((char *)local[i].iov_base + at, (char *)foreign[i].iov_base + at,
				 size);
		}
	}
}

/* What came before the first byte that could not be read. */
static ssize_t sum(void)
{
	ssize_t bytes = 0;

	for (size_t i = 0; i < pair.n_pieces; i++) {
		const struct piece *piece = &pair.pieces[i];

		if (piece->done < 0)
			return bytes && piece->done == -EFAULT ? bytes : piece->done;
		bytes += piece->done;
		if ((size_t)piece->done < piece->bytes)
			break;
	}
	return bytes;
}

static bool is_for_one(const struct iovec *foreign, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += foreign[i].iov_len;
	return bytes <= PIECE_BYTES || bytes > ACCESS_COPY_MAX || n > ACCESS_COPY_RANGES;
}

ssize_t copy_pair__read(pid_t task, const struct iovec *local, const struct iovec *foreign,
			size_t n)
{
	struct priority lent = {.first = false};
	ssize_t done;

	if (!pair.started || is_for_one(foreign, n)) {
		done = process_vm_readv(task, local, n, foreign, n, 0);
		return done < 0 ? -errno : done;
	}
	/* Where somebody stands still for as long as this takes. */
	if (pair.may_be_first && sched_getscheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK) &&
	    atomic_load(&pair.tid))
		priority__first(&lent, atomic_load(&pair.tid));
	pair.task = task;
	cut(local, foreign, n);
	atomic_store(&pair.next, 0);
	sem_post(&pair.go);
	work();
	/* Either it has not had a processor yet, and need not any more, or it is at its last piece. */
	if (sem_trywait(&pair.go))
		wait_for(&pair.idle);
	priority__as_before(&lent);
	return sum();
}
