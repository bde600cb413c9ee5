// SPDX-License-Identifier: Apache-2.0
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/access.h"
#include "observe/events.h"
#include "probe/programs.h"
#include "session/allocs/target_samples.h"
#include "session/saved_state.h"

struct session {
	struct session_options options;
	struct programs_outlook outlook;
	struct executables *executables;
	struct exe_cache *files; /* executables and libraries that were looked at */
	struct probes *probes;
	size_t turn; /* whose census is continued first */
	struct event_reader *reader;
	size_t n_targets;
	struct target *targets[SESSION_MAX_TARGETS];
	/* Whose records they are; NULL: of no target that is left. */
	struct target *by_slot[GL_MAX_TARGETS];
};

struct target *session__find(const struct session *session, pid_t pid)
{
	for (size_t i = 0; i < session->n_targets; i++) {
		if (target__pid(session->targets[i]) == pid)
			return session->targets[i];
	}
	return NULL;
}

/* In whatever slot it is: a target that gave its probes up does not know its slot any more. */
static void forget_slot(struct session *session, const struct target *target)
{
	for (size_t i = 0; i < ARRAY_SIZE(session->by_slot); i++) {
		if (session->by_slot[i] == target)
			session->by_slot[i] = NULL;
	}
}

static void note_slots(struct session *session, struct target *target)
{
	int slot;

	for (size_t i = 0; (slot = target__slot(target, i)) >= 0; i++)
		session->by_slot[slot] = target;
}

static void on_event(void *ctx, const struct gl_event *head, const struct gl_event_create *create,
		     const struct gl_creator *creator, const struct gl_event_wake *wake)
{
	struct session *session = ctx;
	struct target *target = head->slot < GL_MAX_TARGETS ? session->by_slot[head->slot] : NULL;

	/* Records of the slot's former owner may still have been on their way. */
	if (target && target__pid(target) == (pid_t)head->tgid)
		target__event(target, head, create, creator, wake);
}

static int load_probes(struct session *session, struct failure *failure)
{
	struct probes_options options = {.ring_bytes = session->options.ring_bytes};
	int err;

	err = programs__prepare(&session->outlook, failure);
	if (err)
		return err;
	err = probes__new(&options, &session->outlook.features, &session->probes, failure);
	if (err)
		return err;
	err = event_reader__new(probes__ring_fd(session->probes),
				probes__ring_bytes(session->probes), on_event, session,
				&session->reader);
	if (err)
		return failure__set(failure, err,
				    "cannot map the ring buffer; "
				    "raise the memory limit (ulimit -l) and try again");
	return 0;
}

int session__new(const struct session_options *options, struct session **ret_session,
		 struct failure *failure)
{
	struct session *session = calloc(1, sizeof(*session));
	int err;

	if (!session)
		return failure__set(failure, -ENOMEM, "out of memory");
	session->options = *options;
	err = executables__new(&session->executables);
	if (!err)
		err = exe_cache__new(EXE_CACHE_MAX, &session->files);
	if (err)
		failure__set(failure, err, "out of memory");
	if (!err && options->mode != PROBE_MODE_CENSUS)
		err = load_probes(session, failure);
	if (err) {
		session__free(session);
		return err;
	}
	*ret_session = session;
	return 0;
}

void session__free(struct session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < session->n_targets; i++)
		target__free(session->targets[i]);
	event_reader__free(session->reader);
	probes__free(session->probes);
	executables__free(session->executables);
	exe_cache__free(session->files);
	free(session);
}

/* The target that has the runtime at @place of process @pid, or that of its executable. */
static struct target *find_runtime(const struct session *session, pid_t pid,
				   const struct runtime_place *place)
{
	for (size_t i = 0; i < session->n_targets; i++) {
		struct target *target = session->targets[i];

		if (target__pid(target) == pid &&
		    (place ? target__has_code(target, place->mapped.start, place->mapped.end) :
			     target__is_of_exe(target)))
			return target;
	}
	return NULL;
}

/* What a process may be cost is for all of its runtimes together. */
static void share_budget(struct session *session, pid_t pid)
{
	size_t n = 0;

	for (size_t i = 0; i < session->n_targets; i++)
		n += target__pid(session->targets[i]) == pid;
	for (size_t i = 0; i < session->n_targets; i++) {
		if (target__pid(session->targets[i]) == pid)
			target__set_max_overhead(session->targets[i],
						 session->options.max_overhead / (double)n);
	}
}

int session__add(struct session *session, pid_t pid, const struct runtime_place *place,
		 const struct exe_file *expected, struct target **ret_target,
		 struct failure *failure)
{
	struct target_options options = {
		.proc_root = session->options.proc_root,
		.executables = session->executables,
		.mode = session->options.mode,
		.probes = session->probes,
		.calibration = session->outlook.calibrated ? &session->outlook.calibration : NULL,
		.max_overhead = session->options.max_overhead,
		.begin_low = session->options.begin_low,
		.patient = session->options.patient,
		.list_goroutines = session->options.list_goroutines,
		.list_system = session->options.list_system,
		.list_wants = session->options.list_wants,
		.list_ctx = session->options.list_ctx,
		.state = session->options.state,
	};
	struct target *target;
	int err;

