// SPDX-License-Identifier: Apache-2.0
/*
 * A record for each process (discover/process_table), in one of its states; what is to be done next
 * with it, and when, is its place in the schedule. Records of programs that are no Go programs stay
 * too: they cost a sweep a few system calls, to see that the process still runs the same file and has
 * nothing new mapped.
 */
#include "discover/discovery_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "host/exe_claim.h"
#include "host/exe_file.h"
#include "host/access.h"
#include "host/owner.h"
#include "host/pids.h"

#define RETRY_FIRST_NS NSEC_PER_SEC
#define RETRY_MAX_NS   (300 * NSEC_PER_SEC)
#define PAUSE_NS       (10 * NSEC_PER_SEC) /* until there may be room */

/* The exit event comes before the address space is taken down, which can take seconds. */
#define LEAVING_FIRST_NS (100 * NSEC_PER_MSEC)
#define LEAVING_ATTEMPTS 9 /* 51 s */

/* Some ms when every file is new, or every process has a hundred libraries. */
#define LOOKS_PER_TICK 16

/* Who takes that long and gives no answer is seldom alone: others of his come when everybody has had a turn. */
#define HELD_UP_NS NSEC_PER_SEC
#define OTHERS_NS  (5 * NSEC_PER_SEC)

/* What is asked of others for a look takes about as long there (docs/broker.md). */
#define PROCESSES 2

/* --- records ------------------------------------------------------------------------------------- */

static void detach(struct discovery *discovery, const struct process_entry *entry)
{
	if (entry->state == PROCESS_ATTACHED)
		discovery->ops.detach(discovery->ctx, entry->id.pid);
}

void discovery__drop(struct discovery *discovery, struct process_entry *entry)
{
	detach(discovery, entry);
	process_table__remove(discovery->table, entry);
}

struct process_entry *discovery__add(struct discovery *discovery, pid_t pid)
{
	struct process_entry *entry = process_table__add(discovery->table, pid);

	if (!entry) {
		discovery->counts.refused++;
		return NULL;
	}
	discovery->counts.seen++;
	entry->sweep = discovery->sweeps;
	return entry;
}

void discovery__restart(struct discovery *discovery, struct process_entry *entry, uint64_t due_ns)
{
	detach(discovery, entry);
	process_table__set_state(discovery->table, entry, PROCESS_CANDIDATE);
	entry->started = entry->identified = entry->leaving = entry->searched = false;
	entry->attempts = 0;
	entry->looked_ns = 0;
	process_table__schedule(discovery->table, entry, due_ns);
}

static void reject(struct discovery *discovery, struct process_entry *entry)
{
	discovery->counts.rejected += entry->state != PROCESS_REJECTED;
	process_table__set_state(discovery->table, entry, PROCESS_REJECTED);
	process_table__unschedule(discovery->table, entry);
}

static void settle(struct discovery *discovery, struct process_entry *entry,
		   enum process_state state, const char *reason)
{
	static const enum discovery_state told[PROCESS_STATES] = {
		[PROCESS_ATTACHED] = DISCOVERY_ATTACHED,
		[PROCESS_UNSUPPORTED] = DISCOVERY_UNSUPPORTED,
		[PROCESS_FAILED] = DISCOVERY_FAILED,
		[PROCESS_PAUSED] = DISCOVERY_PAUSED,
	};
	bool new = entry->state != state;

	process_table__set_state(discovery->table, entry, state);
	process_table__unschedule(discovery->table, entry);
	if (new && discovery->ops.changed)
		discovery->ops.changed(discovery->ctx, entry->id.pid, told[state], reason);
}

/* Later, in @state until then. */
static void retry(struct discovery *discovery, struct process_entry *entry,
		  enum process_state state, const char *reason)
{
	uint64_t pause = RETRY_MAX_NS;

	/* Room comes when others go, however often it was asked for. */
	if (state == PROCESS_PAUSED)
		pause = PAUSE_NS;
	else if (RETRY_FIRST_NS << entry->attempts < RETRY_MAX_NS)
		pause = RETRY_FIRST_NS << entry->attempts++;
	settle(discovery, entry, state, reason);
	process_table__schedule(discovery->table, entry, entry->looked_ns + pause);
}

