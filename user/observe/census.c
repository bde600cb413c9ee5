// SPDX-License-Identifier: Apache-2.0
/*
 * Three phases, each resumable between bounded pieces of work:
 *
 *   start   the address space is still the one we know (else exec); length of allgs; ids issued
 *   ADD     addresses of g structs which allgs has gained are merged into the sorted slots
 *   WALK    g structs in address order, some thousand per read: unchanged ones are reported by
 *           handle, changed ones in full, parked ones of these after a second read for their stack
 *
 * The big buffers exist from start to end of a census only; between censuses it is 20 bytes a slot.
 */
#include "observe/census.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "host/access.h"
#include "observe/census_gather.h"
#include "observe/census_private.h"
#include "observe/census_runtime.h"
#include "observe/census_scratch.h"
#include "observe/census_slots.h"
#include "observe/census_stacks.h"

#define DEFAULT_MAX_GOROUTINES (8u << 20)

/* allgs grows by a quarter or more each time it moves: no process does that this often in a row. */
#define ENTRY_ATTEMPTS 64

/* One in so many, of those that are alive, are few that have changed. */
#define FEW_CHANGED 8

/* From this version on running <-> syscall leaves trackingSeq alone (proc.go casgstatus). */
#define MINOR_SYSCALL_UNTRACKED 26

enum phase {
	PHASE_NONE,
	PHASE_ADD,
	PHASE_WALK,
};

struct census {
	struct census_runtime runtime;
	struct census_options options;
	struct census_ops ops;
	void *ctx;
	struct census_window window;

	struct census_slots slots;
	size_t known;	  /* entries of allgs that are in slots */
	bool frozen;	  /* read no more entries for now */
	size_t malformed; /* of those, how many cannot be a g */

	enum phase phase;
	struct census_scratch *scratch;
	struct census_stacks stacks;
	size_t target;	   /* entries of allgs to know in this census */
	size_t next;	   /* slot to walk */
	size_t single_end; /* before this slot no windows are merged: one range was unreadable */
	bool in_place;	   /* few had changed: g structs are looked at where they were read to */
	uint64_t asked;	   /* as long as that is so; access__asked() */
	uint64_t read_at_ns;
	struct census_result current, last;
	uint64_t cpu_ns; /* by all censuses */
};

static int not_go(const char *what, struct failure *failure)
{
	return failure__set(failure, -EPROTO,
			    "%s: this cannot be a Go runtime; has the process overwritten its "
			    "memory?",
			    what);
}

/* explain - words for an error of reading runtime globals. */
static int explain(int err, const char *what, struct failure *failure)
{
	if (err == -EFAULT)
		return not_go(what, failure);
	if (err == -ESRCH)
		return failure__set(failure, err, "the process ended");
	if (err == -ETIMEDOUT)
		return failure__set(
			failure, err,
			"%s: the process is left alone, since to read its memory took too "
			"long; is that of a file whose server does not answer?",
			what);
	return failure__set(failure, err, "%s: cannot be read: %s", what, strerror(-err));
}

/* --- construction --------------------------------------------------------------------------- */

int census__new_runtime(const struct census_runtime *runtime, struct stack_table *stacks,
			const struct census_options *options, const struct census_ops *ops,
			void *ctx, struct census **ret_census)
{
	struct census *census = calloc(1, sizeof(*census));

	if (!census)
		return -ENOMEM;
	census->runtime = *runtime;
	census->options = *options;
	census->runtime.clock_offset = options->clock_offset;
	if (!census->options.max_goroutines)
		census->options.max_goroutines = DEFAULT_MAX_GOROUTINES;
	census->ops = *ops;
	census->ctx = ctx;
	census->window = (struct census_window){runtime->window, runtime->window_size};
	census->stacks.runtime = &census->runtime;
	census->stacks.table = stacks;
	*ret_census = census;
	return 0;
}

int census__new(struct module_map *modules, struct remote *remote, struct stack_table *stacks,
		const struct census_options *options, const struct census_ops *ops, void *ctx,
		struct census **ret_census)
{
	struct census_runtime runtime;
	int err = census_runtime__init(&runtime, modules, remote, NULL);

	if (err)
		return err;
	return census__new_runtime(&runtime, stacks, options, ops, ctx, ret_census);
}

static void drop_scratch(struct census *census)
{
	census_scratch__drop(census->scratch);
	census->scratch = NULL;
	census->phase = PHASE_NONE;
}

void census__free(struct census *census)
{
	if (!census)
		return;
	drop_scratch(census);
	census_slots__free(&census->slots);
	free(census);
}

/* --- start ------------------------------------------------------------------------------------ */

/*
 * Asks the kernel and does not look for a certain goroutine, because none has to stay. The main one
 * may end (runtime.Goexit, and in a C program's library runtime.main returns), and its g is used
 * again.
 */
