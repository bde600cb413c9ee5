// SPDX-License-Identifier: Apache-2.0
/* Memory of processes, and what is shared for copies of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/client_private.h"

struct access_memory {
	uint32_t handle;
};

int broker_client__open_memory(pid_t pid, struct access_memory **ret_memory)
{
	struct access_memory *memory = calloc(1, sizeof(*memory));
	struct broker_request request;
	int64_t handle;

	if (!memory)
		return -ENOMEM;
	broker_client__begin(&request, BROKER_MEMORY_OPEN);
	request.pid = pid;
	handle = broker_client__ask_for(&request, NULL, 0, false, NULL);
	if (handle < 0) {
		free(memory);
		return (int)handle;
	}
	memory->handle = (uint32_t)handle;
	*ret_memory = memory;
	return 0;
}

void broker_client__close_memory(struct access_memory *memory)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_MEMORY_CLOSE);
	request.handle = memory->handle;
	(void)!broker_client__ask_for(&request, NULL, 0, false, NULL);
	free(memory);
}

int broker_client__memory_in_use(const struct access_memory *memory)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_MEMORY_IN_USE);
	request.handle = memory->handle;
	return (int)broker_client__ask_for(&request, NULL, 0, false, NULL);
}

/* The lock is held. */
static int64_t ask_for_ranges(const struct access_memory *memory, const struct iovec *foreign,
			      size_t n_foreign, struct broker_got *got)
{
	struct broker_request request;

	if (n_foreign > ACCESS_RANGES_MAX)
		return -EINVAL;
	broker_client__begin(&request, BROKER_MEMORY_READ);
	request.handle = memory->handle;
	request.size = n_foreign;
	memcpy(broker_client.shared->ranges, foreign, n_foreign * sizeof(*foreign));
	return broker_client__ask(&request, -1, got);
}

ssize_t broker_client__read_memory(struct access_memory *memory, const struct iovec *local,
				   size_t n_local, const struct iovec *foreign, size_t n_foreign)
{
	struct broker_got got;
	int64_t n;

	pthread_mutex_lock(&broker_client.lock);
	n = ask_for_ranges(memory, foreign, n_foreign, &got);
	if (n > 0)
		access__scatter(broker_client.shared->window + got.at, (size_t)n, local, n_local);
	pthread_mutex_unlock(&broker_client.lock);
	return n;
}

ssize_t broker_client__read_in_place(struct access_memory *memory, const struct iovec *foreign,
				     size_t n_foreign, const uint8_t **ret_data)
{
	struct broker_got got = {.at = 0};
	int64_t n;

	pthread_mutex_lock(&broker_client.lock);
	n = ask_for_ranges(memory, foreign, n_foreign, &got);
	*ret_data = broker_client.shared->window + got.at;
	pthread_mutex_unlock(&broker_client.lock);
	return n;
}

uint64_t broker_client__asked(void)
{
	return __atomic_load_n(&broker_client.asked, __ATOMIC_RELAXED);
}

/* What of it is mapped, once at a time. */
static struct {
	uint8_t *data;
	size_t size;
} shared_copies;

int broker_client__share(size_t size, void **ret_data)
{
	struct broker_request request;
	void *data;
	int fd;

	broker_client__begin(&request, BROKER_SHARE);
	request.size = size;
	fd = broker_client__ask_for_fd(&request);
	if (fd < 0)
		return fd;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return -ENOMEM;
	shared_copies.data = data;
	shared_copies.size = size;
	*ret_data = data;
	return 0;
}

void broker_client__unshare(void *data, size_t size)
{
	struct broker_request request;

	munmap(data, size);
	shared_copies.data = NULL;
	shared_copies.size = 0;
	broker_client__begin(&request, BROKER_SHARE);
	(void)!broker_client__ask_for(&request, NULL, 0, false, NULL);
}

ssize_t broker_client__copy_memory(struct access_memory *memory, const struct iovec *local,
				   const struct iovec *foreign, size_t n)
{
	struct broker_request request;
	struct broker_got got;
	int64_t done;

	if (n > ACCESS_COPY_RANGES)
		return -EINVAL;
	broker_client__begin(&request, BROKER_MEMORY_COPY);
	request.handle = memory->handle;
	request.size = n;
	pthread_mutex_lock(&broker_client.lock);
	memcpy(broker_client.shared->ranges, foreign, n * sizeof(*foreign));
	for (size_t i = 0; i < n; i++)
		broker_client.shared->offsets[i] =
			(uintptr_t)local[i].iov_base - (uintptr_t)shared_copies.data;
	done = broker_client__ask(&request, -1, &got);
	pthread_mutex_unlock(&broker_client.lock);
	return done;
}