/* --- attaching ----------------------------------------------------------------------------------- */

static bool is_full(const struct discovery *discovery)
{
	return discovery->max_targets &&
	       process_table__count(discovery->table, PROCESS_ATTACHED) >= discovery->max_targets;
}

static void pause_target(struct discovery *discovery, struct process_entry *entry)
{
	char reason[96];

	snprintf(reason, sizeof(reason), "%zu processes are watched already, which is the limit",
		 discovery->max_targets);
	retry(discovery, entry, PROCESS_PAUSED, reason);
}

/* Of a user with more targets than the owner of @entry has, one gives up its place. */
static bool make_room(struct discovery *discovery, const struct process_entry *entry)
{
	struct process_entry *other;
	char reason[128];
	uid_t owner;

	if (!owners__who_yields(process_table__owners(discovery->table), entry->owner, &owner))
		return false;
	other = process_table__latest_of(discovery->table, owner);
	if (!other)
		return false;
	detach(discovery, other);
	snprintf(
		reason, sizeof(reason),
		"its place is needed for a process of another user: user %u has most of the %zu that "
		"there are",
		owner, discovery->max_targets);
	other->leaving = false;
	retry(discovery, other, PROCESS_PAUSED, reason);
	process_table__schedule(discovery->table, other, entry->looked_ns + PAUSE_NS);
	return true;
}

/* Whether there is nothing of Go in the executable, or nobody has looked. */
static bool is_not_go(struct exe_knowledge knowledge)
{
	return knowledge.verdict == EXE_NOT_GO || knowledge.verdict == EXE_MAY_BLOCK;
}

/*
 * Neither the executable nor a library can be watched. Of an executable with nothing to tell by, the
 * attach found out that it is no Go program; what libraries are, whoever attached has kept.
 */
static void refuse_file(struct discovery *discovery, struct process_entry *entry, int err,
			struct exe_knowledge knowledge, const struct failure *failure)
{
	bool not_go = knowledge.verdict == EXE_MAYBE_GO && err == -ENOEXEC;

	if (!is_not_go(knowledge)) {
		knowledge.verdict = not_go ? EXE_NOT_GO : EXE_UNSUPPORTED;
		knowledge.pid = entry->id.pid;
		exe_cache__put(discovery->files, &entry->image, knowledge);
	}
	if (not_go)
		reject(discovery, entry);
	else
		settle(discovery, entry, PROCESS_UNSUPPORTED, failure->text);
}

static void attach(struct discovery *discovery, struct process_entry *entry,
		   const struct process_origin *origin, struct exe_knowledge knowledge)
{
	struct failure failure = {""};
	int err;

	if (!is_not_go(knowledge))
		discovery__note_mapped(discovery, entry);
	err = discovery->ops.attach(discovery->ctx, entry->id.pid, origin, &failure);
	discovery->counts.attach_attempts += err != -ENOSPC;
	if (err >= 0) {
		entry->attempts = 0;
		if (err)
			entry->mapped_code = entry->fingerprint = 0;
		settle(discovery, entry, PROCESS_ATTACHED, "");
		return;
	}
	if (err == -ESRCH) {
		discovery__drop(discovery, entry);
		return;
	}
	discovery->timed_out = err == -ETIMEDOUT;
	discovery->counts.attach_failures += err != -ENOSPC;
	if (err == -ENOEXEC || err == -EOPNOTSUPP)
		refuse_file(discovery, entry, err, knowledge, &failure);
	else if (err == -ENOTRECOVERABLE)
		settle(discovery, entry, PROCESS_UNSUPPORTED, failure.text);
	else
		retry(discovery, entry, err == -ENOSPC ? PROCESS_PAUSED : PROCESS_FAILED,
		      failure.text);
}

/* --- looking at a process ------------------------------------------------------------------------ */

/* How long it must live yet before it is of interest. */
static uint64_t missing_age(const struct discovery *discovery, struct process_id id)
{
	uint64_t age = process_id__uptime_ns(id, discovery->boottime());

	return age < discovery->min_age_ns ? discovery->min_age_ns - age : 0;
}

