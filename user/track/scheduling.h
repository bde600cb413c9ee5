/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SCHEDULING_H
#define GLEAKD_TRACK_SCHEDULING_H

/*
 * What is held up in one process: goroutines that wait for a processor, those that keep one to
 * themselves, and threads that stay in one system call. By comparing what censuses saw; each time told is one
 * that passed at least.
 *
 * Pure: what is seen is given with its time.
 */
#include "base/common.h"
#include "track/threads.h"

/* As the runtime has it: who has run for that long is asked to yield (src/runtime/proc.go forcePreemptNS). */
#define SCHEDULING_LATE_NS (10 * NSEC_PER_MSEC)
/*
 * For so long nobody else is scheduled on a P that asks its goroutine to yield ten times. That much its thread
 * has to have run meanwhile: one that has no processor yields to nobody, and keeps none.
 */
#define SCHEDULING_HOG_NS (100 * NSEC_PER_MSEC)
/*
 * So often in a row a goroutine was found running, or waiting for its next turn, while others waited for a
 * processor; so often of these running: who is late for a moment's work is hardly ever found at it.
 */
#define SCHEDULING_HOG_LOOKS 3
#define SCHEDULING_HOG_TIMES 2
#define SCHEDULING_STUCK_NS  (5 * NSEC_PER_SEC)
/*
 * What is counted is told of at least so long, once it is known for so long: in a moment nothing happens, and a
 * last report may come a moment after the one before.
 */
#define SCHEDULING_WINDOW_NS (9 * NSEC_PER_SEC / 10)

/* More goroutines than that are not compared from census to census; how many were left out is counted. */
#define SCHEDULING_MAX_RUNNABLE 1024
#define SCHEDULING_MAX_CALLS	4096
#define SCHEDULING_MAX_LOCKED	1024
#define SCHEDULING_MAX_RUNNING	256
/* The longest ones of each are told. */
#define SCHEDULING_MAX_TOLD 16

/* A goroutine that waits for a processor. */
struct scheduling_late {
	uint64_t goid;
	uint64_t waiting_ns;
	bool measured; /* by the runtime, to the ns; otherwise by two censuses, between which it did not run */
	bool never_ran; /* since it was created */
	bool by_kernel; /* it has a P, and its thread no processor: it waits in the kernel's queue, not in Go's */
};

/* What the kernel says of the thread of a goroutine that runs. */
struct scheduling_thread {
	uint64_t tid; /* 0: nothing is known */
	/* on a processor, and runnable without one, since it began */
	uint64_t cpu_ns, run_delay_ns;
	bool runs; /* it was seen to: no wait goes on that is not counted yet */
};

/* One that keeps a processor. */
struct scheduling_hog {
	uint64_t goid;
	uint64_t running_ns;
	bool unyielding; /* nobody else was scheduled on its P for that long, while its thread ran */
	uint32_t looks;	 /* in a row that found it so */
};

/* A call as the kernel shows it (proc(5), /proc/PID/task/TID/syscall), and how often its thread has blocked. */
struct scheduling_call {
	uint64_t goid;
	uint64_t m; /* address of the goroutine's thread in the runtime */
	uint64_t tid;
	bool in_c;
	int64_t number; /* of the system call */
	uint64_t args[6];
	uint64_t sp, pc;
	uint64_t switches;
};

struct scheduling_stuck {
	struct scheduling_call call;
	uint64_t for_ns;
};

/* Why nobody got on in the meantime; what a kernel does not tell is not known. */
struct scheduling_cpu {
	bool run_delay_known, throttled_known, stolen_known;
	uint64_t run_delay_ns; /* its threads were runnable and had no processor, all together */
	uint64_t throttled_ns; /* by the limit of its control groups */
	/* whoever runs this machine gave its processors to others, all together */
	uint64_t stolen_ns;
	uint64_t host_processors;
};

/* What one census adds up to. */
struct scheduling_view {
	bool latencies_known;
	/* waits of more than 10 ms since the program began, of one in eight goroutines */
	uint64_t over_10ms;
	/* Of these, in the last since_ns: since the census before, or the one before that (SCHEDULING_WINDOW_NS). */
	uint64_t over_10ms_new; /* 0 at the first */
	uint64_t since_ns;	/* 0: there was no census before */
	struct scheduling_late late[SCHEDULING_MAX_TOLD];
	size_t n_late;
	uint64_t more_late; /* that are not in late[] */
	struct scheduling_hog hogs[SCHEDULING_MAX_TOLD];
	size_t n_hogs;
	struct scheduling_stuck stuck[SCHEDULING_MAX_TOLD];
	size_t n_stuck;
	uint64_t more_stuck;
	uint64_t in_calls;	   /* goroutines in a system call or in C, each on a thread */
	uint64_t locked;	   /* goroutines that have a thread to themselves */
	struct threads_rise rise;  /* of threads of the operating system */
	uint64_t processors;	   /* Ps: GOMAXPROCS; 0: not known */
	struct scheduling_cpu cpu; /* in the last since_ns */
	/* since the census before, however short: what can be added up */
	struct scheduling_cpu cpu_new;
	uint64_t left_out; /* goroutines that there was no room to compare */
};