static int check_memory(const struct census *census, struct failure *failure)
{
	if (remote__memory(census->runtime.remote) != REMOTE_MEMORY_GONE)
		return 0;
	return failure__set(failure, -ESTALE,
			    "the process has ended, or it executes another program");
}

/* begin - length first, then the array: allgadd() publishes them the other way round. */
static int begin(struct census *census, struct failure *failure)
{
	struct census_runtime *runtime = &census->runtime;
	struct census_result *current = &census->current;
	uint64_t length = 0, array = 0;
	struct remote_span spans[] = {
		{runtime->allglen, &length, sizeof(length), 0},
		{runtime->allgptr, &array, sizeof(array), 0},
	};
	int err = census_runtime__read_first(runtime, spans, ARRAY_SIZE(spans),
					     &current->goids_issued);

	/* What can be read is of the memory that was opened. */
	if (err && check_memory(census, failure))
		return -ESTALE;
	for (size_t i = 0; i < ARRAY_SIZE(spans) && !err; i++)
		err = spans[i].result;
	if (err)
		return explain(err, "runtime.allgs", failure);
	if (length < max_of(census->known, (size_t)1) || !array)
		return not_go("runtime.allgs has become shorter", failure);
	census->target = (size_t)min_of(length, (uint64_t)census->options.max_goroutines);
	if (census->frozen)
		census->target = census->known;
	census->target = max_of(census->target, census->known);
	current->slots = (size_t)length;
	current->refused = (size_t)(length - census->target);
	return 0;
}

void census__freeze(struct census *census, bool frozen)
{
	census->frozen = frozen;
}

uint64_t census__memory(const struct census *census)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(census->slots.mapped); i++)
		bytes += census->slots.mapped[i];
	return bytes;
}

uint64_t census__cpu_ns(const struct census *census)
{
	return census->cpu_ns;
}

int census__start(struct census *census, struct failure *failure)
{
	uint64_t cpu = clock__thread_cpu_ns();
	int err;

	if (census->phase != PHASE_NONE)
		return failure__set(failure, -EBUSY, "a census is under way");
	census->scratch = census_scratch__take();
	if (!census->scratch)
		return failure__set(failure, -ENOMEM, "no memory for a census");
	census->current = (struct census_result){.started_ns = clock__monotonic_ns()};
	err = begin(census, failure);
	if (err) {
		drop_scratch(census);
		return err;
	}
	census->next = 0;
	census->single_end = 0;
	census->in_place = census->last.alive / FEW_CHANGED > census->last.changed;
	census->phase = PHASE_ADD;
	census->current.cpu_ns = clock__thread_cpu_ns() - cpu;
	return 0;
}

/* --- ADD -------------------------------------------------------------------------------------- */

/*
 * read_entries - from allgs[known]. An outgrown array is garbage that a GC may reuse, so the
 * pointer must still be the same after the copy.
 */
static int read_entries(struct census *census, size_t n, struct failure *failure)
{
	struct census_runtime *runtime = &census->runtime;
	uint64_t array, again;
	int err = remote__read_u64(runtime->remote, runtime->allgptr, &array);

	for (int attempt = 0; !err && attempt < ENTRY_ATTEMPTS; attempt++) {
		err = remote__read(runtime->remote, array + census->known * sizeof(uint64_t),
				   census->scratch->fresh, n * sizeof(uint64_t));
		if (err)
			break;
		err = remote__read_u64(runtime->remote, runtime->allgptr, &again);
		if (!err && again == array)
			return 0;
		array = again;
	}
	return explain(err ? err : -EFAULT, "the entries of runtime.allgs", failure);
}

static int step_add(struct census *census, struct failure *failure)
{
	struct census_scratch *scratch = census->scratch;
	size_t n = min_of(census->target - census->known, CENSUS_ADD_CHUNK), usable;
	int err;

	if (census->frozen) {
		census->current.refused += census->target - census->known;
		census->target = census->known;
		n = 0;
	}
	if (!n) {
		census->phase = PHASE_WALK;
		return 0;
	}
	err = read_entries(census, n, failure);
	if (err)
		return err;
	usable = census_slots__usable(scratch->fresh, n);
	err = census_slots__add(&census->slots, scratch->fresh, usable, scratch->fresh_scratch);
	if (err)
		return failure__set(failure, err, "no memory for %zu goroutines", census->target);
	census->malformed += n - usable;
	census->known += n;
	return 0;
}

/* --- WALK ------------------------------------------------------------------------------------- */

static void forget(struct census *census, size_t slot)
{
	census->slots.fingerprints[slot] = 0;
	census->slots.handles[slot] = 0;
}

