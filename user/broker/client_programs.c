// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/client_private.h"

/* --- probes -------------------------------------------------------------------------------------- */

/* The broker has them; here is the ring, and what is looked at all the time. */
struct programs {
	enum programs_kind kind;
	int ring_fd;
	const struct gl_losses *losses; /* by slot, of goroutines; NULL: the broker is asked */
};

#define LOSSES_BYTES (GL_MAX_TARGETS * sizeof(struct gl_losses))

static int client_prepare(struct programs_outlook *ret_outlook, struct failure *failure)
{
	struct broker_request request;
	struct broker_got got;
	int64_t err;

	broker_client__begin(&request, BROKER_PREPARE);
	err = broker_client__ask_for(&request, ret_outlook, sizeof(*ret_outlook), true, &got);
	if (err && failure)
		*failure = got.failure;
	return (int)err;
}

static void begin_for(struct broker_request *request, enum broker_op op,
		      const struct programs *programs)
{
	broker_client__begin(request, op);
	request->handle = programs->kind;
}

static void map_losses(struct programs *programs, int fd)
{
	void *losses = mmap(NULL, LOSSES_BYTES, PROT_READ, MAP_SHARED, fd, 0);

	if (losses != MAP_FAILED)
		programs->losses = losses;
	close(fd);
}

static int client_load(enum programs_kind kind, uint32_t ring_bytes,
		       const struct kernel_features *features __maybe_unused,
		       struct programs **ret_programs, struct failure *failure)
{
	struct programs *programs = calloc(1, sizeof(*programs));
	struct broker_request request;
	struct broker_got got = {.n_fds = 0};
	int64_t err;

	if (!programs)
		return failure__set(failure, -ENOMEM, "out of memory");
	programs->kind = kind;
	begin_for(&request, BROKER_LOAD, programs);
	request.size = ring_bytes;
	err = broker_client__ask_for(&request, NULL, 0, false, &got);
	programs->ring_fd = broker_client__fd_of(err, &got);
	if (got.n_fds > 1)
		map_losses(programs, got.fds[1]);
	if (programs->ring_fd < 0) {
		err = programs->ring_fd;
		free(programs);
		if (failure)
			*failure = got.failure;
		return (int)err;
	}
	*ret_programs = programs;
	return 0;
}

static void client_unload(struct programs *programs)
{
	struct broker_request request;

	begin_for(&request, BROKER_UNLOAD, programs);
	(void)!broker_client__ask_for(&request, NULL, 0, false, NULL);
	if (programs->losses)
		munmap((void *)(uintptr_t)programs->losses, LOSSES_BYTES);
	close(programs->ring_fd);
	free(programs);
}

static int client_ring_fd(const struct programs *programs)
{
	return programs->ring_fd;
}

static int client_hit_cost(struct programs *programs, struct alloc_cost *ret_cost)
{
	struct broker_request request;

	begin_for(&request, BROKER_HIT_COST, programs);
	return (int)broker_client__ask_for(&request, ret_cost, sizeof(*ret_cost), true, NULL);
}

static int client_describe(struct programs *programs, size_t slot,
			   const union program_target *target)
{
	struct broker_request request;

	begin_for(&request, BROKER_DESCRIBE, programs);
	request.slot = slot;
	request.target = *target;
	return (int)broker_client__ask_for(&request, NULL, 0, false, NULL);
}

/* Programs count at the same time. */
static struct gl_losses read_losses(const struct gl_losses *losses)
{
	struct gl_losses copy;

	for (size_t i = 0; i < GL_LOST_REASONS; i++)
		copy.by_reason[i] = __atomic_load_n(&losses->by_reason[i], __ATOMIC_RELAXED);
	for (size_t i = 0; i < PROBE_EVENT_COUNT; i++) {
		copy.by_event[i] = __atomic_load_n(&losses->by_event[i], __ATOMIC_RELAXED);
		copy.untold[i] = __atomic_load_n(&losses->untold[i], __ATOMIC_RELAXED);
	}
	return copy;
}

static int client_counts(const struct programs *programs, size_t slot,
			 union program_counts *ret_counts)
{
	struct broker_request request;

	if (programs->losses) {
		ret_counts->goroutines = read_losses(&programs->losses[slot]);
		return 0;
	}
	begin_for(&request, BROKER_COUNTS, programs);
	request.slot = slot;
	return (int)broker_client__ask_for(&request, ret_counts, sizeof(*ret_counts), true, NULL);
}

static int client_draw(struct programs *programs, size_t slot, uint64_t gap)
{
	struct broker_request request;

	begin_for(&request, BROKER_DRAW, programs);
	request.slot = slot;
	request.size = gap;
	return (int)broker_client__ask_for(&request, NULL, 0, false, NULL);
}

static int client_attach(struct programs *programs, const struct program_site *site,
			 const struct program_place *places, size_t n)
{
	struct broker_request request;
	struct broker_got got = {.n_fds = 0};
	int64_t result;

	if (n > PROGRAM_PLACES_MAX)
		return -E2BIG;
	begin_for(&request, BROKER_ATTACH, programs);
	request.site = *site;
	request.size = n;
	pthread_mutex_lock(&broker_client.lock);
	memcpy(broker_client.shared->places, places, n * sizeof(*places));
	result = broker_client__ask(&request, site->exe_fd, &got);
	pthread_mutex_unlock(&broker_client.lock);
	return broker_client__fd_of(result, &got);
}

const struct programs_ops broker_programs = {
	.prepare = client_prepare,
	.load = client_load,
	.unload = client_unload,
	.ring_fd = client_ring_fd,
	.hit_cost = client_hit_cost,
	.describe = client_describe,
	.counts = client_counts,
	.draw = client_draw,
	.attach = client_attach,
};
