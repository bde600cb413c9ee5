// SPDX-License-Identifier: Apache-2.0
#include "broker/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/channel.h"
#include "host/access_guard.h"
#include "host/bpf_usage.h"
#include "host/maps.h"
#include "host/priority.h"
#include "host/process.h"
#include "host/process_stop.h"
#include "host/self_usage.h"

struct broker_server {
	struct broker_server_options options;
	struct broker_shared *shared;
	pid_t own, worker;
	uint64_t refused; /* and not asked about yet */
	char refused_what[256];
	struct programs_outlook outlook;
	struct programs *programs[PROGRAMS_KINDS];
	struct process_stop *stop;
	struct priority priority; /* the worker's */
	struct access_memory *memories[BROKER_MAX_MEMORIES];
	struct broker_request request; /* the one that is being answered */
	struct broker_range ranges[ACCESS_RANGES_MAX];
};

/* What goes back. */
struct reply {
	struct broker_answer answer;
	int fds[BROKER_MAX_FDS];
	size_t n_fds;
	bool keeps_fds; /* they are the broker's own, and stay open */
};

/* @fd: a descriptor or -errno. */
static int64_t give(struct reply *reply, int fd)
{
	if (fd < 0)
		return fd;
	reply->fds[reply->n_fds++] = fd;
	return 0;
}

static size_t window_size(const struct broker_request *request)
{
	return (size_t)min_of(request->size, (__u64)BROKER_WINDOW);
}

/* --- files --------------------------------------------------------------------------------------- */

static int64_t list(struct broker_server *server, const char *path)
{
	pid_t *numbers;
	size_t n;
	int err = access_direct.list(path, &numbers, &n);

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
	int err = access_direct.stat(path, mask, &found);

	if (!err)
		memcpy(server->shared->window, &found, sizeof(found));
	return err;
}

static int64_t output(const struct broker_request *request, struct reply *reply)
{
	int fd = access_direct.output((enum access_output)request->flags, request->text);

	switch ((enum access_output)request->flags) {
	case OUTPUT_OPEN:
	case OUTPUT_CREATE:
	case OUTPUT_DATABASE:
	case OUTPUT_LOOK:
		return give(reply, fd);
	default:
		return fd;
	}
}

static int64_t open_evidence(const struct broker_request *request, struct failure *failure)
{
	const struct access_evidence evidence = {
		.step = EVIDENCE_OPEN,
		.path = request->text,
		.limits = {.items = (uint32_t)request->slot, .bytes = request->size},
	};

	return access_direct.evidence(&evidence, failure);
}

struct mapped {
	ino_t inode;
	bool found;
};

static bool is_mapped(void *ctx, const struct maps_line *line)
{
	struct mapped *mapped = ctx;

	mapped->found = line->mapping.executable && line->inode == mapped->inode;
	return !mapped->found;
}

/*
 * Whether process @pid runs code from the file: one that it does not run is not to be probed, or opened, in its
 * name.
 * By inode: what maps says of the device is not always what stat(2) says (btrfs, overlayfs).
 */
static int check_mapped(pid_t pid, int fd)
{
	struct mapped mapped = {.found = false};
	struct stat file;
	char path[64];
	int err;

	if (fstat(fd, &file))
		return -errno;
	mapped.inode = file.st_ino;
	snprintf(path, sizeof(path), PROC_ROOT "/%d/maps", process__task(PROC_ROOT, pid));
	err = maps__each(path, is_mapped, &mapped);
	if (err)
		return err;
	return mapped.found ? 0 : -ESRCH;
}

/* A process has all files of the host below its root: only one that it runs code from is given away. */
static int64_t open_below(const char *root, const char *path, int flags, struct reply *reply)
{
	int fd = access_direct.open_below(root, path, flags);
	pid_t pid = (pid_t)strtol(root + strlen(PROC_ROOT "/"), NULL, 10);
	int err = fd < 0 ? fd : check_mapped(pid, fd);

	if (fd >= 0 && err)
		close(fd);
	return err ? err : give(reply, fd);
}

static int64_t do_file(struct broker_server *server, struct reply *reply)
{
	const struct broker_request *request = &server->request;
	const char *path = request->text;
	int flags = (int)request->flags;

	switch (request->op) {
	case BROKER_OPEN:
		return give(reply, access_direct.open(path, flags));
	case BROKER_OPEN_BELOW:
		return open_below(path, path + strlen(path) + 1, flags, reply);
	case BROKER_READ:
		return access_direct.read(path, server->shared->window,
					  min_of(window_size(request), (size_t)ACCESS_READ_MAX));
	case BROKER_LINK:
		return access_direct.link(path, (char *)server->shared->window,
					  min_of(window_size(request), (size_t)PATH_MAX));
	case BROKER_STAT:
		return look(server, path, request->flags);
	case BROKER_LIST:
		return list(server, path);
	case BROKER_INPUT:
		/* A FIFO that nobody writes to is not waited for. */
		return give(reply, access_direct.input(path, flags | O_NONBLOCK));
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
		err = access_direct.open_memory(server->request.pid, &server->memories[i]);
		return err ? err : (int64_t)i;
	}
	return -EMFILE;
}

