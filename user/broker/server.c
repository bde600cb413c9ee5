// SPDX-License-Identifier: Apache-2.0
#include "broker/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/copies.h"
#include "broker/server_private.h"
#include "host/access.h"
#include "host/access_guard.h"
#include "host/bpf_usage.h"
#include "host/channel.h"
#include "host/priority.h"
#include "host/process.h"
#include "host/process_stop.h"
#include "host/self_usage.h"

int64_t broker_server__tell(struct broker_server *server, int err, const void *what, size_t size)
{
	memcpy(server->shared->window, what, err ? 0 : size);
	return err;
}

/* --- files --------------------------------------------------------------------------------------- */

static int64_t list(struct broker_server *server, const char *path)
{
	pid_t *numbers;
	size_t n;
	int err = access__list(path, &numbers, &n);

	if (err)
		return err;
	if (n > BROKER_WINDOW / sizeof(*numbers))
		err = -E2BIG;
	else if (n)
		memcpy(server->shared->window, numbers, n * sizeof(*numbers));
	free(numbers);
	return err ? err : (int64_t)n;
}

static int64_t look(struct broker_server *server, const char *path, unsigned int mask)
{
	struct statx found;
	int err = access__stat(path, mask, &found);

	return broker_server__tell(server, err, &found, sizeof(found));
}

static int64_t output(const struct broker_request *request, struct broker_reply *reply)
{
	int fd = access__output((enum access_output)request->flags, request->text);

	return request->flags <= OUTPUT_LOOK ? broker_reply__give(reply, fd) : fd;
}

static int64_t open_evidence(const struct broker_request *request, struct failure *failure)
{
	const struct access_evidence evidence = {
		.step = EVIDENCE_OPEN,
		.path = request->text,
		.limits = {.items = (uint32_t)request->slot, .bytes = request->size},
	};

	return access__evidence(&evidence, failure);
}

/* Of a path that was checked. */
static pid_t pid_of(const char *path)
{
	return (pid_t)strtol(path + strlen(PROC_ROOT "/"), NULL, 10);
}

/* A process has all files of the host below its root: only one that it runs code from is given away. */
static int64_t open_below(const char *root, const char *path, int flags, struct broker_reply *reply)
{
	int fd = access__open_below(root, path, flags);
	int err = fd < 0 ? fd : broker_server__check_code(pid_of(root), fd, NULL, 0);

	if (fd >= 0 && err)
		close(fd);
	return err ? err : broker_reply__give(reply, fd);
}

static int64_t do_file(struct broker_server *server, struct broker_reply *reply)
{
	const struct broker_request *request = &server->request;
	const char *path = request->text;
	int flags = (int)request->flags;

	switch (request->op) {
	case BROKER_OPEN:
		/* Not what the kernel makes up. */
		if (strstr(path, "/exe") || strstr(path, "/map_files/"))
			server->last_pid = pid_of(path);
		return broker_reply__give(reply, access__open(path, flags));
	case BROKER_OPEN_BELOW:
		server->last_pid = pid_of(path);
		return open_below(path, path + strlen(path) + 1, flags, reply);
	case BROKER_READ:
		return access__read(path, server->shared->window,
				    min_of((size_t)request->size, (size_t)ACCESS_READ_MAX));
	case BROKER_LINK:
		return access__link(path, (char *)server->shared->window,
				    min_of((size_t)request->size, (size_t)PATH_MAX));
	case BROKER_STAT:
		return look(server, path, request->flags);
	case BROKER_LIST:
		return list(server, path);
	case BROKER_INPUT:
		/* A FIFO that nobody writes to is not waited for. */
		return broker_reply__give(reply, access__input(path, flags | O_NONBLOCK));
	case BROKER_OUTPUT:
		return output(request, reply);
	case BROKER_EVIDENCE_OPEN:
		return open_evidence(request, &reply->answer.failure);
	default:
		return -EPROTO;
	}
}

/* --- processes ----------------------------------------------------------------------------------- */

static struct access_memory **memory_of(struct broker_server *server)
{
	uint32_t handle = server->request.handle;

	return handle < BROKER_MAX_MEMORIES && server->memories[handle] ?
		       &server->memories[handle] :
		       NULL;
}

static int64_t open_memory(struct broker_server *server)
{
	for (size_t i = 0; i < BROKER_MAX_MEMORIES; i++) {
		int err;

		if (server->memories[i])
			continue;
		err = access__open_memory(server->request.pid, &server->memories[i]);
		server->pids[i] = err ? 0 : server->request.pid;
		return err ? err : (int64_t)i;
	}
	return -EMFILE;
}