/* False: not now, or never, and that is done. */
static bool read_process(struct discovery *discovery, struct process_entry *entry,
			 struct exe_knowledge knowledge, struct process_origin *origin)
{
	struct failure failure = {""};
	struct process_info info;
	uint64_t missing;
	int err = process__read(discovery->proc_root, entry->id.pid, &info, &failure);

	if (err == -ESRCH) {
		discovery__drop(discovery, entry);
		return false;
	}
	if (err && is_not_go(knowledge)) {
		reject(discovery, entry);
		return false;
	}
	if (err) {
		retry(discovery, entry, PROCESS_FAILED, failure.text);
		return false;
	}
	missing = missing_age(discovery, info.id);
	if (missing) {
		process_table__schedule(discovery->table, entry, entry->looked_ns + missing);
		return false;
	}
	entry->id = info.id;
	entry->uid = info.uid;
	entry->owner = access__owner(discovery->proc_root, info.id.pid, info.uid);
	/* Without it, it belongs nowhere. */
	(void)!cgroup__read(discovery->proc_root, info.id.pid, origin);
	entry->started = true;
	if (selection__wants(discovery->selection, &info, origin))
		return true;
	reject(discovery, entry);
	return false;
}

/* Of a process that is wanted; true when an attach was tried. */
static bool look_at_wanted(struct discovery *discovery, struct process_entry *entry,
			   struct process_origin *origin, struct exe_knowledge knowledge)
{
	struct failure failure = {""};

	if (knowledge.verdict == EXE_UNSUPPORTED) {
		failure__set(
			&failure, 0,
			"it runs the same executable as process %d, which could not be watched",
			knowledge.pid);
		settle(discovery, entry, PROCESS_UNSUPPORTED, failure.text);
		return false;
	}
	if (is_not_go(knowledge) && !discovery__search_libraries(discovery, entry, &failure)) {
		/* The start time of what is rejected is of no use: a sweep has less to read. */
		entry->started = failure.text[0];
		if (entry->started)
			settle(discovery, entry, PROCESS_UNSUPPORTED, failure.text);
		else
			reject(discovery, entry);
		return false;
	}
	if (is_full(discovery) && !make_room(discovery, entry)) {
		pause_target(discovery, entry);
		return false;
	}
	exe_claim__find(discovery->proc_root, entry->id.pid, entry->uid, origin);
	attach(discovery, entry, origin, knowledge);
	return true;
}

static void cannot_look(struct discovery *discovery, struct process_entry *entry, int err)
{
	discovery->timed_out = err == -ETIMEDOUT;
	if (err == -ESRCH) {
		discovery__drop(discovery, entry);
	} else if (err == -EACCES) {
		discovery->counts.not_readable++;
		reject(discovery, entry);
	} else if (err == -EAGAIN) {
		discovery__restart(discovery, entry, entry->looked_ns + DISCOVERY_SETTLE_NS);
	} else {
		retry(discovery, entry, PROCESS_FAILED, strerror(-err));
	}
}

int discovery__identify(struct discovery *discovery, pid_t pid, struct exe_file *ret_file)
{
	discovery->counts.looked_at++;
	return exe_file__identify(discovery->proc_root, pid, ret_file);
}

/* It is attached. */
static void look_again(struct discovery *discovery, struct process_entry *entry)
{
	process_table__unschedule(discovery->table, entry);
	discovery__note_mapped(discovery, entry);
	if (discovery->ops.refresh && discovery->ops.refresh(discovery->ctx, entry->id.pid))
		entry->mapped_code = entry->fingerprint = 0;
}

/* True when an attach was tried. */
static bool look(struct discovery *discovery, struct process_entry *entry, uint64_t now_ns)
{
	struct process_origin origin = {0};
	struct exe_knowledge knowledge;
	uid_t owner;
	int err;

	entry->looked_ns = now_ns;
	if (entry->state == PROCESS_ATTACHED) {
		look_again(discovery, entry);
		return true;
	}
	if (entry->state == PROCESS_PAUSED && is_full(discovery) &&
	    !owners__who_yields(process_table__owners(discovery->table), entry->owner, &owner)) {
		process_table__schedule(discovery->table, entry, now_ns + PAUSE_NS);
		return false;
	}
	err = discovery__identify(discovery, entry->id.pid, &entry->image);
	entry->identified = !err;
	if (!err)
		err = discovery__know_file(discovery, entry, &knowledge);
	if (err) {
		cannot_look(discovery, entry, err);
		return false;
	}
	return read_process(discovery, entry, knowledge, &origin) &&
	       look_at_wanted(discovery, entry, &origin, knowledge);
}