struct scheduling;

/* scheduling__new - -ENOMEM. free takes NULL. */
int scheduling__new(struct scheduling **ret_scheduling) __must_check;
void scheduling__free(struct scheduling *scheduling);

/* --- a census, in this order --------------------------------------------------------------------- */

void scheduling__begin(struct scheduling *scheduling);

/*
 * scheduling__runnable - a goroutine waits for a processor, since @since_ns (0: not measured). It has run
 * since the census before, or was not seen there.
 */
void scheduling__runnable(struct scheduling *scheduling, uint64_t goid, uint64_t since_ns,
			  uint64_t read_at_ns, bool never_ran);

/* scheduling__unchanged - a goroutine has not run since the census before. */
void scheduling__unchanged(struct scheduling *scheduling, uint64_t goid, uint64_t read_at_ns);

/* scheduling__in_call - a goroutine is in a system call or in C, on the thread @m. */
void scheduling__in_call(struct scheduling *scheduling, uint64_t goid, uint64_t m);

/* scheduling__locked - a goroutine has locked itself to its thread; it may be told of as anything else, too. */
void scheduling__locked(struct scheduling *scheduling, uint64_t goid);

/*
 * scheduling__wants_call - whether what the kernel says of the call of a goroutine matters: for those that
 * were in one at the census before, and of which it was not noted yet. *@index goes from 0 on. False when there are no
 * more.
 */
bool scheduling__wants_call(const struct scheduling *scheduling, size_t *index, uint64_t *ret_goid,
			    uint64_t *ret_m);
void scheduling__note_call(struct scheduling *scheduling, const struct scheduling_call *call,
			   uint64_t now_ns);

/*
 * scheduling__wants_thread - whether it matters what the kernel says of the thread of a goroutine on a P since
 * @since_ns, as that may be one that keeps it.
 */
bool scheduling__wants_thread(const struct scheduling *scheduling, uint64_t since_ns,
			      uint64_t now_ns);

/* scheduling__is_long - whether who has been on a P since @since_ns (0: not known) may be one that keeps it. */
bool scheduling__is_long(uint64_t since_ns, uint64_t now_ns);

/* scheduling__knows_thread - whether it was asked of at the census before, with which it is compared. */
bool scheduling__knows_thread(const struct scheduling *scheduling, uint64_t tid);

/* A goroutine on a P, as observe/scheduler.h has it, and its thread; NULL: that was not asked for. */
void scheduling__running(struct scheduling *scheduling, uint64_t goid, uint64_t since_ns,
			 const struct scheduling_thread *thread, uint64_t now_ns);

/*
 * scheduling__call - the calls of the last complete census of which the kernel was asked, by *@index from 0 on; NULL:
 * there are no more.
 */
const struct scheduling_call *scheduling__call(const struct scheduling *scheduling, size_t *index);

/*
 * What the runtime counts: so many Ps (0: not known, or not looked at), so many waits of more than
 * 10 ms since it began.
 */
struct scheduling_counts {
	uint64_t processors;
	bool latencies_known;
	uint64_t over_10ms;
	uint64_t threads; /* of the operating system; 0: not known */
	bool computes; /* it has used SCHEDULING_HOG_NS of processor time since the census before */
};

/* scheduling__end - all of a census is known. */
void scheduling__end(struct scheduling *scheduling, const struct scheduling_counts *counts,
		     uint64_t now_ns);

/* scheduling__wants_cpu - whether somebody was late by now, so that it matters why. */
bool scheduling__wants_cpu(const struct scheduling *scheduling);

/* scheduling__note_cpu - totals since the process began, at the end of a census; what is less is not known. */
void scheduling__note_cpu(struct scheduling *scheduling, const struct scheduling_cpu *totals);

/* scheduling__view - of the last census; all zero before. */
const struct scheduling_view *scheduling__view(const struct scheduling *scheduling);

#endif /* GLEAKD_TRACK_SCHEDULING_H */
