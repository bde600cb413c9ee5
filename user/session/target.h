/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_TARGET_H
#define GLEAKD_SESSION_TARGET_H

/*
 * One watched Go runtime of a process: everything that is known of it, from the executable to the
 * verdicts, and the order in which it is brought up and torn down. The modules to the left do the work;
 * this one connects them. Most processes have one, that of their executable.
 */
#include "base/common.h"
#include "base/failure.h"
#include "host/cgroup.h"
#include "host/execution.h"
#include "host/process.h"
#include "golang/runtime_id.h"
#include "host/remote.h"
#include "observe/census.h"
#include "observe/wait_objects.h"
#include "probe/calibration.h"
#include "probe/governor.h"
#include "probe/plan.h"
#include "probe/probes.h"
#include "session/executable.h"
#include "session/goroutines/goroutine_list.h"
#include "state/file.h"
#include "track/tracker.h"

enum target_state {
	TARGET_LIVE,
	TARGET_EXITED,	   /* the process ended */
	TARGET_EXECUTED,   /* it runs another program now */
	TARGET_UNREADABLE, /* it goes on, but its memory makes no sense any more: target__trouble() */
};

struct target;

struct target_options {
	const char *proc_root;
	struct executables *executables; /* outlives the target */
	enum probe_mode mode;
	struct probes *probes;		       /* NULL in PROBE_MODE_CENSUS */
	const struct calibration *calibration; /* of this machine; NULL: usual figures */
	double max_overhead;  /* share of the target's CPU time and of one core; 0: no limit */
	bool begin_low;	      /* attach nothing before it is seen what that would cost */
	bool patient;	      /* wait for a program that has only just begun */
	bool list_goroutines; /* list every goroutine of each census */
	bool list_system;     /* and the runtime's own ones */
	goroutine_wanted_fn list_wants; /* only those of which it says so; NULL: all */
	void *list_ctx;			/* handed to it; outlives the target */
	const struct state_file *state; /* of an earlier gleakd; NULL: none */
};

/*
 * target__open - understand the process, or with a @place that runtime of it, attach what
 * @options->mode asks for and prepare the first census. Events are attached before the census begins,
 * so that no creation falls between them.
 * @expected: the file that it is to run, or NULL. Errors: as process__read(), go_binary__open(),
 * probes__attach(); -ESRCH it runs another file; -ENOTRECOVERABLE its memory is not as the file says.
 */
int target__open(const struct target_options *options, pid_t pid, const struct runtime_place *place,
		 const struct exe_file *expected, struct target **ret_target,
		 struct failure *failure) __must_check;

/* target__free - detach and forget. NULL is fine. */
void target__free(struct target *target);

/* target__event - one record of the ring buffer that names this process; as event_fn. */
void target__event(struct target *target, const struct gl_event *head,
		   const struct gl_event_create *create, const struct gl_creator *creator,
		   const struct gl_event_wake *wake);

/*
 * target__govern - about once a second: what watching cost since the last time, and whether the mode
 * has to change for it. A change that fails leaves what could be attached; the reason says so.
 */
void target__govern(struct target *target, uint64_t now_ns);

/* target__set_max_overhead - as in struct target_options; kept from the next tick on. */
void target__set_max_overhead(struct target *target, double max_overhead);
double target__max_overhead(const struct target *target);

/*
 * target__freeze - while @frozen, it takes in no more goroutines, stacks and sites than it has at this
 * moment, also when a census is under way; they are counted as refused.
 */
void target__freeze(struct target *target, bool frozen);
bool target__is_frozen(const struct target *target);
uid_t target__owner(const struct target *target);     /* as host/owner.h has it */
uint64_t target__memory(const struct target *target); /* bytes that grow with what it shows */
uint64_t target__take_cpu(struct target *target);     /* by its censuses since the last call */
/* target__stretch - it has a census in one of so many rounds; 1: in each. */
unsigned int target__stretch(const struct target *target);
void target__set_stretch(struct target *target, unsigned int stretch);
/* target__takes_turn - at the beginning of a round, once: whether a census is to begin now. */
bool target__takes_turn(struct target *target);
bool target__census_under_way(const struct target *target);