static void look_whether_gone(struct discovery *discovery, struct process_entry *entry,
			      uint64_t now_ns)
{
	if (!process__same(discovery->proc_root, entry->id)) {
		discovery__drop(discovery, entry);
		return;
	}
	entry->leaving = entry->attempts < LEAVING_ATTEMPTS;
	if (entry->leaving)
		process_table__schedule(discovery->table, entry,
					now_ns + (LEAVING_FIRST_NS << entry->attempts++));
	else
		process_table__unschedule(discovery->table, entry);
}

/* False: others of its owner, or of that time, come first, and it was told when to come again. */
static bool has_turn(struct discovery *discovery, struct process_entry *entry, uint64_t now_ns,
		     uid_t *ret_owner)
{
	struct process_id id;
	uint64_t turn_ns;
	uid_t uid;

	*ret_owner = 0;
	if (!look_shares__any(&discovery->looks))
		return true;
	/* Who cannot be told of has ended, or is hidden: there is little to look at. */
	if (process__identify(discovery->proc_root, entry->id.pid, &id, &uid))
		return true;
	*ret_owner = access__owner(discovery->proc_root, entry->id.pid, uid);
	turn_ns = look_shares__turn(&discovery->looks, *ret_owner, now_ns);
	if (turn_ns > now_ns)
		process_table__schedule(discovery->table, entry, turn_ns);
	return turn_ns <= now_ns;
}

/* Nobody is looked at meanwhile. What is refused because of an earlier time comes back at once. */
static void note_held_up(struct discovery *discovery, pid_t pid, uint64_t now_ns, uint64_t took_ns)
{
	struct process_id id;
	uid_t uid;

	if (!discovery->timed_out || took_ns < HELD_UP_NS ||
	    process__identify(discovery->proc_root, pid, &id, &uid))
		return;
	look_shares__hold(&discovery->looks, access__owner(discovery->proc_root, pid, uid),
			  now_ns + took_ns + OTHERS_NS);
}

/* True when an attach was tried. */
static bool look_in_turn(struct discovery *discovery, struct process_entry *entry, uint64_t now_ns)
{
	uint64_t cpu_ns, begun_ns;
	pid_t pid = entry->id.pid;
	bool attached;
	uid_t owner;

	if (!has_turn(discovery, entry, now_ns, &owner))
		return false;
	cpu_ns = discovery->cpu();
	begun_ns = discovery->clock();
	discovery->timed_out = false;
	attached = look(discovery, entry, now_ns);
	note_held_up(discovery, pid, now_ns, discovery->clock() - begun_ns);
	look_shares__pay(&discovery->looks, owner, PROCESSES * (discovery->cpu() - cpu_ns), now_ns);
	return attached;
}

void discovery__limit_looks(struct discovery *discovery, double share)
{
	if (share != discovery->looks.share)
		look_shares__limit(&discovery->looks, share);
}

bool discovery__tick(struct discovery *discovery, uint64_t now_ns)
{
	struct process_entry *entry = process_table__next(discovery->table);

	for (int i = 0; i < LOOKS_PER_TICK && entry && entry->due_ns <= now_ns; i++) {
		bool attached = false;

		if (entry->leaving)
			look_whether_gone(discovery, entry, now_ns);
		else
			attached = look_in_turn(discovery, entry, now_ns);
		entry = process_table__next(discovery->table);
		if (attached)
			break;
	}
	return entry && entry->due_ns <= now_ns;
}

const struct exe_file *discovery__image(const struct discovery *discovery, pid_t pid)
{
	const struct process_entry *entry = process_table__find(discovery->table, pid);

	return entry && entry->identified ? &entry->image : NULL;
}