/* Into the window, one range behind the other. The ranges are copied before they are judged. */
static int64_t read_memory(struct broker_server *server, struct access_memory *memory)
{
	struct iovec foreign[ACCESS_RANGES_MAX];
	struct iovec local = {.iov_base = server->shared->window};
	size_t n = (size_t)server->request.size;

	memcpy(server->ranges, server->shared->ranges, n * sizeof(server->ranges[0]));
	if (broker_ranges__check(server->ranges, n, BROKER_MEMORY_MAX))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		foreign[i].iov_base = (void *)(uintptr_t)server->ranges[i].address;
		foreign[i].iov_len = server->ranges[i].size;
		local.iov_len += server->ranges[i].size;
	}
	return access_direct.read_memory(memory, &local, 1, foreign, n);
}

static int64_t release(struct broker_server *server)
{
	const struct broker_held held = {.begin_ns = access_direct.release(server->stop)};

	server->stop = NULL;
	memcpy(server->shared->window, &held, sizeof(held));
	return 0;
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
	err = access_direct.hold(PROC_ROOT, request->pid, request->size, &server->stop, failure);
	if (err)
		return err;
	threads = process_stop__threads(server->stop, &n);
	held = (struct broker_held){.begin_ns = process_stop__begin_ns(server->stop),
				    .n_threads = n};
	_Static_assert(sizeof(held) + PROCESS_STOP_MAX_THREADS * sizeof(*threads) <= BROKER_WINDOW,
		       "all threads fit");
	memcpy(server->shared->window, &held, sizeof(held));
	memcpy(server->shared->window + sizeof(held), threads, n * sizeof(*threads));
	/* The worker copies memory meanwhile: as it comes first here, so it does there. */
	process_stop__lend_priority(server->stop, server->worker);
	return 0;
}

static int64_t do_process(struct broker_server *server, struct reply *reply)
{
	const struct broker_request *request = &server->request;
	struct access_memory **memory = memory_of(server);

	switch (request->op) {
	case BROKER_PIDFD:
		return give(reply, access_direct.pidfd(request->pid));
	case BROKER_OWNER:
		return access_direct.owner(PROC_ROOT, request->pid, (uid_t)request->flags);
	case BROKER_HOSTNAME:
		return access_direct.hostname(PROC_ROOT, request->pid,
					      (char *)server->shared->window, HOST_NAME_MAX);
	case BROKER_MARK_PAGES:
		return access_direct.mark_pages(request->pid);
	case BROKER_HOLD:
		return hold(server, &reply->answer.failure);
	case BROKER_RELEASE:
		return server->stop ? release(server) : -ESRCH;
	case BROKER_COME_FIRST:
		/* Permitted only where the broker keeps CAP_SYS_NICE for it (cli/privileges.c). */
		if (request->flags)
			priority__first(&server->priority, server->worker);
		else
			priority__as_before(&server->priority);
		return 0;
	case BROKER_MEMORY_OPEN:
		return open_memory(server);
	case BROKER_MEMORY_READ:
		return memory ? read_memory(server, *memory) : -EBADF;
	case BROKER_MEMORY_IN_USE:
		return memory ? access_direct.memory_in_use(*memory) : -EBADF;
	case BROKER_MEMORY_CLOSE:
		if (!memory)
			return -EBADF;
		access_direct.close_memory(*memory);
		*memory = NULL;
		return 0;
	default:
		return -EPROTO;
	}
}

/* --- probes -------------------------------------------------------------------------------------- */

static int64_t prepare(struct broker_server *server, struct failure *failure)
{
	int err = programs_direct.prepare(&server->outlook, failure);

	if (!err)
		memcpy(server->shared->window, &server->outlook, sizeof(server->outlook));
	return err;
}

static void unload(struct programs **programs)
{
	if (*programs)
		programs_direct.unload(*programs);
	*programs = NULL;
}

static int64_t load(struct broker_server *server, struct reply *reply)
{
	const struct broker_request *request = &server->request;
	struct programs **programs = &server->programs[request->handle];
	int err;

	unload(programs);
	err = programs_direct.load((enum programs_kind)request->handle, (uint32_t)request->size,
				   &server->outlook.features, programs, &reply->answer.failure);
	if (err)
		return err;
	reply->keeps_fds = true;
	return give(reply, programs_direct.ring_fd(*programs));
}

static int64_t counts(const struct broker_server *server, const struct programs *programs)
{
	union program_counts counts;
	int err = programs_direct.counts(programs, (size_t)server->request.slot, &counts);

	if (!err)
		memcpy(server->shared->window, &counts, sizeof(counts));
	return err;
}

static int64_t hit_cost(const struct broker_server *server, struct programs *programs)
{
	struct alloc_cost cost;
	int err = programs_direct.hit_cost(programs, &cost);

	if (!err)
		memcpy(server->shared->window, &cost, sizeof(cost));
	return err;
}

