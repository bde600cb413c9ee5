// SPDX-License-Identifier: Apache-2.0
#include "host/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "host/access.h"
#include "host/proc_error.h"

#define MAX_FILES (64u << 10)
#define MAX_ROWS  (256u << 10) /* of all tables together */
#define PORTS	  65536

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED_STATE 1
#define TCP_CLOSE_STATE	      7
#define TCP_CLOSE_WAIT_STATE  8
#define TCP_LISTEN_STATE      10

/* include/uapi/linux/net.h SS_CONNECTED */
#define UNIX_CONNECTED 3

/* An address as IPv6, IPv4 as a mapped one; the words as the kernel prints them. */
struct endpoint {
	uint32_t words[4];
	uint32_t port;
};

struct connection {
	struct endpoint local, remote;
};

struct own_socket {
	uint64_t inode;
	int fd;
	bool established;
	struct connection tcp; /* if so */
};

struct look {
	size_t n_sockets, sockets_room, n_own, own_room, rows;
	struct own_socket *sockets; /* by rising inodes */
	struct connection *own;	    /* its TCP connections */
	uint32_t *hung_up;	    /* local ports of those whose peer has closed its end */
	size_t n_hung_up, hung_up_room;
	uint64_t known; /* sockets that were found in a table */
	uint64_t unix_accepted, opened;
	uint8_t listened[PORTS / 8];
};

/* --- its sockets ---------------------------------------------------------------------------------- */