/* A worker that somebody took over is not to read all day long, at the cost of whom it reads. */
static bool may_read(struct broker_server *server, uint64_t bytes)
{
	uint64_t now_ns = clock__monotonic_ns();

	if (now_ns - server->minute_ns >= 60 * NSEC_PER_SEC) {
		server->minute_ns = now_ns;
		server->minute_bytes = 0;
	}
	server->minute_bytes += bytes;
	if (!server->options.max_bytes || server->minute_bytes <= server->options.max_bytes)
		return true;
	server->refused++;
	snprintf(server->refused_what, sizeof(server->refused_what),
		 "more memory in a minute than %llu bytes",
		 (unsigned long long)server->options.max_bytes);
	return false;
}

/*
 * The ranges of a request, @max bytes at most, copied before they are judged: the worker may write to what is shared at
 * any time. Returns the bytes.
 */
static int64_t take_ranges(struct broker_server *server, size_t max)
{
	size_t n = (size_t)server->request.size;
	uint64_t bytes = 0;

	memcpy(server->ranges, server->shared->ranges, n * sizeof(server->ranges[0]));
	if (broker_ranges__check(server->ranges, n, max))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		bytes += server->ranges[i].iov_len;
	return may_read(server, bytes) ? (int64_t)bytes : -EDQUOT;
}

/* Into the window, one range behind the other. */
static int64_t read_memory(struct broker_server *server, struct access_memory *memory,
			   __u64 *ret_at)
{
	uint8_t *window = access_guard__window();
	struct iovec local = {.iov_base = window ? window : server->shared->window};
	int64_t bytes = take_ranges(server, BROKER_MEMORY_MAX);

	if (bytes < 0)
		return bytes;
	local.iov_len = (size_t)bytes;
	*ret_at = (__u64)((uint8_t *)local.iov_base - server->shared->window);
	return access__read_memory(memory, &local, 1, server->ranges, (size_t)server->request.size);
}

/* Each range to where the worker wants it. */
static int64_t copy_memory(struct broker_server *server, struct access_memory *memory)
{
	size_t n = (size_t)server->request.size;
	__u64 offsets[ACCESS_COPY_RANGES];
	int64_t bytes = take_ranges(server, ACCESS_COPY_MAX);

	memcpy(offsets, server->shared->offsets, n * sizeof(offsets[0]));
	return bytes < 0 ? bytes :
			   broker_copies__read(&server->copies, memory, server->ranges, offsets, n);
}

static uint64_t let_go(struct broker_server *server)
{
	uint64_t stopped_ns = server->stop ? access__release(server->stop) : 0;

	server->stop = NULL;
	access_guard__come_first(server->own_priority.first);
	return stopped_ns;
}

/* Whoever waits for somebody that comes last comes last: so all do that the worker waits for. */
static void come_first(struct broker_server *server, bool first)
{
	if (first) {
		priority__first(&server->priority, server->worker);
		priority__first(&server->own_priority, 0);
	} else {
		priority__as_before(&server->own_priority);
		priority__as_before(&server->priority);
	}
	access_guard__come_first(server->own_priority.first);
}

static int64_t share(struct broker_server *server, struct broker_reply *reply)
{
	broker_copies__close(&server->copies);
	if (!server->request.size)
		return 0;
	return broker_reply__give(
		reply, broker_copies__open(&server->copies, (size_t)server->request.size));
}

static int64_t release(struct broker_server *server)
{
	const struct broker_held held = {.begin_ns = let_go(server)};

	return broker_server__tell(server, held.begin_ns ? 0 : -ESRCH, &held, sizeof(held));
}

static int64_t hold(struct broker_server *server, struct failure *failure)
{
	const struct broker_request *request = &server->request;
	const struct stopped_thread *threads;
	struct broker_held held;
	size_t n;
	int err;

	if (server->stop)
		return -EBUSY;
	if (!broker_server__has_opened(server, request->pid))
		return -ESRCH;
	/* Whoever works for the one that stands still comes first, as this process does: here, and below. */
	access_guard__come_first(true);
	err = access__hold(PROC_ROOT, request->pid, request->size, &server->stop, failure);
	/* Now that it cannot become another any more. */
	if (!err && !broker_server__has_opened(server, request->pid))
		err = -ESRCH;
	if (err) {
		let_go(server);
		return err;
	}
	threads = process_stop__threads(server->stop, &n);
	held = (struct broker_held){.begin_ns = process_stop__begin_ns(server->stop),
				    .n_threads = n};
	server->stop_ends_ns = held.begin_ns + request->size;
	_Static_assert(sizeof(held) + PROCESS_STOP_MAX_THREADS * sizeof(*threads) <= BROKER_WINDOW,
		       "all threads fit");
	memcpy(server->shared->window + sizeof(held), threads, n * sizeof(*threads));
	process_stop__lend_priority(server->stop, server->worker);
	return broker_server__tell(server, 0, &held, sizeof(held));
}

