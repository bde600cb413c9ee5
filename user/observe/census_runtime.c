// SPDX-License-Identifier: Apache-2.0
#include "observe/census_runtime.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "golang/arch.h"

#define MAX_WINDOW     4096 /* a g has been 392 to 456 bytes */
#define MAX_PS	       4096 /* GOMAXPROCS beyond this: goids_issued stays unknown */
#define PS_PER_READ    CENSUS_MAX_PS
#define MAX_P_SPREAD   64 /* goidcache and goidcacheend are neighbours in every version */
#define GOIDS_ATTEMPTS 4

/* A field that the census reads; absent in some versions if not required. */
struct field {
	const char *name;
	uint32_t offset;
	bool required;
};

int census_runtime__set_window(struct census_runtime *runtime, struct failure *failure)
{
	const struct go_layout *layout = runtime->layout;
#define REQUIRED(member) ((struct field){#member, layout->member, true})
#define OPTIONAL(member) ((struct field){#member, layout->member, false})
	const struct field fields[] = {
		REQUIRED(g_stack_lo),
		REQUIRED(g_stack_hi),
		REQUIRED(g_m),
		REQUIRED(g_sched_sp),
		REQUIRED(g_sched_pc),
		REQUIRED(g_sched_bp),
		REQUIRED(g_syscallsp),
		REQUIRED(g_syscallpc),
		REQUIRED(g_atomicstatus),
		REQUIRED(g_goid),
		REQUIRED(g_waitsince),
		REQUIRED(g_waitreason),
		REQUIRED(g_trackingSeq),
		REQUIRED(g_gopc),
		REQUIRED(g_startpc),
		OPTIONAL(g_syscallbp),	/* from Go 1.23 on */
		OPTIONAL(g_parentGoid), /* from Go 1.21 on */
		OPTIONAL(g_bubble),	/* from Go 1.24 on */
		/* Nothing depends on these. */
		OPTIONAL(g_lockedm),
		OPTIONAL(g_labels),
		OPTIONAL(g_tracking),
		OPTIONAL(g_trackingStamp),
	};
#undef REQUIRED
#undef OPTIONAL
	uint32_t lo = UINT32_MAX, hi = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint32_t offset = fields[i].offset;

		if (offset == GO_LAYOUT_ABSENT && !fields[i].required)
			continue;
		if (offset > MAX_WINDOW)
			return failure__set(failure, -EPROTO,
					    "the layout of Go 1.%d has no usable %s", layout->minor,
					    fields[i].name);
		lo = min_of(lo, offset);
		/* All are words, or smaller and followed by others: a g ends in words. */
		hi = max_of(hi, offset + (uint32_t)sizeof(uint64_t));
	}
	if (layout->g_sizeof == GO_LAYOUT_ABSENT || hi > layout->g_sizeof)
		return failure__set(failure, -EPROTO, "the layout of Go 1.%d has fields past a g",
				    layout->minor);
	runtime->window = lo;
	runtime->window_size = hi - lo;
	return 0;
}

int census_runtime__init(struct census_runtime *runtime, struct module_map *modules,
			 struct remote *remote, struct failure *failure)
{
	const struct loaded_module *first = module_map__at(modules, 0);
	const struct go_globals *globals = go_binary__globals(first->binary);

	*runtime = (struct census_runtime){
		.layout = go_binary__layout(first->binary),
		.remote = remote,
		.modules = modules,
		.uses_lr = go_arch__of(go_binary__image(first->binary))->uses_lr,
		.allgptr = globals->allgptr + first->bias,
		.allglen = globals->allglen + first->bias,
		.sched = globals->sched ? globals->sched + first->bias : 0,
		.allp = globals->allp ? globals->allp + first->bias : 0,
	};
	if (!globals->allgptr || !globals->allglen)
		return failure__set(failure, -EPROTO,
				    "where the runtime keeps its goroutines is not known");
	return census_runtime__set_window(runtime, failure);
}

/* A word that is 0 where this version has no such field. */
static uint64_t load_optional(const struct census_runtime *runtime, const uint8_t *window,
			      uint32_t offset)
{
	return offset == GO_LAYOUT_ABSENT ? 0 : g_load64(runtime, window, offset);
}