	if (session->n_targets == SESSION_MAX_TARGETS)
		return failure__set(failure, -ENOSPC,
				    "already watching %d Go runtimes, the most one gleakd takes",
				    SESSION_MAX_TARGETS);
	if (find_runtime(session, pid, place))
		return failure__set(failure, -EEXIST, "process %d is already watched", pid);
	err = target__open(&options, pid, place, expected, &target, failure);
	if (err)
		return err;
	note_slots(session, target);
	session->targets[session->n_targets++] = target;
	share_budget(session, pid);
	*ret_target = target;
	return 0;
}

/* --- all runtimes of a process ------------------------------------------------------------------- */

/* What is being done, and what came of it. */
struct addition {
	pid_t pid;
	bool anew;  /* nothing of the process is watched yet */
	bool later; /* one may be another time */
	int n;	    /* added */
	int err;    /* of the first library that could not be */
	struct failure failure;
};

/* One that could not be watched is told when there are others; else all of it is an error. */
struct left_out {
	bool tell;
	struct failure failure;
};

static void tell_left_out(const struct addition *addition, const char *file,
			  const struct failure *failure)
{
	log_warn("process %d: the Go runtime in %s is left out: %s", addition->pid, file,
		 failure->text);
}

static void add_place(struct session *session, const struct runtime_place *place,
		      struct addition *addition, struct left_out *left_out)
{
	struct target *target;
	int err = session__add(session, addition->pid, place, NULL, &target, &left_out->failure);
	/* Said of the file, once; anything else may be another time. */
	bool file = err == -ENOEXEC || err == -EOPNOTSUPP;

	addition->n += !err;
	if (!err || err == -EEXIST)
		return;
	addition->later |= !file;
	if (file)
		runtimes__refuse(session->files, place, addition->pid);
	left_out->tell = file || addition->anew;
	if (addition->err)
		return;
	addition->err = failure__set(&addition->failure, err, "the Go runtime in %.200s: %s",
				     place->mapped.path, left_out->failure.text);
}

static void add_places(struct session *session, struct addition *addition)
{
	struct left_out *left_out;
	struct runtimes *runtimes;

	if (runtimes__find(session->options.proc_root, addition->pid, session->files, &runtimes))
		return;
	left_out = calloc(max_of(runtimes->n, (size_t)1), sizeof(*left_out));
	if (!left_out)
		addition->err = failure__set(&addition->failure, -ENOMEM, "out of memory");
	for (size_t i = 0; left_out && i < runtimes->n; i++)
		add_place(session, &runtimes->places[i], addition, &left_out[i]);
	for (size_t i = 0; left_out && i < runtimes->n; i++) {
		if (left_out[i].tell && (addition->n || !addition->anew))
			tell_left_out(addition, runtimes->places[i].mapped.path,
				      &left_out[i].failure);
	}
	free(left_out);
	free(runtimes);
}

static bool is_unsupported(int err)
{
	return err == -EOPNOTSUPP || err == -ENOTRECOVERABLE;
}

int session__add_runtimes(struct session *session, pid_t pid, const struct exe_file *expected,
			  bool *ret_later, struct failure *failure)
{
	struct target *target = session__find(session, pid);
	struct addition addition = {.pid = pid, .anew = !target};
	int err = -EEXIST;

	/* What a process executes is Go from the start or never. */
	if (addition.anew)
		err = session__add(session, pid, NULL, expected, &target, failure);
	addition.n = !err;
	*ret_later = false;
	if (err && err != -EEXIST && err != -ENOEXEC && !is_unsupported(err))
		return err;
	add_places(session, &addition);
	*ret_later = addition.later;
	if (addition.n && is_unsupported(err))
		tell_left_out(&addition, "its executable", failure);
	if (addition.n)
		return addition.n;
	/* The executable has the first word, unless it is of no interest. */
	if (err == -ENOEXEC && addition.err)
		*failure = addition.failure;
	return err == -ENOEXEC && addition.err ? addition.err : err;
}

static void remove_at(struct session *session, size_t i)
{
	forget_slot(session, session->targets[i]);
	target__free(session->targets[i]);
	session->n_targets--;
	memmove(&session->targets[i], &session->targets[i + 1],
		(session->n_targets - i) * sizeof(session->targets[0]));
}

int session__add_process(struct session *session, pid_t pid, struct failure *failure)
{
	bool later;

	return session__add_runtimes(session, pid, NULL, &later, failure);
}

struct exe_cache *session__files(struct session *session)
{
	return session->files;
}

void session__remove(struct session *session, pid_t pid)
{
	for (size_t i = session->n_targets; i-- > 0;) {
		if (target__pid(session->targets[i]) == pid)
			remove_at(session, i);
	}
}

void session__set_max_overhead(struct session *session, double max_overhead)
{
	session->options.max_overhead = max_overhead;
	for (size_t i = 0; i < session->n_targets; i++)
		share_budget(session, target__pid(session->targets[i]));
}