static int64_t do_process(struct broker_server *server, struct broker_reply *reply)
{
	const struct broker_request *request = &server->request;
	struct access_memory **memory = memory_of(server);

	switch (request->op) {
	case BROKER_PIDFD:
		return broker_reply__give(reply, access__pidfd(request->pid));
	case BROKER_OWNER:
		return access__owner(PROC_ROOT, request->pid, (uid_t)request->flags);
	case BROKER_HOSTNAME:
		return access__hostname(PROC_ROOT, request->pid, (char *)server->shared->window,
					HOST_NAME_MAX);
	case BROKER_MARK_PAGES:
		return broker_server__has_opened(server, request->pid) ?
			       access__mark_pages(request->pid) :
			       -ESRCH;
	case BROKER_HOLD:
		return hold(server, &reply->answer.failure);
	case BROKER_RELEASE:
		return release(server);
	case BROKER_COME_FIRST:
		/* Permitted only where the broker keeps CAP_SYS_NICE for it (cli/privileges.c). */
		come_first(server, request->flags);
		return 0;
	case BROKER_MEMORY_OPEN:
		return open_memory(server);
	case BROKER_MEMORY_READ:
		return memory ? read_memory(server, *memory, &reply->answer.at) : -EBADF;
	case BROKER_SHARE:
		return share(server, reply);
	case BROKER_MEMORY_COPY:
		return memory ? copy_memory(server, *memory) : -EBADF;
	case BROKER_MEMORY_IN_USE:
		return memory ? access__memory_in_use(*memory) : -EBADF;
	case BROKER_MEMORY_CLOSE:
		if (!memory)
			return -EBADF;
		access__close_memory(*memory);
		*memory = NULL;
		server->pids[request->handle] = 0;
		return 0;
	default:
		return -EPROTO;
	}
}

/* --- the rest ------------------------------------------------------------------------------------ */

static int64_t tell_usage(struct broker_server *server)
{
	struct self_usage own = self_usage__read(PROC_ROOT);
	/* The ring is the worker's as well, and is counted there. */
	const struct programs *programs = server->programs[PROGRAMS_GOROUTINES];
	int ring = programs ? programs_direct.ring_fd(programs) : -1;
	struct access_guard_counts counts = access_guard__counts();
	const struct access_usage usage = {
		.missed_deadlines = counts.missed,
		.cpu_seconds = own.cpu_seconds + (double)counts.cpu_ns / NSEC_PER_SEC,
		.resident_bytes = own.resident_bytes,
		/* For which all descriptors are gone through. */
		.bpf_bytes = server->request.flags ? bpf_usage__read(PROC_ROOT, ring).bytes : 0,
	};

	return broker_server__tell(server, 0, &usage, sizeof(usage));
}

/* What is written comes from the window at once: how much that is cannot change meanwhile. */
static int64_t do_evidence(struct broker_server *server)
{
	const struct broker_request *request = &server->request;
	char name[EVIDENCE_NAME_SIZE] = "";
	const struct access_evidence evidence = {
		.step = (enum access_evidence_step)request->flags,
		.pid = request->pid,
		.site = request->handle,
		.file = (enum evidence_file)request->handle,
		.bytes = server->shared->window,
		.size = (size_t)request->size,
		.name = name,
	};
	int err = access__evidence(&evidence, NULL);

	(void)broker_server__tell(server, 0, name, sizeof(name));
	return err;
}