/*
 * Since when it is runnable: measured of each goroutine every eighth time (src/runtime/proc.go casgstatus,
 * gTrackingPeriod).
 */
static uint64_t load_tracking_stamp(const struct census_runtime *runtime, const uint8_t *window)
{
	const struct go_layout *layout = runtime->layout;

	if (layout->g_tracking == GO_LAYOUT_ABSENT || layout->g_trackingStamp == GO_LAYOUT_ABSENT ||
	    !g_load8(runtime, window, layout->g_tracking))
		return 0;
	return g_load64(runtime, window, layout->g_trackingStamp);
}

/*
 * Where a goroutine in a system call stopped: reentersyscall() saves pc and sp, and bp from Go 1.23
 * on (src/runtime/proc.go). Without it the first step needs the pcsp table.
 */
static void decode_syscall(const struct census_runtime *runtime, const uint8_t *window,
			   struct census_g *g)
{
	const struct go_layout *layout = runtime->layout;

	g->pc = g_load64(runtime, window, layout->g_syscallpc);
	g->sp = g_load64(runtime, window, layout->g_syscallsp);
	g->bp = load_optional(runtime, window, layout->g_syscallbp);
}

void census_runtime__decode(const struct census_runtime *runtime, const uint8_t *window,
			    struct census_g *ret_g)
{
	const struct go_layout *layout = runtime->layout;
	struct census_g *g = ret_g;

	*g = (struct census_g){0};
	g->status = (uint8_t)min_of(g_status(runtime, window), (uint32_t)UINT8_MAX);
	g->goid = g_load64(runtime, window, layout->g_goid);
	g->parent_goid = load_optional(runtime, window, layout->g_parentGoid);
	g->stack_lo = g_load64(runtime, window, layout->g_stack_lo);
	g->stack_hi = g_load64(runtime, window, layout->g_stack_hi);
	g->m = g_load64(runtime, window, layout->g_m);
	g->sched_pc = g_load64(runtime, window, layout->g_sched_pc);
	g->pc = g->sched_pc;
	g->sp = g_load64(runtime, window, layout->g_sched_sp);
	g->bp = g_load64(runtime, window, layout->g_sched_bp);
	if (g->status == GO_STATUS_SYSCALL)
		decode_syscall(runtime, window, g);
	/* In every version's gobuf the word before bp. */
	if (runtime->uses_lr)
		g->lr = g_load64(runtime, window, layout->g_sched_bp - 8);
	g->frames = runtime->uses_lr && g->sp >= 8 ? g->sp - 8 : g->sp;
	/* 0 too in a goroutine that was created parked and has no frame yet (iter.Pull, 1.23 on). */
	g->bp_valid = g->bp != 0;
	g->waitsince = g_load64(runtime, window, layout->g_waitsince);
	if (g->status == GO_STATUS_RUNNABLE)
		g->tracking_stamp = load_tracking_stamp(runtime, window);
	g->gopc = g_load64(runtime, window, layout->g_gopc);
	g->startpc = g_load64(runtime, window, layout->g_startpc);
	g->labels = load_optional(runtime, window, layout->g_labels);
	g->locked_to_thread = load_optional(runtime, window, layout->g_lockedm) != 0;
	g->in_bubble = load_optional(runtime, window, layout->g_bubble) != 0;
	g->wait_reason = g_load8(runtime, window, layout->g_waitreason);
	g->tracking_seq = g_load8(runtime, window, layout->g_trackingSeq);
}