/* target__note_losses - tell the tracker how many of this process's records were lost so far. */
void target__note_losses(struct target *target);

/*
 * target__census_start / _step - as census__start() and census__step(), fed into the tracker.
 * When the process is gone the state says so and the step returns 0. Once the census is complete
 * the caller drains the ring buffer and calls _finish: an exit that is still in the ring must be
 * known before the tracker sweeps, or it would be counted twice.
 */
int target__census_start(struct target *target, struct failure *failure) __must_check;
int target__census_step(struct target *target, uint64_t budget_ns,
			struct failure *failure) __must_check;
bool target__census_complete(const struct target *target);
void target__census_finish(struct target *target);

/* target__check_alive - refresh the state; true while the same program runs. */
bool target__check_alive(struct target *target);

enum target_state target__state(const struct target *target);
/* target__trouble - why it is TARGET_UNREADABLE, in words; "" else. */
const char *target__trouble(const struct target *target);
pid_t target__pid(const struct target *target);
struct runtime_id target__id(const struct target *target);
/* target__is_of_exe - whether the runtime came with the executable. */
bool target__is_of_exe(const struct target *target);
const char *target__file(const struct target *target); /* with which file it came */
/* target__has_code - whether one of its modules has code between these addresses of the process. */
bool target__has_code(const struct target *target, uint64_t start, uint64_t end);
/*
 * target__slot - of its module @index, as probe_attachment__slot(); -1: nothing can be attached to it, or
 * there are no more. Plugins come with the beginning of a census.
 */
int target__slot(const struct target *target, size_t index);
/* target__set_origin - where it runs; copied. */
void target__set_origin(struct target *target, const struct process_origin *origin);
const struct process_origin *target__origin(const struct target *target);
/* target__execution - whether it gets to run and who traces it, by the last census. */
const struct execution *target__execution(const struct target *target);
const struct process_info *target__process(const struct target *target);
struct go_binary *target__binary(const struct target *target);
const struct module_map *target__modules(const struct target *target);
/* target__module_pc - the target's address @pc as a module pc, for its symbolizer. */
uint64_t target__module_pc(const struct target *target, uint64_t pc);
/* target__how - as go_binary__how(), and why a plugin is not readable. */
const char *target__how(const struct target *target);
const struct probe_plan *target__plan(const struct target *target);
enum probe_mode target__mode(const struct target *target);
const struct governor *target__governor(const struct target *target);
/* target__probe_ns - what the hits so far have cost it, each by what was known of it then. */
uint64_t target__probe_ns(const struct target *target);
const char *target__mode_reason(const struct target *target); /* why not all that was asked; "" */
uint64_t target__threads(const struct target *target);	      /* at the last census; 0: not known */
uint64_t target__attached_ns(const struct target *target);
uint64_t target__started_seconds(const struct target *target); /* since the epoch */
/* target__is_of_age - whether its process began as long ago as that. */
bool target__is_of_age(const struct target *target, uint64_t age_ns);
struct tracker *target__tracker(const struct target *target);
struct symbolizer *target__symbolizer(const struct target *target);
struct stack_table *target__stacks(const struct target *target);
const struct census_result *target__census(const struct target *target);
const struct census *target__slots(const struct target *target); /* where its goroutines are */
struct wait_reader *target__wait_reader(struct target *target);	 /* NULL: no memory */
/* target__hits - of each event's probe since the attach, those whose record was lost included. */
void target__hits(const struct target *target, uint64_t ret_hits[PROBE_EVENT_COUNT]);
/* target__remote - what was read of its memory. */
const struct remote *target__remote(const struct target *target);
const struct goroutine_list *
target__goroutine_list(const struct target *target); /* NULL: not asked for */

/*
 * target__list_once - the next census of it that begins lists its goroutines, @max at most. -ENOMEM.
 * target__listed_once - that list, until target__forget_list(); NULL: it is not there yet.
 */
int target__list_once(struct target *target, size_t max) __must_check;
const struct goroutine_list *target__listed_once(const struct target *target);
void target__forget_list(struct target *target);

#endif /* GLEAKD_SESSION_TARGET_H */