/*
 * keeps - whether an equal fingerprint will mean that the goroutine did not run. It does not while
 * an M still holds a waiting goroutine: that goroutine works on its system stack, or is about to
 * park (park_m sets the status before dropg), and its fingerprint shows neither.
 */
static bool keeps(const struct census *census, const struct census_g *g)
{
	if (go_status__waits(g->status))
		return g->m == 0;
	return g->status != GO_STATUS_SYSCALL ||
	       census->runtime.layout->minor < MINOR_SYSCALL_UNTRACKED;
}

/* report - hand a goroutine to the caller, and remember it if @known. */
static void report(struct census *census, const struct census_parked *seen, uint32_t stack_id,
		   bool known)
{
	const struct census_g *g = &seen->g;
	const struct census_goroutine goroutine = census_runtime__tell(
		&census->runtime, g, seen->address, seen->read_at_ns, stack_id);
	size_t slot = seen->slot;

	census->current.changed++;
	census->slots.handles[slot] = census->ops.seen(census->ctx, &goroutine);
	census->slots.fingerprints[slot] = known ? g_fingerprint(g->goid, g->sched_pc, g->status,
								 g->wait_reason, g->tracking_seq) :
						   0;
}

static void on_stack(void *ctx, const struct census_parked *parked, uint32_t stack_id,
		     enum census_stack_state state)
{
	struct census *census = ctx;
	bool failed = state == CENSUS_STACK_FAILED;

	if (failed)
		census->current.stacks_failed++;
	else
		census->current.stacks_read++;
	if (state == CENSUS_STACK_PARTIAL)
		census->current.stacks_partial++;
	report(census, parked, stack_id, !failed && keeps(census, &parked->g));
}

static int flush_parked(struct census *census)
{
	struct census_scratch *scratch = census->scratch;
	size_t n = scratch->n_parked;

	scratch->n_parked = 0;
	if (!n)
		return 0;
	return census_stacks__read(&census->stacks, &scratch->stacks, scratch->parked, n, on_stack,
				   census);
}

/*
 * stack_wanted - whether the stack is to be read: only that of a goroutine that does not run stands
 * still.
 */
static bool stack_wanted(const struct census *census, const struct census_g *g)
{
	bool stopped = g->status == GO_STATUS_RUNNABLE || g->status == GO_STATUS_PREEMPTED;

	if (!census->options.stacks)
		return false;
	if (g->status == GO_STATUS_SYSCALL)
		return true;
	return g->m == 0 &&
	       (go_status__waits(g->status) || (stopped && census->options.runnable_stacks));
}

/* changed - a goroutine to be reported in full: now, or with the next batch of stacks. */
static int changed(struct census *census, size_t slot, const uint8_t *copy)
{
	struct census_scratch *scratch = census->scratch;
	struct census_parked *parked = &scratch->parked[scratch->n_parked];
	const struct census_g *g = &parked->g;

	census_runtime__decode(&census->runtime, copy, &parked->g);
	parked->address = census->slots.addresses[slot];
	parked->slot = slot;
	parked->read_at_ns = census->read_at_ns;
	if (!stack_wanted(census, g)) {
		report(census, parked, STACK_ID_NONE, keeps(census, g));
		return 0;
	}
	if (++scratch->n_parked < PARKED_BATCH)
		return 0;
	return flush_parked(census);
}

static int visit(struct census *census, size_t slot, const uint8_t *copy)
{
	const struct census_runtime *runtime = &census->runtime;
	const struct go_layout *layout = runtime->layout;
	struct census_slots *slots = &census->slots;
	uint32_t status = g_status(runtime, copy);
	uint64_t goid = g_load64(runtime, copy, layout->g_goid);
	uint64_t print;

	if (!go_status__lives(status) || !goid) {
		if (!go_status__is_free(status))
			census->current.unreadable++;
		forget(census, slot);
		return 0;
	}
	census->current.alive++;
	print = g_fingerprint(goid, g_load64(runtime, copy, layout->g_sched_pc), status,
			      g_load8(runtime, copy, layout->g_waitreason),
			      g_load8(runtime, copy, layout->g_trackingSeq));
	if (print == slots->fingerprints[slot] && slots->handles[slot] &&
	    census->ops.unchanged(census->ctx, slots->handles[slot], goid, census->read_at_ns))
		return 0;
	return changed(census, slot, copy);
}

/* Something else was read since: what is not looked at by now has to be read again. */
static bool is_gone(const struct census *census)
{
	return census->in_place && access__asked() != census->asked;
}

/*
 * visit_spans - go on to the first merged range that could not be read as a whole. The next batch
 * reads its slots one by one, so that a missing page costs only the g structs on it.
 */