uint64_t discovery__next_ns(const struct discovery *discovery)
{
	const struct process_entry *entry = process_table__next(discovery->table);

	return entry ? entry->due_ns : UINT64_MAX;
}

/* --- events -------------------------------------------------------------------------------------- */

void discovery__exec(struct discovery *discovery, pid_t pid, uint64_t time_ns)
{
	struct process_entry *entry = process_table__find(discovery->table, pid);

	if (pid <= 0 || pid == discovery->self)
		return;
	if (entry && entry->looked_ns >= time_ns)
		return; /* late: this is the program that was looked at */
	if (entry) {
		discovery__restart(discovery, entry, time_ns + discovery->min_age_ns);
		return;
	}
	entry = discovery__add(discovery, pid);
	if (entry)
		process_table__schedule(discovery->table, entry, time_ns + discovery->min_age_ns);
}

void discovery__exit(struct discovery *discovery, pid_t pid, uint64_t time_ns)
{
	struct process_entry *entry = process_table__find(discovery->table, pid);

	if (!entry)
		return;
	if (entry->state != PROCESS_ATTACHED) {
		/* Should it be about an earlier process of that number, the next sweep finds this one. */
		discovery__drop(discovery, entry);
	} else if (!entry->leaving) {
		entry->attempts = 0;
		look_whether_gone(discovery, entry, time_ns);
	}
}

/* --- begin and end ------------------------------------------------------------------------------- */

static int make_parts(struct discovery *discovery, const struct discovery_options *options)
{
	int err;

	discovery->proc_root = strdup(options->proc_root);
	if (!discovery->proc_root)
		return -ENOMEM;
	err = process_table__new(options->max_processes ? options->max_processes :
							  PROCESS_TABLE_MAX,
				 &discovery->table);
	if (err)
		return err;
	discovery->files = options->files;
	if (discovery->files)
		return 0;
	err = exe_cache__new(EXE_CACHE_MAX, &discovery->own_files);
	discovery->files = discovery->own_files;
	return err;
}

int discovery__new(const struct discovery_options *options, const struct discovery_ops *ops,
		   void *ctx, struct discovery **ret_discovery, struct failure *failure)
{
	struct discovery *discovery = calloc(1, sizeof(*discovery));
	int err;

	if (!discovery)
		return failure__set(failure, -ENOMEM, "out of memory");
	discovery->self = options->self;
	discovery->min_age_ns = options->min_age_ns;
	discovery->max_targets = options->max_targets;
	discovery->boottime = options->boottime ? options->boottime : process_id__boottime_ns;
	discovery->cpu = options->cpu ? options->cpu : clock__thread_cpu_ns;
	discovery->clock = options->clock ? options->clock : clock__monotonic_ns;
	discovery->ops = *ops;
	discovery->ctx = ctx;
	err = selection__new(&options->select, &discovery->selection, failure);
	if (!err && make_parts(discovery, options))
		err = failure__set(failure, -ENOMEM, "out of memory");
	if (err) {
		discovery__free(discovery);
		return err;
	}
	*ret_discovery = discovery;
	return 0;
}

void discovery__free(struct discovery *discovery)
{
	if (!discovery)
		return;
	exe_cache__free(discovery->own_files);
	process_table__free(discovery->table);
	selection__free(discovery->selection);
	free(discovery->proc_root);
	free(discovery);
}

void discovery__counts(const struct discovery *discovery, struct discovery_counts *ret_counts)
{
	const struct process_table *table = discovery->table;

	*ret_counts = discovery->counts;
	ret_counts->files = exe_cache__count(discovery->files);
	ret_counts->files_evicted = exe_cache__evicted(discovery->files);
	ret_counts->candidates = process_table__count(table, PROCESS_CANDIDATE);
	ret_counts->states[DISCOVERY_ATTACHED] = process_table__count(table, PROCESS_ATTACHED);
	ret_counts->states[DISCOVERY_UNSUPPORTED] =
		process_table__count(table, PROCESS_UNSUPPORTED);
	ret_counts->states[DISCOVERY_FAILED] = process_table__count(table, PROCESS_FAILED);
	ret_counts->states[DISCOVERY_PAUSED] = process_table__count(table, PROCESS_PAUSED);
}