static int compare_inodes(const void *a, const void *b)
{
	const struct own_socket *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

/* "socket:[12345]", as proc(5) has it; 0 for other files. */
static uint64_t socket_inode(const char *folder, int fd)
{
	char path[PATH_MAX], target[64];
	uint64_t inode = 0;
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%d", folder, fd) >= (int)sizeof(path))
		return 0;
	n = access__link(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	return sscanf(target, "socket:[%" SCNu64, &inode) == 1 ? inode : 0;
}

static int collect_sockets(const char *folder, const pid_t *fds, size_t n, struct look *look)
{
	int err = n > MAX_FILES ? -E2BIG : 0;

	for (size_t i = 0; i < n && !err; i++) {
		uint64_t inode = socket_inode(folder, fds[i]);

		if (!inode)
			continue;
		if (!array__reserve(look->sockets, look->sockets_room, look->n_sockets + 1))
			err = -ENOMEM;
		else
			look->sockets[look->n_sockets++] =
				(struct own_socket){.inode = inode, .fd = fds[i]};
	}
	if (look->n_sockets)
		qsort(look->sockets, look->n_sockets, sizeof(*look->sockets), compare_inodes);
	return err;
}

/* One of those with @inode, which several descriptors may have; NULL. */
static struct own_socket *find_own(const struct look *look, uint64_t inode)
{
	const struct own_socket key = {.inode = inode};

	return inode && look->n_sockets ?
		       bsearch(&key, look->sockets, look->n_sockets, sizeof(key), compare_inodes) :
		       NULL;
}

static bool is_own(const struct look *look, uint64_t inode)
{
	return find_own(look, inode);
}

/* --- tables --------------------------------------------------------------------------------------- */

/* @n digits, all of them; sscanf(3) would take a sign for one of them. */
static bool parse_hex(const char *text, size_t n, uint32_t *ret_value)
{
	char digits[8 + 1];

	if (n >= sizeof(digits) || strspn(text, "0123456789abcdefABCDEF") < n)
		return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	*ret_value = (uint32_t)strtoul(digits, NULL, 16);
	return true;
}

/* "0100007F:1F90", or four such words; net/ipv4/tcp_ipv4.c get_tcp4_sock, net/ipv6/tcp_ipv6.c. */
static bool parse_endpoint(const char *text, struct endpoint *ret_endpoint)
{
	struct endpoint at = {.words = {0, 0, htonl(0xffff)}};
	size_t n = strlen(text), words = n == 8 + 5 ? 1 : 4;

	if (n != words * 8 + 5 || text[words * 8] != ':' ||
	    !parse_hex(text + words * 8 + 1, 4, &at.port))
		return false;
	for (size_t i = 0; i < words; i++)
		if (!parse_hex(text + i * 8, 8, &at.words[4 - words + i]))
			return false;
	*ret_endpoint = at;
	return true;
}

static int add_own(struct look *look, const struct connection *connection)
{
	if (!array__reserve(look->own, look->own_room, look->n_own + 1))
		return -ENOMEM;
	look->own[look->n_own++] = *connection;
	return 0;
}

/* A row of net/tcp or net/tcp6. */
static int take_tcp(const char *line, struct look *look)
{
	char local[48], remote[48];
	struct connection connection;
	struct own_socket *own;
	unsigned int state;
	uint64_t inode;

	if (sscanf(line, " %*[^:]: %47s %47s %x %*s %*s %*s %*s %*s %" SCNu64, local, remote,
		   &state, &inode) != 4 ||
	    !parse_endpoint(local, &connection.local) ||
	    !parse_endpoint(remote, &connection.remote))
		return 0;
	if (state == TCP_LISTEN_STATE)
		look->listened[connection.local.port / 8] |=
			(uint8_t)(1u << connection.local.port % 8);
	own = find_own(look, inode);
	if (!own)
		return 0;
	own->established = state == TCP_ESTABLISHED_STATE;
	own->tcp = connection;
	look->known++;
	if (state == TCP_LISTEN_STATE || state == TCP_CLOSE_STATE)
		return 0;
	if (state == TCP_CLOSE_WAIT_STATE) {
		if (!array__reserve(look->hung_up, look->hung_up_room, look->n_hung_up + 1))
			return -ENOMEM;
		look->hung_up[look->n_hung_up++] = connection.local.port;
	}
	return add_own(look, &connection);
}

/* A row of net/udp or net/udp6: nobody accepts those. */
static int take_udp(const char *line, struct look *look)
{
	uint64_t inode;

	if (sscanf(line, " %*[^:]: %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &inode) == 1 &&
	    is_own(look, inode)) {
		look->known++;
		look->opened++;
	}
	return 0;
}

/*
 * A row of net/unix. Who called does not show: one that called has no name, but neither have the two
 * of a socketpair(2), one of which may have come from anybody. So all that are connected count as
 * accepted.
 */
static int take_unix(const char *line, struct look *look)
{
	unsigned int state;
	uint64_t inode;

	if (sscanf(line, "%*s %*s %*s %*s %*s %x %" SCNu64, &state, &inode) != 2 ||
	    !is_own(look, inode))
		return 0;
	look->known++;
	look->unix_accepted += state == UNIX_CONNECTED;
	return 0;
}

/* A table that is not there belongs to a protocol that the kernel does not have. */
static int read_table(const char *proc_root, pid_t pid, const char *name, struct look *look,
		      int (*take)(const char *line, struct look *look))
{
	char path[PATH_MAX], line[512];
	FILE *file __cleanup_fclose = NULL;
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s/%d/net/%s", proc_root, pid, name) >= (int)sizeof(path))
		return -EINVAL;
	fd = access__open(path, O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? 0 : proc_error(-fd);
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	/* The first line has the titles. */
	for (bool titles = true; !err && fgets(line, sizeof(line), file); titles = false) {
		if (titles)
			continue;
		err = ++look->rows > MAX_ROWS ? -E2BIG : take(line, look);
	}
	return err;
}

static int read_tables(const char *proc_root, pid_t pid, struct look *look)
{
	static const struct {
		const char *name;
		int (*take)(const char *line, struct look *look);
	} tables[] = {
		{"tcp", take_tcp},  {"tcp6", take_tcp},	 {"udp", take_udp},
		{"udp6", take_udp}, {"unix", take_unix},
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && !err; i++)
		err = read_table(proc_root, pid, tables[i].name, look, tables[i].take);
	return err;
}

/* --- what follows --------------------------------------------------------------------------------- */

static int compare_connections(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct connection));
}

/* By remote address, which is where the other half of the other order begins. */
static int compare_remotes(const void *a, const void *b)
{
	const struct connection *x = a, *y = b;

	return memcmp(&x->remote, &y->remote, sizeof(x->remote));
}

static bool is_listened(const struct look *look, uint32_t port)
{
	return look->listened[port / 8] & 1u << port % 8;
}

/* Whether the process has the other end, too. @look->own is sorted. */
static bool is_with_itself(const struct look *look, const struct connection *connection)
{
	const struct connection other = {.local = connection->remote, .remote = connection->local};

	return bsearch(&other, look->own, look->n_own, sizeof(other), compare_connections);
}

static void name_peer(const struct endpoint *at, char out[SOCKETS_PEER_SIZE])
{
	char text[INET6_ADDRSTRLEN] = "";
	bool v4 = !at->words[0] && !at->words[1] && at->words[2] == htonl(0xffff);

	if (v4)
		inet_ntop(AF_INET, &at->words[3], text, sizeof(text));
	else
		inet_ntop(AF_INET6, at->words, text, sizeof(text));
	snprintf(out, SOCKETS_PEER_SIZE, v4 ? "%s:%" PRIu32 : "[%s]:%" PRIu32, text, at->port);
}

/* Keeps of the process' connections the dialled ones; the others are counted. */
static void keep_dialled(struct look *look, struct process_sockets *sockets)
{
	size_t kept = 0;
	bool *accepted = calloc(max_of(look->n_own, (size_t)1), sizeof(*accepted));

	/* Without memory all count as accepted. */
	for (size_t i = 0; i < look->n_own; i++) {
		bool with_itself = is_with_itself(look, &look->own[i]);

		sockets->with_itself += accepted && with_itself;
		if (accepted)
			accepted[i] = is_listened(look, look->own[i].local.port) && !with_itself;
	}
	for (size_t i = 0; i < look->n_own; i++) {
		if (!accepted || accepted[i])
			sockets->accepted++;
		else
			look->own[kept++] = look->own[i];
	}
	look->n_own = kept;
	free(accepted);
}

/* The address that most connections go to; one's own ends of those with itself are none. */
static void find_peer(struct look *look, struct process_sockets *sockets)
{
	const struct connection *own = look->own;

	if (look->n_own)
		qsort(look->own, look->n_own, sizeof(*look->own), compare_remotes);
	for (size_t first = 0, next; first < look->n_own; first = next) {
		next = first + 1;
		while (next < look->n_own && !compare_remotes(&own[first], &own[next]))
			next++;
		if (next - first <= sockets->to_peer)
			continue;
		sockets->to_peer = next - first;
		name_peer(&own[first].remote, sockets->peer);
	}
}

static void conclude(struct look *look, struct process_sockets *sockets)
{
	uint64_t unknown = look->n_sockets - min_of(look->known, (uint64_t)look->n_sockets);

	*sockets = (struct process_sockets){.accepted = look->unix_accepted + unknown};
	keep_dialled(look, sockets);
	for (size_t i = 0; i < look->n_hung_up; i++)
		sockets->hung_up += is_listened(look, look->hung_up[i]);
	sockets->hung_up = min_of(sockets->hung_up, sockets->accepted);
	sockets->dialled = look->n_own + look->opened;
	find_peer(look, sockets);
}

/* Of descriptors @fds; NULL: of all that it has. */
static int take_look(const char *proc_root, pid_t pid, const int *fds, size_t n, struct look *look)
{
	pid_t *all __cleanup_free = NULL;
	char folder[PATH_MAX];
	int err = 0;

	if (snprintf(folder, sizeof(folder), "%s/%d/fd", proc_root, pid) >= (int)sizeof(folder))
		return -EINVAL;
	if (!fds)
		err = access__list(folder, &all, &n);
	if (err)
		return proc_error(-err);
	err = collect_sockets(folder, fds ? fds : all, n, look);
	/* The kernel goes through all of its own for each of these tables. */
	if (!err && look->n_sockets)
		err = read_tables(proc_root, pid, look);
	if (!err && look->n_own)
		qsort(look->own, look->n_own, sizeof(*look->own), compare_connections);
	return err;
}

static void free_look(struct look *look)
{
	free(look->sockets);
	free(look->own);
	free(look->hung_up);
	free(look);
}

int process__sockets(const char *proc_root, pid_t pid, struct process_sockets *ret_sockets)
{
	struct look *look = calloc(1, sizeof(*look));
	int err;

	if (!look)
		return -ENOMEM;
	err = take_look(proc_root, pid, NULL, 0, look);
	if (!err)
		conclude(look, ret_sockets);
	free_look(look);
	return err;
}

static int compare_fds(const void *a, const void *b)
{
	const struct socket_peer *x = a, *y = b;

	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* As many as were asked about, at most. */
static size_t list_peers(const struct look *look, struct socket_peer *peers)
{
	size_t n = 0;

	for (size_t i = 0; i < look->n_sockets; i++) {
		const struct own_socket *socket = &look->sockets[i];
		bool itself = socket->established && is_with_itself(look, &socket->tcp);

		if (itself || (socket->established && is_listened(look, socket->tcp.local.port)))
			peers[n++] = (struct socket_peer){socket->fd, itself};
	}
	if (n)
		qsort(peers, n, sizeof(*peers), compare_fds);
	return n;
}

const struct socket_peer *socket_peer__find(const struct socket_peer *peers, size_t n, int fd)
{
	const struct socket_peer key = {.fd = fd};

	return n ? bsearch(&key, peers, n, sizeof(key), compare_fds) : NULL;
}

ssize_t process__peers(const char *proc_root, pid_t pid, const int *fds, size_t n,
		       struct socket_peer *ret_peers)
{
	struct look *look = calloc(1, sizeof(*look));
	ssize_t result;

	if (!look)
		return -ENOMEM;
	result = take_look(proc_root, pid, fds, n, look);
	if (!result)
		result = (ssize_t)list_peers(look, ret_peers);
	free_look(look);
	return result;
}
