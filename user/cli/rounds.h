/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_ROUNDS_H
#define GLEAKD_CLI_ROUNDS_H

/*
 * The loop under every command that watches. A round is a census of all targets followed by a report;
 * one comes every --interval until the run ends. In between the loop drains the ring buffer, keeps the
 * targets' budgets, saves the state and handles signals. Which processes are watched is up to the
 * command: it adds targets to the session and is called back through struct rounds_ops.
 */
#include "base/loop.h"
#include "base/notify.h"
#include "cli/evidence.h"
#include "cli/options.h"
#include "cli/outputs.h"
#include "cli/state_autosave.h"
#include "report/builder.h"
#include "session/allocs/alloc_turns.h"
#include "session/allocs/sample_turns.h"
#include "session/heap/heap_turns.h"
#include "session/resources/open_turns.h"
#include "session/session.h"

/* What the command does at certain points of the loop. Each may be NULL. */
struct rounds_ops {
	/* Once a second, before the targets' budgets are looked at. */
	void (*second)(void *ctx, uint64_t now_ns);
	/* A short piece of work in the background; true while there is more. Asked again each second. */
	bool (*work)(void *ctx);
	/* Whether the first round may begin. */
	bool (*ready)(void *ctx, uint64_t now_ns);
	/* Before a round. */
	void (*begin)(void *ctx, uint64_t now_ns);
	/* After all censuses were begun: whose memory is not that of the process any more is known by then. */
	void (*begun)(void *ctx);
	/*
	 * After its censuses, before its report. *@ret_end, REPORT_GOES_ON so far, is why the run ends with
	 * it. A negative errno, in words in rounds->failure, fails the run.
	 */
	int (*complete)(void *ctx, enum report_end *ret_end);
	/* A report was made, and has been shown if it is to be. An error, likewise, fails the run. */
	int (*reported)(void *ctx, const struct report *report);
	/* What only the command knows of the run; the rest of @notes is filled in. */
	void (*note)(void *ctx, struct report_notes *notes);
	/* SIGHUP; without it that ends the run as SIGTERM does. */
	void (*hangup)(void *ctx);
};

struct rounds {
	/* Set by the command before rounds__open(). */
	const struct options *options;
	const struct rounds_ops *ops;
	void *ctx;
	/* when ops->second is called and budgets are kept for the first time */
	uint64_t first_second_ns;

	/* A round is over after so long, whichever censuses are under way; 0: when all are complete. */
	uint64_t max_round_ns;

	/* Probes of the command's own, which need privileges, and whether by uprobe_multi links. */
	bool probes, uprobe_multi;

	/* One round every so many intervals: 1, until ops->begin changes it. */
	unsigned int stretch;

	/* For the command to read. */
	struct loop *loop;
	struct session *session;
	struct report_builder *builder;
	struct outputs outputs;
	struct evidence *evidence; /* NULL: none is kept */
	struct state_autosave state;
	struct notify notify;
	bool began;	     /* the first round has begun */
	bool under_way;	     /* a round has begun and is not complete */
	enum report_end end; /* why the run is ending */
	uint64_t end_asked_ns;
	struct failure failure;
	struct heap_turns heap;	     /* between two rounds */
	struct sample_turns samples; /* likewise */
	struct alloc_turns allocs;   /* by probes, while nothing else is being done */
	struct open_turns opens;     /* likewise, from the first of heap_looks on */

	/* For rounds.c. */
	uint64_t interval_ns; /* of the timer; 0: not set yet */
	uint64_t round_began_ns;
	uint64_t waited_round_ns; /* the last that began before something that may wait was done */
	uint64_t round_ns;	  /* how long the last complete round took */
	uint64_t kept_ns;	  /* when budgets were last kept */
	bool busy;		  /* there is work to go on with */
	bool told_ready;	  /* the service manager was told */
	bool finished;		  /* the last report was written */
	int err;
};

/*
 * rounds__open - bring up everything but targets. @session has what the command wants to differ
 * from its defaults; the rest comes from the options. Errors are in words in @rounds->failure;
 * rounds__close() follows in any case.
 */
int rounds__open(struct rounds *rounds, const struct session_options *session) __must_check;

/*
 * rounds__drop_privileges - give up, for good, what watching does not need: before the first foreign
 * file is read, and after what needs more has been opened.
 */
void rounds__drop_privileges(const struct rounds *rounds);

/*
 * rounds__run - until something ends the run: the duration is over, a signal, a failure, or what
 * ops->complete says. Reports what was found by then.
 */
int rounds__run(struct rounds *rounds) __must_check;

/*
 * rounds__meanwhile - every few milliseconds by what keeps the loop waiting: the ring is drained,
 * windows on allocations are closed, and budgets are kept. True: a second has passed, and they
 * were.
 */
bool rounds__meanwhile(struct rounds *rounds);

/* rounds__hurry - the next round begins at once, unless one is under way, and those after it an interval apart. */
void rounds__hurry(struct rounds *rounds);

/* rounds__finish - drain, save, report for the last time and end the run, for this reason. */
void rounds__finish(struct rounds *rounds, enum report_end end);

/*
 * rounds__end_is_pending - Ctrl-C or SIGTERM has come, which are blocked and read when the loop goes on: for
 * whatever keeps it waiting.
 */
bool rounds__end_is_pending(void);

/* rounds__fail - the run ends with @err, which is in words in rounds->failure. */
void rounds__fail(struct rounds *rounds, int err);

/* rounds__reloading - tell the service manager so, until the next round is complete. */
void rounds__reloading(struct rounds *rounds);

/*
 * rounds__replace - go on with other options, outputs and builder, which are taken over (@options is
 * borrowed); those before are closed. The next round begins at once.
 */
void rounds__replace(struct rounds *rounds, const struct options *options,
		     const struct outputs *outputs, struct report_builder *builder);

/* rounds__new_builder - a report builder as @options and @outputs want it. -ENOMEM. */
int rounds__new_builder(const struct options *options, const struct outputs *outputs,
			struct report_builder **ret_builder) __must_check;

/*
 * rounds__close - release everything. Returns the program's exit code: that of @err, an error of
 * rounds__open(), of adding targets, or of rounds__run(), which is logged; else --error-exitcode when
 * the last report shows what it is about, EXIT_CODE_NOT_JUDGED when it was given and nothing could be
 * judged, else 0.
 */
int rounds__close(struct rounds *rounds, int err);

#endif /* GLEAKD_CLI_ROUNDS_H */