static int64_t attach(struct broker_server *server, struct programs *programs, struct reply *reply,
		      int exe_fd)
{
	struct program_place places[PROGRAM_PLACES_MAX];
	struct program_site site = server->request.site;
	size_t n = (size_t)server->request.size;
	int err = exe_fd < 0 ? -EBADF : check_mapped(site.pid, exe_fd);

	if (err)
		return err;
	memcpy(places, server->shared->places, n * sizeof(places[0]));
	site.exe_fd = exe_fd;
	return give(reply, programs_direct.attach(programs, &site, places, n));
}

static int64_t follow(struct reply *reply)
{
	struct process_programs programs;
	int err = access_direct.follow(&programs);

	if (err)
		return err;
	memcpy(reply->fds, programs.fds, sizeof(programs.fds));
	reply->n_fds = PROCESS_PROGRAM_FDS;
	return 0;
}

static int64_t do_probes(struct broker_server *server, struct reply *reply, int exe_fd)
{
	const struct broker_request *request = &server->request;
	struct programs *programs;

	switch (request->op) {
	case BROKER_FOLLOW:
		return follow(reply);
	case BROKER_PREPARE:
		return prepare(server, &reply->answer.failure);
	case BROKER_LOAD:
		return load(server, reply);
	default:
		break;
	}
	programs = server->programs[request->handle];
	if (!programs)
		return -EINVAL;
	switch (request->op) {
	case BROKER_UNLOAD:
		unload(&server->programs[request->handle]);
		return 0;
	case BROKER_HIT_COST:
		return hit_cost(server, programs);
	case BROKER_DESCRIBE:
		return programs_direct.describe(programs, (size_t)request->slot, &request->target);
	case BROKER_COUNTS:
		return counts(server, programs);
	case BROKER_DRAW:
		return programs_direct.draw(programs, (size_t)request->slot, request->size);
	case BROKER_ATTACH:
		return attach(server, programs, reply, exe_fd);
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
		.quarantined = counts.quarantined,
		.missed_deadlines = counts.missed,
		.cpu_seconds = own.cpu_seconds,
		.resident_bytes = own.resident_bytes,
		.bpf_bytes = bpf_usage__read(PROC_ROOT, ring).bytes,
	};

	memcpy(server->shared->window, &usage, sizeof(usage));
	return 0;
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
	int err = access_direct.evidence(&evidence, NULL);

	memcpy(server->shared->window, name, sizeof(name));
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
		options->notify(options->ctx, request->text);
		return 0;
	case BROKER_USAGE:
		return tell_usage(server);
	case BROKER_USER_NAME:
		return access_direct.user_name((uid_t)request->flags,
					       (char *)server->shared->window, BROKER_WINDOW);
	case BROKER_USER_ID:
		return access_direct.user_id(request->text);
	case BROKER_EVIDENCE:
		return do_evidence(server);
	default:
		return -EPROTO;
	}
}

static int64_t do_it(struct broker_server *server, struct reply *reply, int fd)
{
	if (server->request.op < BROKER_PIDFD)
		return do_file(server, reply);
	if (server->request.op < BROKER_FOLLOW)
		return do_process(server, reply);
	if (server->request.op < BROKER_GIVE_UP)
		return do_probes(server, reply, fd);
	return do_rest(server);
}

/* --- the interface ------------------------------------------------------------------------------- */

int broker_server__new(const struct broker_server_options *options, struct broker_shared *shared,
		       struct broker_server **ret_server)
{
	struct broker_server *server = calloc(1, sizeof(*server));

	if (!server)
		return -ENOMEM;
	server->options = *options;
	server->shared = shared;
	server->own = getpid();
	*ret_server = server;
	return 0;
}

void broker_server__free(struct broker_server *server)
{
	if (!server)
		return;
	if (server->stop)
		access_direct.release(server->stop);
	for (size_t i = 0; i < PROGRAMS_KINDS; i++)
		unload(&server->programs[i]);
	(void)!access_direct.evidence(&(struct access_evidence){.step = EVIDENCE_CLOSE}, NULL);
	for (size_t i = 0; i < BROKER_MAX_MEMORIES; i++) {
		if (server->memories[i])
			access_direct.close_memory(server->memories[i]);
	}
	free(server);
}

void broker_server__set_worker(struct broker_server *server, pid_t worker)
{
	server->worker = worker;
}

static int answer(int channel, struct reply *reply)
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
	struct reply reply = {.n_fds = 0};
	int fds[1] = {-1};
	size_t n_fds;
	ssize_t size = channel__receive(channel, request, sizeof(*request), fds, 1, &n_fds);
	int err;

	if (size <= 0)
		return size ? (int)size : -EPIPE;
	err = broker_request__check(request, (size_t)size, server->options.files, server->own,
				    server->worker);
	note_refused(server, (size_t)size, err);
	reply.answer.result = err ? err : do_it(server, &reply, n_fds ? fds[0] : -1);
	if (n_fds)
		close(fds[0]);
	return err == -EPROTO ? err : answer(channel, &reply);
}

const char *broker_server__refused(struct broker_server *server)
{
	const char *what = server->refused ? server->refused_what : NULL;

	server->refused = 0;
	return what;
}
