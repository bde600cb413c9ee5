// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "broker/server_private.h"

/* --- probes -------------------------------------------------------------------------------------- */

static int64_t prepare(struct broker_server *server, struct failure *failure)
{
	int err = programs_direct.prepare(&server->outlook, failure);

	return broker_server__tell(server, err, &server->outlook, sizeof(server->outlook));
}

static void unload(struct programs **programs)
{
	if (*programs)
		programs_direct.unload(*programs);
	*programs = NULL;
}

static int64_t load(struct broker_server *server, struct broker_reply *reply)
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
	(void)!broker_reply__give(reply, programs_direct.ring_fd(*programs));
	return request->handle == PROGRAMS_GOROUTINES ?
		       broker_reply__give(reply, programs_direct.counts_fd(*programs)) :
		       0;
}

static int64_t counts(struct broker_server *server, const struct programs *programs)
{
	union program_counts counts;
	int err = programs_direct.counts(programs, (size_t)server->request.slot, &counts);

	return broker_server__tell(server, err, &counts, sizeof(counts));
}

static int64_t hit_cost(struct broker_server *server, struct programs *programs)
{
	struct alloc_cost cost;
	int err = programs_direct.hit_cost(programs, &cost);

	return broker_server__tell(server, err, &cost, sizeof(cost));
}

/*
 * Whether the process still has an address space that was opened, and runs the file: whatever it has become
 * since, its worker knows nothing of.
 */
static int check_program(const struct broker_server *server, int exe_fd,
			 const struct program_place *places, size_t n)
{
	pid_t pid = server->request.site.pid;

	return broker_server__has_opened(server, pid) ?
		       broker_server__check_code(pid, exe_fd, places, n) :
		       -ESRCH;
}

static int64_t attach(struct broker_server *server, struct programs *programs,
		      struct broker_reply *reply, int exe_fd)
{
	struct program_place places[PROGRAM_PLACES_MAX];
	struct program_site site = server->request.site;
	size_t n = (size_t)server->request.size;
	int link, err = exe_fd < 0 ? -EBADF : 0;

	memcpy(places, server->shared->places, n * sizeof(places[0]));
	if (!err)
		err = check_program(server, exe_fd, places, n);
	if (err)
		return err;
	site.exe_fd = exe_fd;
	link = programs_direct.attach(programs, &site, places, n);
	/* Now that there is no moment left in which it could have become another. */
	err = link < 0 ? 0 : check_program(server, exe_fd, places, n);
	if (err)
		close(link);
	return err ? err : broker_reply__give(reply, link);
}

static int64_t follow(struct broker_reply *reply)
{
	struct process_programs programs;
	int err = access__follow(&programs);

	if (err)
		return err;
	memcpy(reply->fds, programs.fds, sizeof(programs.fds));
	reply->n_fds = PROCESS_PROGRAM_FDS;
	return 0;
}

int64_t broker_server__do_probes(struct broker_server *server, struct broker_reply *reply,
				 int exe_fd)
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

void broker_server__unload_all(struct broker_server *server)
{
	for (size_t i = 0; i < PROGRAMS_KINDS; i++)
		unload(&server->programs[i]);
}
