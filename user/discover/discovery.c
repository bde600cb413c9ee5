// SPDX-License-Identifier: Apache-2.0
/*
 * A record for each process (discover/process_table), in one of its states; what is to be done next
 * with it, and when, is its place in the schedule. Records of programs that are no Go programs stay
 * too: they cost a sweep one system call, to see that the process still runs the same file.
 */
#include "discover/discovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "golang/go_sniff.h"
#include "host/exe_file.h"
#include "host/pids.h"
#include "discover/exe_cache.h"
#include "discover/process_table.h"

/* Between fork and exec a process looks like its parent; one that a sweep finds gets this long. */
#define SETTLE_NS (2 * NSEC_PER_SEC)

#define RETRY_FIRST_NS NSEC_PER_SEC
#define RETRY_MAX_NS   (300 * NSEC_PER_SEC)
#define PAUSE_NS       (10 * NSEC_PER_SEC) /* until there may be room */

/* The exit event comes before the address space is taken down, which can take seconds. */
#define LEAVING_FIRST_NS (100 * NSEC_PER_MSEC)
#define LEAVING_ATTEMPTS 9 /* 51 s */

/* Some ms when every file is new. */
#define LOOKS_PER_TICK 64

struct discovery {
	char *proc_root;
	pid_t self;
	uint64_t min_age_ns;
	size_t max_targets;
	uint64_t (*boottime)(void);
	struct discovery_ops ops;
	void *ctx;
	struct selection *selection;
	struct process_table *table;
	struct exe_cache *files;
	uint64_t sweeps;
	uint64_t now_ns; /* of the sweep under way */
	struct discovery_counts counts;
};

/* --- records ------------------------------------------------------------------------------------- */

static void detach(struct discovery *discovery, const struct process_entry *entry)
{
	if (entry->state == PROCESS_ATTACHED)
		discovery->ops.detach(discovery->ctx, entry->id.pid);
}

static void drop(struct discovery *discovery, struct process_entry *entry)
{
	detach(discovery, entry);
	process_table__remove(discovery->table, entry);
}

static struct process_entry *add(struct discovery *discovery, pid_t pid)
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

/* From the beginning: what is known of it is no longer true. */
static void restart(struct discovery *discovery, struct process_entry *entry, uint64_t due_ns)
{
	detach(discovery, entry);
	process_table__set_state(discovery->table, entry, PROCESS_CANDIDATE);
	entry->started = entry->identified = entry->leaving = false;
	entry->attempts = 0;
	entry->looked_ns = 0;
	process_table__schedule(discovery->table, entry, due_ns);
}

static void reject(struct discovery *discovery, struct process_entry *entry)
{
	process_table__set_state(discovery->table, entry, PROCESS_REJECTED);
	process_table__unschedule(discovery->table, entry);
	discovery->counts.rejected++;
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

/* --- what a file is ------------------------------------------------------------------------------ */

static enum exe_verdict verdict_of(enum go_sniff_kind kind)
{
	switch (kind) {
	case GO_SNIFF_NO:
		return EXE_NOT_GO;
	case GO_SNIFF_UNSURE:
		return EXE_MAYBE_GO;
	default:
		/* Other compilers' as well: the attach says in words what is wrong with them. */
		return EXE_GO;
	}
}

/* -EAGAIN: it runs another file by now. Else as process__open_exe() and go_sniff__file(). */
static int open_and_sniff(struct discovery *discovery, const struct process_entry *entry,
			  enum exe_verdict *ret_verdict)
{
	int fd __cleanup_close = process__open_exe(discovery->proc_root, entry->id.pid, NULL);
	struct go_sniff sniff;
	struct stat opened;
	int err;

	if (fd == -ENOEXEC) {
		*ret_verdict = EXE_NOT_GO;
		return 0;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &opened) || opened.st_dev != entry->image.file.device ||
	    opened.st_ino != entry->image.file.inode)
		return -EAGAIN;
	discovery->counts.opened++;
	err = go_sniff__file(fd, &sniff);
	if (!err)
		*ret_verdict = verdict_of(sniff.kind);
	return err;
}

static int know_file(struct discovery *discovery, const struct process_entry *entry,
		     struct exe_knowledge *knowledge)
{
	int err;

