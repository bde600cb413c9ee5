/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_CLIENT_PRIVATE_H
#define GLEAKD_BROKER_CLIENT_PRIVATE_H

/* What the two interfaces that client.h replaces share. */
#include <pthread.h>

#include "broker/protocol.h"

struct broker_client {
	pthread_mutex_t lock;
	int channel;
	struct broker_shared *shared;
	uint64_t asked; /* requests so far */
};

extern struct broker_client broker_client;

/* What comes back with an answer. */
struct broker_got {
	int fds[BROKER_MAX_FDS];
	size_t n_fds;
	uint64_t at; /* where in the window it begins */
	struct failure failure;
};

void broker_client__begin(struct broker_request *request, enum broker_op op);

/* broker_client__ask - the lock is held. @fd goes with the request; -1: none. */
int64_t broker_client__ask(struct broker_request *request, int fd, struct broker_got *got);

/*
 * broker_client__ask_for - asks, and copies the window's first bytes, as many as the result says where
 * @out_size is not exact, to @out. Descriptors go to @got, which may be NULL where none come.
 */
int64_t broker_client__ask_for(struct broker_request *request, void *out, size_t out_size,
			       bool exact, struct broker_got *got);

/* broker_client__fd_of - the descriptor that came, or -errno. */
int broker_client__fd_of(int64_t result, const struct broker_got *got);

/* broker_client__ask_for_fd - asks, and returns the descriptor that came, or -errno. */
int broker_client__ask_for_fd(struct broker_request *request);

/* What host/access.h has of memory. */
int broker_client__open_memory(pid_t pid, struct access_memory **ret_memory);
void broker_client__close_memory(struct access_memory *memory);
int broker_client__memory_in_use(const struct access_memory *memory);
ssize_t broker_client__read_memory(struct access_memory *memory, const struct iovec *local,
				   size_t n_local, const struct iovec *foreign, size_t n_foreign);
ssize_t broker_client__read_in_place(struct access_memory *memory, const struct iovec *foreign,
				     size_t n_foreign, const uint8_t **ret_data);
uint64_t broker_client__asked(void);
int broker_client__share(size_t size, void **ret_data);
void broker_client__unshare(void *data, size_t size);
ssize_t broker_client__copy_memory(struct access_memory *memory, const struct iovec *local,
				   const struct iovec *foreign, size_t n);

/* With the privileges of the broker: probe/programs.h. */
extern const struct programs_ops broker_programs;

#endif /* GLEAKD_BROKER_CLIENT_PRIVATE_H */