struct census_goroutine census_runtime__tell(const struct census_runtime *runtime,
					     const struct census_g *g, uint64_t address,
					     uint64_t read_at_ns, uint32_t stack_id)
{
	uint64_t offset = (uint64_t)runtime->clock_offset;

	return (struct census_goroutine){
		.goid = g->goid,
		.parent_goid = g->parent_goid,
		/* The main goroutine's is in the assembly that starts the runtime. */
		.creation_pc = g->goid == 1 ? 0 : module_map__pc(runtime->modules, g->gopc),
		.start_pc = module_map__pc(runtime->modules, g->startpc),
		/* A value that is no time lies in the future. */
		.waitsince_ns = g->waitsince ? g->waitsince - offset : 0,
		.read_at_ns = read_at_ns,
		.address = address,
		.runnable_since_ns = g->tracking_stamp ? g->tracking_stamp - offset : 0,
		.m = g->m,
		.labels = g->labels,
		.stack_id = stack_id,
		.status = g->status,
		.wait_reason = g->wait_reason,
		.on_system_stack = go_status__waits(g->status) && g->m != 0,
		.in_syscall = g->status == GO_STATUS_SYSCALL,
		.runnable = g->status == GO_STATUS_RUNNABLE,
		.never_ran = g->status == GO_STATUS_RUNNABLE && g->sched_pc == g->startpc,
		.locked_to_thread = g->locked_to_thread,
		.in_bubble = g->in_bubble,
	};
}

uint64_t g_fingerprint(uint64_t goid, uint64_t pc, uint32_t status, uint8_t reason, uint8_t seq)
{
	uint64_t small = (uint64_t)(status == GO_STATUS_LEAKED ? GO_STATUS_WAITING : status) << 16 |
			 (uint64_t)reason << 8 | seq;
	uint64_t hash = hash__combine(hash__mix64(goid) + pc, small);

	return hash ? hash : 1;
}

/* What a P has drawn and not used is between two of its words. */
struct p_window {
	uint32_t lo, size;
};

static struct p_window p_window(const struct go_layout *layout)
{
	uint32_t lo = min_of(layout->p_goidcache, layout->p_goidcacheend);

	return (struct p_window){lo, max_of(layout->p_goidcache, layout->p_goidcacheend) - lo +
					     (uint32_t)sizeof(uint64_t)};
}

struct p_copies {
	struct remote_span spans[PS_PER_READ];
	size_t n;
	uint8_t bytes[PS_PER_READ][MAX_P_SPREAD + 8];
};

/* Of the Ps at @ps, at most PS_PER_READ. */
static void want_ps(const struct go_layout *layout, const uint64_t *ps, size_t n,
		    struct p_copies *copies)
{
	struct p_window window = p_window(layout);

	copies->n = 0;
	for (size_t i = 0; i < n; i++) {
		if (!ps[i])
			continue;
		copies->spans[copies->n] = (struct remote_span){
			ps[i] + window.lo, copies->bytes[copies->n], window.size, 0};
		copies->n++;
	}
}

/* sum_unused - ids which they have drawn and not used. */
static int sum_unused(const struct go_layout *layout, const struct remote_span *spans, size_t n,
		      uint64_t *unused)
{
	uint32_t lo = p_window(layout).lo;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *copy = spans[i].buffer;
		uint64_t next, end;

		if (spans[i].result)
			return spans[i].result;
		memcpy(&next, copy + layout->p_goidcache - lo, sizeof(next));
		memcpy(&end, copy + layout->p_goidcacheend - lo, sizeof(end));
		/* _GoidCacheBatch is 16 in every version. */
		if (end < next || end - next > 16)
			return -EAGAIN;
		*unused += end - next;
	}
	return 0;
}

/*
 * All of allp's capacity is visited: when GOMAXPROCS falls, procresize() shortens the slice but
 * keeps the Ps, and the ids they hold, for the next time it rises.
 */
static int read_unused(struct census_runtime *runtime, uint64_t *ret_unused)
{
	uint64_t slice[3], ps[PS_PER_READ], unused = 0;
	struct p_copies copies;
	int err = remote__read(runtime->remote, runtime->allp, slice, sizeof(slice));

	if (err)
		return err;
	if (slice[2] == 0 || slice[2] > MAX_PS || slice[1] > slice[2])
		return -ERANGE;
	for (uint64_t i = 0; i < slice[2]; i += PS_PER_READ) {
		size_t n = (size_t)min_of(slice[2] - i, (uint64_t)PS_PER_READ);

		err = remote__read(runtime->remote, slice[0] + i * sizeof(ps[0]), ps,
				   n * sizeof(ps[0]));
		want_ps(runtime->layout, ps, err ? 0 : n, &copies);
		if (!err)
			err = remote__read_spans(runtime->remote, copies.spans, copies.n);
		if (!err)
			err = sum_unused(runtime->layout, copies.spans, copies.n, &unused);
		if (err)
			return err;
	}
	if (slice[2] <= PS_PER_READ) {
		memcpy(runtime->known_ps.slice, slice, sizeof(slice));
		memcpy(runtime->known_ps.ps, ps, slice[2] * sizeof(ps[0]));
	}
	*ret_unused = unused;
	return 0;
}

