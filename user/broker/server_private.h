/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_SERVER_PRIVATE_H
#define GLEAKD_BROKER_SERVER_PRIVATE_H

/*
 * What the parts of the server share: server.c; server_identity.c, whether a process and a file are those that
 * are meant; and server_probes.c for all that is BPF.
 */
#include "broker/copies.h"
#include "broker/server.h"
#include "host/access.h"
#include "host/priority.h"

struct broker_server {
	struct broker_server_options options;
	struct notify *notify;
	struct broker_shared *shared;
	pid_t own, worker;
	uint64_t requests;
	pid_t last_pid;	  /* that a file was opened of */
	uint64_t refused; /* and not asked about yet */
	char refused_what[256];
	struct programs_outlook outlook;
	struct programs *programs[PROGRAMS_KINDS];
	struct process_stop *stop;
	uint64_t stop_ends_ns; /* then it goes on, whatever the worker does */
	/* the worker's, and this process's, which it waits for */
	struct priority priority, own_priority;
	struct access_memory *memories[BROKER_MAX_MEMORIES];
	pid_t pids[BROKER_MAX_MEMORIES]; /* whose they are; 0: none */
	struct broker_request request;	 /* the one that is being answered */
	struct iovec ranges[ACCESS_RANGES_MAX];
	uint64_t minute_ns, minute_bytes; /* when it began, and what was read since */
	struct broker_copies copies;
};

/* What goes back. */
struct broker_reply {
	struct broker_answer answer;
	int fds[BROKER_MAX_FDS];
	size_t n_fds;
	bool keeps_fds; /* they are the broker's own, and stay open */
};

/* @fd: a descriptor or -errno. */
static inline int64_t broker_reply__give(struct broker_reply *reply, int fd)
{
	if (fd < 0)
		return fd;
	reply->fds[reply->n_fds++] = fd;
	return 0;
}

/* broker_server__tell - unless there is an error: what the window's first bytes are. Returns @err. */
int64_t broker_server__tell(struct broker_server *server, int err, const void *what, size_t size);

/*
 * broker_server__check_code - whether process @pid runs code from the file, that very one, and has all of @places
 * of it mapped as code: what it does not run is not to be probed, or opened, in its name. Errors: -ESRCH it
 * does not.
 */
int broker_server__check_code(pid_t pid, int fd, const struct program_place *places,
			      size_t n) __must_check;

/* broker_server__has_opened - whether @pid still has an address space that was opened for the worker. */
bool broker_server__has_opened(const struct broker_server *server, pid_t pid);

/* broker_server__do_probes - requests from BROKER_FOLLOW on, before BROKER_GIVE_UP. */
int64_t broker_server__do_probes(struct broker_server *server, struct broker_reply *reply,
				 int exe_fd);
void broker_server__unload_all(struct broker_server *server);

#endif /* GLEAKD_BROKER_SERVER_PRIVATE_H */