	if (exe_cache__get(discovery->files, &entry->image, knowledge))
		return 0;
	*knowledge = (struct exe_knowledge){.pid = entry->id.pid};
	if (image_file__may_block(discovery->proc_root, entry->id.pid, &entry->image.file)) {
		knowledge->verdict = EXE_MAY_BLOCK;
		discovery->counts.may_block++;
	} else {
		err = open_and_sniff(discovery, entry, &knowledge->verdict);
		if (err)
			return err;
	}
	exe_cache__put(discovery->files, &entry->image, *knowledge);
	return 0;
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

/* Of a file with nothing to tell by, the attach found out that it is no Go program. */
static void refuse_file(struct discovery *discovery, struct process_entry *entry, int err,
			struct exe_knowledge knowledge, const struct failure *failure)
{
	bool not_go = knowledge.verdict == EXE_MAYBE_GO && err == -ENOEXEC;

	knowledge.verdict = not_go ? EXE_NOT_GO : EXE_UNSUPPORTED;
	knowledge.pid = entry->id.pid;
	exe_cache__put(discovery->files, &entry->image, knowledge);
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

	err = discovery->ops.attach(discovery->ctx, entry->id.pid, origin, &failure);
	discovery->counts.attach_attempts += err != -ENOSPC;
	if (!err) {
		entry->attempts = 0;
		settle(discovery, entry, PROCESS_ATTACHED, "");
		return;
	}
	if (err == -ESRCH) {
		drop(discovery, entry);
		return;
	}
	discovery->counts.attach_failures += err != -ENOSPC;
	if (err == -ENOEXEC || err == -EOPNOTSUPP)
		refuse_file(discovery, entry, err, knowledge, &failure);
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

/* A Go program, as far as its file tells. True when an attach was tried. */
static bool look_at_go(struct discovery *discovery, struct process_entry *entry,
		       struct exe_knowledge knowledge)
{
	struct process_origin origin = {0};
	struct failure failure = {""};
	struct process_info info;
	char reason[96];
	uint64_t missing;
	int err = process__read(discovery->proc_root, entry->id.pid, &info, &failure);