int session__ring_fd(const struct session *session)
{
	return session->reader ? event_reader__epoll_fd(session->reader) : -1;
}

void session__drain(struct session *session)
{
	if (!session->reader)
		return;
	/*
	 * Losses are read before consuming: what they say was lost by then is older than what is
	 * consumed later.
	 */
	for (size_t i = 0; i < session->n_targets; i++)
		target__note_losses(session->targets[i]);
	event_reader__consume(session->reader);
}

void session__govern(struct session *session, uint64_t now_ns)
{
	/* What the ring holds are hits, too. */
	session__drain(session);
	for (size_t i = 0; i < session->n_targets; i++)
		target__govern(session->targets[i], now_ns);
}

static int note_failure(const struct session *session, const struct target *target, int err,
			const struct failure *failure)
{
	if (!session->options.for_host)
		return err;
	log_warn("pid %d: %s; its figures stay as they were", target__pid(target), failure->text);
	return 0;
}

int session__census_start(struct session *session, struct failure *failure)
{
	/* What the ring holds now is older than anything the census will read. */
	session__drain(session);
	for (size_t i = 0; i < session->n_targets; i++) {
		struct target *target = session->targets[i];
		int err = target__takes_turn(target) ? target__census_start(target, failure) : 0;

		if (err)
			err = note_failure(session, target, err, failure);
		if (err)
			return err;
		note_slots(session, target);
	}
	return 0;
}

int session__census_start_of(struct session *session, struct target *target,
			     struct failure *failure)
{
	int err;

	if (target__census_under_way(target))
		return 0;
	session__drain(session);
	err = target__census_start(target, failure);
	if (err)
		return note_failure(session, target, err, failure);
	note_slots(session, target);
	return 0;
}

/* The next target's turn; 1: its census goes on. */
static int take_turn(struct session *session, uint64_t budget_ns, struct failure *failure)
{
	struct target *target = session->targets[session->turn % session->n_targets];
	int more = target__census_step(target, budget_ns, failure);

	session->turn = (session->turn + 1) % session->n_targets;
	if (more < 0)
		return note_failure(session, target, more, failure);
	if (!more && target__census_complete(target)) {
		session__drain(session);
		target__census_finish(target);
	}
	return more;
}

int session__census_step(struct session *session, uint64_t budget_ns, struct failure *failure)
{
	uint64_t end_ns = clock__monotonic_ns() + budget_ns;

	session__drain(session);
	for (size_t i = 0; i < session->n_targets; i++) {
		int more = take_turn(session, budget_ns, failure);

		if (more < 0)
			return more;
		if (clock__monotonic_ns() >= end_ns)
			break;
	}
	return session__census_under_way(session) > 0;
}

size_t session__census_under_way(const struct session *session)
{
	size_t n = 0;

	for (size_t i = 0; i < session->n_targets; i++)
		n += target__census_under_way(session->targets[i]);
	return n;
}

static int write_targets(struct session *session, struct state_writer *writer)
{
	int err = 0;

	for (size_t i = 0; i < session->n_targets && !err; i++) {
		struct target *target = session->targets[i];
		struct runtime_id id = target__id(target);

		if (target__state(target) == TARGET_LIVE)
			err = saved_state__write(writer, &id, target__modules(target),
						 target__tracker(target),
						 target_samples__history(target, false));
	}
	return err;
}

static int write_quarantined(struct state_writer *writer)
{
	struct quarantine_entry entries[QUARANTINE_MAX];
	size_t n = access__quarantined(entries, QUARANTINE_MAX);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = state_writer__quarantined(writer, &entries[i]);
	return err;
}

int session__save(struct session *session, const char *path, struct state_writer **ret_writer,
		  struct failure *failure)
{
	struct state_writer *writer;
	int err = state_writer__begin(path, &writer);

	if (err)
		return failure__set(failure, err, "no memory to save the state");
	err = write_quarantined(writer);
	if (!err)
		err = write_targets(session, writer);
	if (err) {
		state_writer__abort(writer);
		return failure__set(failure, err, "the state was not saved: %s", strerror(-err));
	}
	*ret_writer = writer;
	return 0;
}

size_t session__live(struct session *session)
{
	size_t live = 0;

	for (size_t i = 0; i < session->n_targets; i++)
		live += target__check_alive(session->targets[i]);
	return live;
}

uint64_t session__malformed(const struct session *session)
{
	return session->reader ? event_reader__malformed(session->reader) : 0;
}

const struct calibration *session__calibration(const struct session *session)
{
	return session->outlook.calibrated ? &session->outlook.calibration : NULL;
}

uint64_t session__events(const struct session *session)
{
	return session->reader ? event_reader__consumed(session->reader) : 0;
}

size_t session__n_targets(const struct session *session)
{
	return session->n_targets;
}

struct target *session__target(const struct session *session, size_t index)
{
	return session->targets[index];
}

struct turns_targets session__turns(const struct session *session)
{
	return (struct turns_targets){session->targets, session->n_targets};
}
