/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_SESSION_H
#define GLEAKD_SESSION_SESSION_H

/*
 * All watched processes and what they share: the loaded programs and the ring buffer. Hands events
 * to the target they belong to and runs the targets' censuses in slices.
 */
#include "base/common.h"
#include "base/failure.h"
#include "session/target.h"
#include "session/turns.h"

struct session;

struct session_options {
	const char *proc_root; /* PROC_ROOT, or a recorded tree */
	enum probe_mode mode;  /* what to attach to every target */
	uint32_t ring_bytes;   /* 0: default */
	double max_overhead;   /* as in struct target_options */
	bool begin_low;
	bool for_host; /* what goes wrong with a target is told in the log, and the others go on */
	bool patient; /* wait for a program that has only just begun: there is no other to look after */
	bool list_goroutines; /* as in struct target_options */
	bool list_system;
	goroutine_wanted_fn list_wants;
	void *list_ctx;
	const struct state_file *state; /* of an earlier gleakd, borrowed; NULL: none */
};

#define SESSION_MAX_TARGETS 1024 /* runtimes */

/*
 * How often the ring buffer is to be drained when nothing asks for it. The default ring holds a
 * quarter of a second of 200,000 creations and exits; a wake-up comes earlier when it is half full.
 */
#define SESSION_DRAIN_NS (50 * NSEC_PER_MSEC)
/* A slice of census between two looks at the ring buffer and the signals. */
#define SESSION_SLICE_NS (10 * NSEC_PER_MSEC)
/* How often the governor is to look. */
#define SESSION_GOVERN_NS NSEC_PER_SEC
/* And for the first time where probes are attached from the start: half of that is enough to see. */
#define SESSION_GOVERN_FIRST_NS (500 * NSEC_PER_MSEC)

/*
 * session__new - in census mode nothing is loaded and no privilege beyond reading the targets is
 * needed. Errors: as kernel__check() and probes__new().
 */
int session__new(const struct session_options *options, struct session **ret_session,
		 struct failure *failure) __must_check;
void session__free(struct session *session);

/*
 * session__add - watch the runtime of @pid's executable, or that at @place of it. Errors: as
 * target__open(); -ENOSPC too many, -EEXIST already watched: a place may be one of its plugins.
 */
int session__add(struct session *session, pid_t pid, const struct runtime_place *place,
		 const struct exe_file *expected, struct target **ret_target,
		 struct failure *failure) __must_check;

/*
 * session__add_process - watch all runtimes of @pid that are not watched yet. Those that cannot be are
 * logged when there are others. Returns how many were added; -EEXIST all that there are are watched; or
 * when there is none that can be watched the error of the executable's, or the first library's when that
 * is no Go program.
 */
int session__add_process(struct session *session, pid_t pid, struct failure *failure) __must_check;

/*
 * session__add_runtimes - the same; @ret_later says whether any that could not be may be another time.
 * @expected: as target__open() has it.
 */
int session__add_runtimes(struct session *session, pid_t pid, const struct exe_file *expected,
			  bool *ret_later, struct failure *failure) __must_check;

/* session__files - what is known of executables and libraries, for whoever looks at others. */
struct exe_cache *session__files(struct session *session);

/* session__remove - stop watching @pid and forget it; harmless when it is not watched. */
void session__remove(struct session *session, pid_t pid);

/* session__set_max_overhead - of targets that are watched and of those to come. */
void session__set_max_overhead(struct session *session, double max_overhead);

/* session__find - a target of @pid, that of its executable if there is one; or NULL. */
struct target *session__find(const struct session *session, pid_t pid);

/* session__ring_fd - readable when the ring is filling up; -1 in census mode. */
int session__ring_fd(const struct session *session);

/* session__govern - about once a second: keep every target's budget. */
void session__govern(struct session *session, uint64_t now_ns);

/* session__drain - consume the ring buffer and take note of losses. */
void session__drain(struct session *session);

/*
 * session__census_start - begin a census of every live target, but of those whose last one is still under
 * way or that have one less often (session/shares.h).
 */
int session__census_start(struct session *session, struct failure *failure) __must_check;

/* session__census_start_of - of @target alone, between rounds; nothing where one is under way. */
int session__census_start_of(struct session *session, struct target *target,
			     struct failure *failure) __must_check;

/*
 * session__census_step - go on for about @budget_ns, with one target after the other: whoever takes
 * longer than that comes again when the others had their turns. 1: more to do, 0: every census is
 * complete. Drains the ring buffer before and after.
 */
int session__census_step(struct session *session, uint64_t budget_ns,
			 struct failure *failure) __must_check;

/* session__census_under_way - of how many targets. */
size_t session__census_under_way(const struct session *session);

/*
 * session__save - what is known of all live targets, in a writer for state file @path. The caller
 * commits or aborts it. -ENOMEM, -EFBIG.
 */
int session__save(struct session *session, const char *path, struct state_writer **ret_writer,
		  struct failure *failure) __must_check;

/* session__live - targets that still run their program; refreshes their states. */
size_t session__live(struct session *session);

/* session__malformed - records of the ring buffer that made no sense, of whichever target. */
uint64_t session__malformed(const struct session *session);

/* session__calibration - NULL: none was made. */
const struct calibration *session__calibration(const struct session *session);

/* session__events - records of the ring buffer that arrived. */
uint64_t session__events(const struct session *session);

size_t session__n_targets(const struct session *session);
struct target *session__target(const struct session *session, size_t index);
/* session__turns - all of them, for turns__step(); valid until one comes or goes. */
struct turns_targets session__turns(const struct session *session);

#endif /* GLEAKD_SESSION_SESSION_H */