	if (err == -ESRCH) {
		drop(discovery, entry);
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
	entry->started = true;
	/* Without it, it belongs nowhere. */
	(void)!cgroup__read(discovery->proc_root, info.id.pid, &origin);
	if (!selection__wants(discovery->selection, &info, &origin)) {
		reject(discovery, entry);
		return false;
	}
	if (knowledge.verdict == EXE_UNSUPPORTED) {
		snprintf(reason, sizeof(reason),
			 "it runs the same executable as process %d, which could not be watched",
			 knowledge.pid);
		settle(discovery, entry, PROCESS_UNSUPPORTED, reason);
		return false;
	}
	if (is_full(discovery)) {
		pause_target(discovery, entry);
		return false;
	}
	attach(discovery, entry, &origin, knowledge);
	return true;
}

static void cannot_look(struct discovery *discovery, struct process_entry *entry, int err)
{
	if (err == -ESRCH) {
		drop(discovery, entry);
	} else if (err == -EACCES) {
		discovery->counts.not_readable++;
		reject(discovery, entry);
	} else if (err == -EAGAIN) {
		restart(discovery, entry, entry->looked_ns + SETTLE_NS);
	} else {
		retry(discovery, entry, PROCESS_FAILED, strerror(-err));
	}
}

static int identify(struct discovery *discovery, pid_t pid, struct exe_file *ret_file)
{
	discovery->counts.looked_at++;
	return exe_file__identify(discovery->proc_root, pid, ret_file);
}

/* True when an attach was tried. */
static bool look(struct discovery *discovery, struct process_entry *entry, uint64_t now_ns)
{
	struct exe_knowledge knowledge;
	int err;

	entry->looked_ns = now_ns;
	if (entry->state == PROCESS_PAUSED && is_full(discovery)) {
		process_table__schedule(discovery->table, entry, now_ns + PAUSE_NS);
		return false;
	}
	err = identify(discovery, entry->id.pid, &entry->image);
	entry->identified = !err;
	if (!err)
		err = know_file(discovery, entry, &knowledge);
	if (err) {
		cannot_look(discovery, entry, err);
		return false;
	}
	if (knowledge.verdict == EXE_NOT_GO || knowledge.verdict == EXE_MAY_BLOCK) {
		reject(discovery, entry);
		return false;
	}
	return look_at_go(discovery, entry, knowledge);
}

static void look_whether_gone(struct discovery *discovery, struct process_entry *entry,
			      uint64_t now_ns)
{
	if (!process__same(discovery->proc_root, entry->id)) {
		drop(discovery, entry);
		return;
	}
	entry->leaving = entry->attempts < LEAVING_ATTEMPTS;
	if (entry->leaving)
		process_table__schedule(discovery->table, entry,
					now_ns + (LEAVING_FIRST_NS << entry->attempts++));
	else
		process_table__unschedule(discovery->table, entry);
}

bool discovery__tick(struct discovery *discovery, uint64_t now_ns)
{
	struct process_entry *entry = process_table__next(discovery->table);

	for (int i = 0; i < LOOKS_PER_TICK && entry && entry->due_ns <= now_ns; i++) {
		bool attached = false;

		if (entry->leaving)
			look_whether_gone(discovery, entry, now_ns);
		else
			attached = look(discovery, entry, now_ns);
		entry = process_table__next(discovery->table);
		if (attached)
			break;
	}
	return entry && entry->due_ns <= now_ns;
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
		restart(discovery, entry, time_ns + discovery->min_age_ns);
		return;
	}
	entry = add(discovery, pid);
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
		drop(discovery, entry);
	} else if (!entry->leaving) {
		entry->attempts = 0;
		look_whether_gone(discovery, entry, time_ns);
	}
}

/* --- the sweep ----------------------------------------------------------------------------------- */

static void meet(struct discovery *discovery, pid_t pid, const struct exe_file *file)
{
	struct process_entry *entry = add(discovery, pid);
	struct exe_knowledge knowledge;
	bool first = discovery->sweeps == 1;
	uint64_t settle_ns = min_of(discovery->min_age_ns, SETTLE_NS);

	if (!entry)
		return;
	discovery->counts.found_by_sweep += !first;
	if (file && exe_cache__get(discovery->files, file, &knowledge) &&
	    knowledge.verdict == EXE_NOT_GO) {
		entry->image = *file;
		entry->identified = true;
		entry->looked_ns = discovery->now_ns;
		reject(discovery, entry);
		return;
	}
	/* The age of Go programs is asked for when they are looked at. */
	process_table__schedule(discovery->table, entry,
				discovery->now_ns + (first ? 0 : settle_ns));
}

/*
 * Whether @entry, looked at before, runs something else now. Replacing the file of a running program
 * changes the ctime of the one it runs: what is known to be the same process is not bothered for that,
 * of others the file is looked at again.
 */
static bool runs_another(struct discovery *discovery, const struct process_entry *entry,
			 const struct exe_file *file)
{
	struct exe_knowledge knowledge;

	if (!entry->identified)
		return true; /* it could not be looked at before */
	if (entry->started)
		return !exe_file__same_file(&entry->image, file);
	if (exe_file__same_contents(&entry->image, file))
		return false;
	return !exe_cache__get(discovery->files, file, &knowledge) ||
	       knowledge.verdict != EXE_NOT_GO;
}

/* @file: NULL when it may not be looked at. */
static void meet_again(struct discovery *discovery, struct process_entry *entry,
		       const struct exe_file *file)
{
	bool reused = entry->started && !process__same(discovery->proc_root, entry->id);

	entry->sweep = discovery->sweeps;
	if (reused) {
		discovery->counts.seen++;
		discovery->counts.found_by_sweep++;
	}
	if (reused || (file ? runs_another(discovery, entry, file) : entry->identified))
		restart(discovery, entry,
			discovery->now_ns + min_of(discovery->min_age_ns, SETTLE_NS));
}

static void sweep_one(struct discovery *discovery, pid_t pid)
{
	struct process_entry *entry = process_table__find(discovery->table, pid);
	struct exe_file file;
	int err;

	if (pid == discovery->self)
		return;
	/* What was told and is not old enough is not touched: it is there, and that is all. */
	if (entry && entry->state == PROCESS_CANDIDATE) {
		entry->sweep = discovery->sweeps;
		return;
	}
	err = identify(discovery, pid, &file);
	if (err == -ESRCH)
		return; /* a kernel thread, or on its way out */
	if (entry)
		meet_again(discovery, entry, err ? NULL : &file);
	else
		meet(discovery, pid, err ? NULL : &file);
}

static void drop_unseen(void *ctx, struct process_entry *entry)
{
	struct discovery *discovery = ctx;

	if (entry->sweep != discovery->sweeps)
		drop(discovery, entry);
}

int discovery__sweep(struct discovery *discovery, uint64_t now_ns)
{
	__cleanup_free pid_t *pids = NULL;
	size_t n;
	int err = pids__read(discovery->proc_root, &pids, &n);

	if (err)
		return err;
	discovery->sweeps++;
	discovery->now_ns = now_ns;
	for (size_t i = 0; i < n; i++)
		sweep_one(discovery, pids[i]);
	process_table__each(discovery->table, drop_unseen, discovery);
	return 0;
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
	return exe_cache__new(options->max_files ? options->max_files : EXE_CACHE_MAX,
			      &discovery->files);
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
	exe_cache__free(discovery->files);
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