static int64_t do_rest(struct broker_server *server)
{
	const struct broker_server_options *options = &server->options;
	const struct broker_request *request = &server->request;

	switch (request->op) {
	case BROKER_GIVE_UP:
		return (int64_t)options->give_up(options->ctx, request->flags != 0,
						 server->outlook.features.uprobe_multi);
	case BROKER_NOTIFY:
		notify__pass_on(server->notify, request->text);
		return 0;
	case BROKER_USAGE:
		return tell_usage(server);
	case BROKER_QUARANTINED:
		return (int64_t)access__quarantined((void *)server->shared->window, QUARANTINE_MAX);
	case BROKER_QUARANTINE:
		access__quarantine(&request->quarantine);
		return 0;
	case BROKER_USER_NAME:
		return access__user_name((uid_t)request->flags, (char *)server->shared->window,
					 BROKER_WINDOW);
	case BROKER_USER_ID:
		return access__user_id(request->text);
	case BROKER_EVIDENCE:
		return do_evidence(server);
	default:
		return -EPROTO;
	}
}

static int64_t do_it(struct broker_server *server, struct broker_reply *reply, int fd)
{
	if (server->request.op < BROKER_PIDFD)
		return do_file(server, reply);
	if (server->request.op < BROKER_FOLLOW)
		return do_process(server, reply);
	if (server->request.op < BROKER_GIVE_UP)
		return broker_server__do_probes(server, reply, fd);
	return do_rest(server);
}

/* --- the interface ------------------------------------------------------------------------------- */

int broker_server__new(const struct broker_server_options *options, struct notify *notify,
		       struct broker_shared *shared, struct broker_server **ret_server)
{
	struct broker_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	*server = (struct broker_server){
		.options = *options, .notify = notify, .shared = shared, .own = getpid()};
	*ret_server = server;
	return 0;
}

void broker_server__free(struct broker_server *server)
{
	if (!server)
		return;
	come_first(server, false);
	let_go(server);
	broker_server__unload_all(server);
	(void)!access__evidence(&(struct access_evidence){.step = EVIDENCE_CLOSE}, NULL);
	for (size_t i = 0; i < BROKER_MAX_MEMORIES; i++) {
		if (server->memories[i])
			access__close_memory(server->memories[i]);
	}
	broker_copies__close(&server->copies);
	free(server);
}

void broker_server__set_worker(struct broker_server *server, pid_t worker)
{
	server->worker = worker;
}

static int answer(int channel, struct broker_reply *reply)
{
	int err = channel__send(channel, &reply->answer, sizeof(reply->answer), reply->fds,
				reply->n_fds);

	for (size_t i = 0; i < reply->n_fds && !reply->keeps_fds; i++)
		close(reply->fds[i]);
	return err;
}

static void note_refused(struct broker_server *server, size_t size, int err)
{
	const struct broker_request *request = &server->request;
	int length = size > BROKER_REQUEST_MIN ? (int)(size - BROKER_REQUEST_MIN) : 0;

	if (!err || err == -EACCES)
		return;
	server->refused++;
	snprintf(server->refused_what, sizeof(server->refused_what), "request %u, '%.*s'",
		 size >= sizeof(request->op) ? request->op : BROKER_OPS, min_of(length, 160),
		 length ? request->text : "");
}

int broker_server__serve(struct broker_server *server, int channel)
{
	struct broker_request *request = &server->request;
	struct broker_reply reply = {.n_fds = 0};
	int fds[1] = {-1};
	size_t n_fds;
	ssize_t size = channel__receive(channel, request, sizeof(*request), fds, 1, &n_fds);
	int err;

	if (size <= 0)
		return size ? (int)size : -EPIPE;
	server->requests++;
	err = broker_request__check(request, (size_t)size, server->options.files, server->own,
				    server->worker);
	note_refused(server, (size_t)size, err);
	reply.answer.result = err ? err : do_it(server, &reply, n_fds ? fds[0] : -1);
	if (n_fds)
		close(fds[0]);
	return err == -EPROTO ? err : answer(channel, &reply);
}

int broker_server__wait_ms(const struct broker_server *server, int max_ms)
{
	uint64_t now_ns = clock__monotonic_ns();

	if (!server->stop)
		return max_ms;
	return now_ns < server->stop_ends_ns ?
		       (int)min_of((server->stop_ends_ns - now_ns) / NSEC_PER_MSEC + 1,
				   (uint64_t)max_ms) :
		       0;
}

void broker_server__tick(struct broker_server *server)
{
	if (server->stop && clock__monotonic_ns() >= server->stop_ends_ns)
		let_go(server);
}

uint64_t broker_server__requests(const struct broker_server *server)
{
	return server->requests;
}

pid_t broker_server__last_pid(const struct broker_server *server)
{
	return server->last_pid;
}

const char *broker_server__refused(struct broker_server *server)
{
	const char *what = server->refused ? server->refused_what : NULL;

	server->refused = 0;
	return what;
}
