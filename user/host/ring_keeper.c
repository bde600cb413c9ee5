// SPDX-License-Identifier: Apache-2.0
#include "host/ring_keeper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"

/* What is read of the ring at a time, so that it is still in the cache when it is looked at. */
#define PIECE_BYTES ((size_t)64 << 10)
/* What of the memory stays when there is nothing in it. */
#define STAYS_BYTES ((size_t)256 << 10)
#define STACK_BYTES ((size_t)64 << 10)

/* The reader is woken as well, and has that long for itself: whatever fills half a ring takes much longer. */
#define MOMENT_NS NSEC_PER_MSEC

struct ring_keeper {
	struct bpf_ring *ring;
	size_t ring_bytes;
	int epoll_fd, end_fd;
	bool has_thread;
	pthread_t thread;

	/* Who has it may read the ring, and append to records. */
	pthread_mutex_t lock;
	uint8_t *records; /* as in the ring, with their headers */
	size_t size;
	size_t begin; /* of those not handed on yet; the reader's alone */
	size_t end;
	uint64_t kept;
};

/* --- the thread ----------------------------------------------------------------------------------- */

static void keep(struct ring_keeper *keeper)
{
	const struct timespec moment = {.tv_nsec = MOMENT_NS};
	size_t n = 0;

	(void)nanosleep(&moment, NULL);
	pthread_mutex_lock(&keeper->lock);
	if (bpf_ring__waiting(keeper->ring) >= keeper->ring_bytes / 2)
		n = bpf_ring__move(keeper->ring, keeper->records + keeper->end,
				   keeper->size - keeper->end);
	keeper->end += n;
	keeper->kept += n;
	pthread_mutex_unlock(&keeper->lock);
}

static void *run(void *arg)
{
	struct ring_keeper *keeper = arg;
	struct epoll_event event;
	int n;

	do {
		n = epoll_wait(keeper->epoll_fd, &event, 1, -1);
		if (n == 1 && event.data.fd != keeper->end_fd)
			keep(keeper);
	} while (n == 1 ? event.data.fd != keeper->end_fd : errno == EINTR);
	return NULL;
}

static int watch(struct ring_keeper *keeper, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(keeper->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void start_thread(struct ring_keeper *keeper, int fd)
{
	keeper->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	/* Which goes off when the thread is to end. */
	keeper->end_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	/* Each time that it is woken, and not for as long as there is something in the ring. */
	keeper->has_thread = keeper->epoll_fd >= 0 && keeper->end_fd >= 0 &&
			     !watch(keeper, fd, EPOLLIN | EPOLLET) &&
			     !watch(keeper, keeper->end_fd, EPOLLIN) &&
			     !thread__start(&keeper->thread, STACK_BYTES, run, keeper);
}

static void end_thread(struct ring_keeper *keeper)
{
	const struct itimerspec now = {.it_value = {.tv_nsec = 1}};

	if (keeper->has_thread && !timerfd_settime(keeper->end_fd, 0, &now, NULL))
		pthread_join(keeper->thread, NULL);
	if (keeper->epoll_fd >= 0)
		close(keeper->epoll_fd);
	if (keeper->end_fd >= 0)
		close(keeper->end_fd);
}

/* --- its reader ----------------------------------------------------------------------------------- */

int ring_keeper__new(int fd, size_t bytes, struct ring_keeper **ret_keeper)
{
	struct ring_keeper *keeper = calloc(1, sizeof(*keeper));
	int err;

	if (!keeper)
		return -ENOMEM;
	keeper->epoll_fd = keeper->end_fd = -1;
	pthread_mutex_init(&keeper->lock, NULL);
	keeper->ring_bytes = bytes;
	err = bpf_ring__new(fd, bytes, &keeper->ring);
	if (!err) {
		keeper->size = max_of(bytes * RING_KEEPER_RINGS, PIECE_BYTES);
		keeper->records = mmap(NULL, keeper->size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (keeper->records == MAP_FAILED) {
			keeper->records = NULL;
			err = -ENOMEM;
		}
	}
	if (err) {
		ring_keeper__free(keeper);
		return err;
	}
	start_thread(keeper, fd);
	*ret_keeper = keeper;
	return 0;
}

void ring_keeper__free(struct ring_keeper *keeper)
{
	if (!keeper)
		return;
	end_thread(keeper);
	bpf_ring__free(keeper->ring);
	if (keeper->records)
		munmap(keeper->records, keeper->size);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

static void begin_anew(struct ring_keeper *keeper)
{
	if (keeper->end > STAYS_BYTES)
		(void)madvise(keeper->records + STAYS_BYTES, keeper->size - STAYS_BYTES,
			      MADV_DONTNEED);
	keeper->begin = keeper->end = 0;
}

/* Up to where records are; what is kept comes before what is in the ring. */
static size_t refill(struct ring_keeper *keeper)
{
	size_t end;

	pthread_mutex_lock(&keeper->lock);
	if (keeper->begin == keeper->end) {
		begin_anew(keeper);
		keeper->end = bpf_ring__move(keeper->ring, keeper->records,
					     min_of(PIECE_BYTES, keeper->size));
	}
	end = keeper->end;
	pthread_mutex_unlock(&keeper->lock);
	return end;
}

void ring_keeper__consume(struct ring_keeper *keeper, bpf_ring_fn fn, void *ctx)
{
	size_t end;

	while ((end = refill(keeper)) > keeper->begin) {
		size_t n = 0;
		bool more = bpf_ring__each(keeper->records + keeper->begin, end - keeper->begin, fn,
					   ctx, &n);

		keeper->begin += n;
		if (!more)
			return;
	}
}

uint64_t ring_keeper__kept(struct ring_keeper *keeper)
{
	uint64_t kept;

	pthread_mutex_lock(&keeper->lock);
	kept = keeper->kept;
	pthread_mutex_unlock(&keeper->lock);
	return kept;
}