static int visit_spans(struct census *census)
{
	struct census_gather *gather = &census->scratch->gather;
	size_t base = census->next;

	for (size_t s = 0; s < gather->n_spans; s++) {
		size_t end = base + gather->ends[s];

		if (gather->spans[s].result && end - census->next > 1) {
			census->single_end = end;
			return 0;
		}
		while (census->next < end) {
			size_t slot = census->next++;
			int err = 0;

			if (gather->spans[s].result) {
				census->current.unreadable++;
				forget(census, slot);
			} else {
				err = visit(census, slot,
					    census_gather__at(gather, s,
							      census->slots.addresses[slot],
							      census->window));
			}
			if (err || is_gone(census))
				return err;
		}
	}
	return 0;
}

static int step_walk(struct census *census, struct failure *failure)
{
	struct census_scratch *scratch = census->scratch;
	bool merge = census->next >= census->single_end;
	size_t end = merge ? census->slots.n : census->single_end;
	struct census_gather *gather = &scratch->gather;
	int err;

	census_gather__plan(gather, census->slots.addresses + census->next, end - census->next,
			    census->window, scratch->windows, sizeof(scratch->windows),
			    merge ? GATHER_GAP : GATHER_APART);
	census->read_at_ns = clock__monotonic_ns();
	/* Where nearly all have changed, stacks are read in between. */
	err = census->in_place ?
		      remote__read_spans_in_place(census->runtime.remote, gather->spans,
						  gather->n_spans) :
		      remote__read_spans(census->runtime.remote, gather->spans, gather->n_spans);
	census->asked = access__asked();
	if (!err)
		err = visit_spans(census);
	return err ? explain(err, "goroutines", failure) : 0;
}

/* --- stepping --------------------------------------------------------------------------------- */

/* advance - one bounded piece of work. Returns 1, or 0 when the census is complete. */
static int advance(struct census *census, struct failure *failure)
{
	int err;

	if (census->phase == PHASE_ADD)
		err = step_add(census, failure);
	else if (census->next < census->slots.n)
		err = step_walk(census, failure);
	else
		return 0;
	return err ? err : 1;
}

/*
 * finish - the result counts only if the process had the same memory image to the end. After exec
 * all its goroutines would be missing, not exited, and what made no sense may have been the other
 * program's.
 */
static int finish(struct census *census, int result, struct failure *failure)
{
	/* Where all of it could be read it was: each read is followed by a look whose memory it was of. */
	bool sure = !result && !census->current.unreadable;
	int err = sure ? 0 : check_memory(census, failure);

	if (err || result)
		return err ? err : result;
	census->current.unreadable += census->malformed;
	census->current.finished_ns = clock__monotonic_ns();
	return 0;
}

/* Stacks are read by the batch, as far as goroutines are seen in one step: what is read of them fits together then. */
static int flush_rest(struct census *census, int more, struct failure *failure)
{
	int err = flush_parked(census);

	return err ? explain(err, "goroutines", failure) : more;
}

int census__step(struct census *census, uint64_t budget_ns, struct failure *failure)
{
	uint64_t start = clock__monotonic_ns(), cpu = clock__thread_cpu_ns();
	int more;

	if (census->phase == PHASE_NONE)
		return 0;
	/* Of one that failed. */
	census->scratch->n_parked = 0;
	do
		more = advance(census, failure);
	while (more == 1 && (!budget_ns || clock__monotonic_ns() - start < budget_ns));
	if (more >= 0)
		more = flush_rest(census, more, failure);
	if (more == 0 || more == -EPROTO)
		more = finish(census, more, failure);
	cpu = clock__thread_cpu_ns() - cpu;
	census->current.cpu_ns += cpu;
	census->cpu_ns += cpu;
	if (more == 0)
		census->last = census->current;
	if (more <= 0)
		drop_scratch(census);
	return more;
}

bool census__carries_on(const struct census *census)
{
	const struct census_result *last = &census->last;

	return census->phase == PHASE_NONE && !census->frozen && last->finished_ns &&
	       last->started_ns == census->current.started_ns && !last->unreadable &&
	       !last->stacks_failed && !last->refused;
}

void census__carry_on(struct census *census, uint64_t started_ns)
{
	struct census_result *last = &census->last;

	last->started_ns = started_ns;
	last->finished_ns = clock__monotonic_ns();
	last->cpu_ns = 0;
	last->changed = last->stacks_read = last->stacks_partial = 0;
	census->current = *last;
}

bool census__running(const struct census *census)
{
	return census->phase != PHASE_NONE;
}

uint64_t census__goids_issued(struct census *census)
{
	return census_runtime__goids_issued(&census->runtime);
}

const struct census_result *census__result(const struct census *census)
{
	return &census->last;
}

const struct census_runtime *census__runtime(const struct census *census)
{
	return &census->runtime;
}

void census__slots(const struct census *census,
		   bool (*each)(void *ctx, uint32_t handle, uint64_t g_address), void *ctx)
{
	census_slots__visit(&census->slots, each, ctx);
}