static bool goids_known(const struct census_runtime *runtime)
{
	const struct go_layout *layout = runtime->layout;
	uint32_t next = layout->p_goidcache, end = layout->p_goidcacheend;

	return runtime->sched && runtime->allp && layout->sched_goidgen != GO_LAYOUT_ABSENT &&
	       next != GO_LAYOUT_ABSENT && end != GO_LAYOUT_ABSENT &&
	       max_of(next, end) - min_of(next, end) <= MAX_P_SPREAD;
}

/*
 * As goids_of(), with one read of all, which goes from the first span to the last: where the Ps are is known from
 * before. @first come before them. *@ret_issued is 0 where they are others by now, or it did not work out.
 */
static int read_with_goids(const struct census_runtime *runtime, uint64_t address,
			   struct remote_span *first, size_t n_first, uint64_t *ret_issued)
{
	const struct census_ps *known = &runtime->known_ps;
	struct remote_span spans[CENSUS_FIRST_SPANS + 2 + PS_PER_READ + 1], *own = spans + n_first;
	uint64_t before, after, slice[3], unused = 0;
	struct p_copies copies;
	int err;

	want_ps(runtime->layout, known->ps, known->slice[2], &copies);
	memcpy(spans, first, n_first * sizeof(spans[0]));
	own[0] = (struct remote_span){address, &before, sizeof(before), 0};
	own[1] = (struct remote_span){runtime->allp, slice, sizeof(slice), 0};
	memcpy(&own[2], copies.spans, copies.n * sizeof(spans[0]));
	own[2 + copies.n] = (struct remote_span){address, &after, sizeof(after), 0};
	*ret_issued = 0;
	err = remote__read_spans(runtime->remote, spans, n_first + copies.n + 3);
	if (err)
		return err;
	memcpy(first, spans, n_first * sizeof(spans[0]));
	if (!sum_unused(runtime->layout, own + 2, copies.n, &unused) && !own[0].result &&
	    !own[1].result && !own[2 + copies.n].result &&
	    !memcmp(slice, known->slice, sizeof(slice)) && before == after && unused <= after)
		*ret_issued = after - unused;
	return 0;
}

/*
 * goidgen is read before and after: if it did not move, no P drew a batch in between, and each P's
 * share only shrank by ids which were really handed out.
 */
static uint64_t goids_of(struct census_runtime *runtime, uint64_t address)
{
	for (int attempt = 0; attempt < GOIDS_ATTEMPTS; attempt++) {
		uint64_t before, after, unused = 0;
		int err;

		if (remote__read_u64(runtime->remote, address, &before))
			return 0;
		err = read_unused(runtime, &unused);
		if (err == -EAGAIN)
			continue; /* between the two stores of a refill */
		if (err || remote__read_u64(runtime->remote, address, &after))
			return 0;
		if (before == after && unused <= after)
			return after - unused;
	}
	return 0;
}

int census_runtime__read_first(struct census_runtime *runtime, struct remote_span *spans, size_t n,
			       uint64_t *ret_issued)
{
	uint64_t address = runtime->sched + runtime->layout->sched_goidgen, issued = 0;
	bool known = goids_known(runtime);
	int err;

	if (n > CENSUS_FIRST_SPANS)
		return -EINVAL;
	err = known && runtime->known_ps.slice[2] ?
		      read_with_goids(runtime, address, spans, n, &issued) :
		      remote__read_spans(runtime->remote, spans, n);
	if (!err)
		*ret_issued = issued || !known ? issued : goids_of(runtime, address);
	return err;
}

uint64_t census_runtime__goids_issued(struct census_runtime *runtime)
{
	struct remote_span none[1];
	uint64_t issued;

	return census_runtime__read_first(runtime, none, 0, &issued) ? 0 : issued;
}
