/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_SOCKETS_H
#define GLEAKD_HOST_SOCKETS_H

/*
 * Who opened the connections of a process: others, whose calls it accepted, or the process itself.
 * From /proc/PID/fd and the tables of its network namespace in /proc/PID/net. A TCP connection was
 * accepted when somebody listens on its own port, and dialled otherwise; a connection of a process
 * with itself counts as dialled at both ends. Of a socket of an unknown kind nobody can say that the
 * process opened it, so it counts as accepted.
 */
#include <sys/types.h>

#include "base/common.h"

#define SOCKETS_PEER_SIZE sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535")

struct process_sockets {
	uint64_t accepted, dialled;
	uint64_t hung_up;     /* of the accepted ones, over TCP: the peer has closed its end */
	uint64_t with_itself; /* of the dialled ones, both ends of those that it has both ends of */
	uint64_t to_peer;     /* of the dialled ones, to the address that most go to ... */
	char peer[SOCKETS_PEER_SIZE]; /* ... "10.0.0.5:22"; "" without TCP connections */
};

/*
 * process__sockets - of @pid, now. -EACCES, -ESRCH, -ENOMEM; -E2BIG: it has more files, or its
 * network namespace more sockets, than are looked at.
 */
int process__sockets(const char *proc_root, pid_t pid,
		     struct process_sockets *ret_sockets) __must_check;

/* Who is at the other end of a TCP connection: a client, another process that has called; or the process itself. */
struct socket_peer {
	int fd;
	bool itself;
};

/*
 * process__peers - of the descriptors @fds, all connections that @pid has, those of TCP connections
 * which neither end has closed, and which it has accepted or has both ends of; rising by
 * descriptor, in @ret_peers, which has room for @n. Returns how many; errors: as
 * process__sockets().
 */
ssize_t process__peers(const char *proc_root, pid_t pid, const int *fds, size_t n,
		       struct socket_peer *ret_peers) __must_check;

/* socket_peer__find - that of @fd; NULL: it has none. */
const struct socket_peer *socket_peer__find(const struct socket_peer *peers, size_t n, int fd);

#endif /* GLEAKD_HOST_SOCKETS_H */
