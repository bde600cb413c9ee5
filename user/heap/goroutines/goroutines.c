// SPDX-License-Identifier: Apache-2.0
#include "heap/goroutines/goroutines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"

#define WORD	    8u
#define BATCH	    1024u
#define MAX_DEFAULT (16u << 20)
#define MAX_GOID    (1ULL << 48)

const char *heap_root_kind__name(enum heap_root_kind kind)
{
	static const char *const names[] = {
		[HEAP_ROOT_NONE] = "none",
		[HEAP_ROOT_NOT_HEAP] = "variable",
		[HEAP_ROOT_GLOBAL] = "global",
		[HEAP_ROOT_FINALIZER] = "finalizer",
		[HEAP_ROOT_RUNTIME] = "runtime",
		[HEAP_ROOT_GOROUTINE] = "goroutine",
		[HEAP_ROOT_WAITING] = "waiting goroutine",
		[HEAP_ROOT_MOVED] = "moved",
	};

	return names[kind];
}

/* --- a g ---------------------------------------------------------------------------------------- */

bool heap_g__is_off_thread(const struct heap_g *g)
{
	switch (g->status) {
	case GO_STATUS_RUNNABLE:
	case GO_STATUS_SYSCALL:
	case GO_STATUS_PREEMPTED:
		return true;
	case GO_STATUS_WAITING:
	case GO_STATUS_LEAKED:
		/* One that has an m is run by it on its system stack, for the collector. */
		return !g->m;
	default:
		return false;
	}
}

/* A goroutine that waits and has not run since shows the same. trackingSeq counts status changes. */
static uint64_t fingerprint(const struct go_layout *l, const uint8_t *data, const struct heap_g *g)
{
	uint64_t hash = hash__combine(g->goid, g->sp);

	hash = hash__combine(hash, g->pc);
	hash = hash__combine(hash, g->waiting);
	/* The runtime's own leak profile turns waiting into leaked and back. */
	return hash__combine(
		hash, (uint64_t)data[l->g_trackingSeq] << 16 | g->reason << 8 |
			      (g->status == GO_STATUS_LEAKED ? GO_STATUS_WAITING : g->status));
}

void heap_g__decode(const struct heap_runtime *runtime, const uint8_t *data, struct heap_g *ret_g)
{
	const struct go_layout *l = runtime->layout;
	uint64_t syscallsp = bytes__u64(data, l->g_syscallsp);

	*ret_g = (struct heap_g){
		.goid = bytes__u64(data, l->g_goid),
		.m = bytes__u64(data, l->g_m),
		.stack_lo = bytes__u64(data, l->g_stack_lo),
		.stack_hi = bytes__u64(data, l->g_stack_hi),
		.pc = bytes__u64(data, syscallsp ? l->g_syscallpc : l->g_sched_pc),
		.sp = syscallsp ? syscallsp : bytes__u64(data, l->g_sched_sp),
		.lr = syscallsp ? 0 : bytes__u64(data, l->g_sched_lr),
		.ctxt = bytes__u64(data, l->g_sched_ctxt),
		.panic = bytes__u64(data, l->g_panic),
		.defer = bytes__u64(data, l->g_defer),
		.waiting = bytes__u64(data, l->g_waiting),
		.startpc = bytes__u64(data, l->g_startpc),
		.status = (uint8_t)go_status__of(bytes__u32(data, l->g_atomicstatus)),
		.reason = data[l->g_waitreason],
		.preempted = data[l->g_asyncSafePoint] != 0,
	};
	if (l->g_xRegs != GO_LAYOUT_ABSENT)
		ret_g->xregs = bytes__u64(data, l->g_xRegs);
	ret_g->fingerprint = fingerprint(l, data, ret_g);
}

/* --- the list ----------------------------------------------------------------------------------- */

void heap_goroutines__init(struct heap_goroutines *goroutines, const struct heap_runtime *runtime,
			   size_t max)
{
	*goroutines = (struct heap_goroutines){
		.runtime = runtime,
		.max = max ? max : MAX_DEFAULT,
	};
}

void heap_goroutines__release(struct heap_goroutines *goroutines)
{
	free(goroutines->all);
	free(goroutines->waits);
	free(goroutines->addresses);
	*goroutines = (struct heap_goroutines){0};
}

int heap_goroutines__start(struct heap_goroutines *goroutines, bool keep)
{
	const struct heap_runtime *runtime = goroutines->runtime;
	struct heap_goroutine *all;
	uint64_t *addresses, n, array;
	/* The length first: the array that is read later is never shorter (src/runtime/proc.go). */
	int err = remote__read_u64(runtime->remote, runtime->allglen, &n);

	if (!err)
		err = remote__read_u64(runtime->remote, runtime->allgptr, &array);
	if (err)
		return err;
	/* The list never gets shorter, and what is known of it is kept. */
	if (!n || !array || array % WORD || (keep && n < goroutines->n))
		return -EFAULT;
	if (n > goroutines->max)
		return -E2BIG;
	addresses = realloc(goroutines->addresses, n * sizeof(*addresses));
	if (!addresses)
		return -ENOMEM;
	goroutines->addresses = addresses;
	err = remote__read(runtime->remote, array, addresses, n * sizeof(*addresses));
	if (err)
		return err;
	/* Only now: a length alone, which costs a hostile program nothing, makes no room here. */
	all = realloc(goroutines->all, n * sizeof(*all));
	if (!all)
		return -ENOMEM;
	goroutines->all = all;
	goroutines->capacity = n;
	goroutines->n_addresses = n;
	if (!keep)
		goroutines->n = goroutines->n_waits = goroutines->n_candidates = 0;
	return 0;
}

/* "semacquire" was any wait for a lock or WaitGroup before the reasons were told apart. */
static bool may_be_leak(const struct heap_runtime *runtime, const struct heap_g *g,
			enum wait_class class)
{
	const char *words = go_layout__wait_reason(runtime->layout, g->reason);

	/* In a bubble of testing/synctest waits are the bubble's own business. */
	if (strstr(words, "(durable)") || strstr(words, "synctest"))
		return false;
	switch (class) {
	case WAIT_NIL_CHAN:
	case WAIT_SELECT_NONE:
	case WAIT_LOCK:
	case WAIT_WAIT_GROUP:
	case WAIT_COND:
		return true;
	case WAIT_CHAN_RECEIVE:
	case WAIT_CHAN_SEND:
	case WAIT_SELECT:
		/* Some libraries borrow the reason and wait for something of their own. */
		return g->waiting != 0;
	case WAIT_SEMAPHORE:
		return runtime->layout->minor < 24;
	default:
		return false;
	}
}

/* What of its stack is in use, if it is less than 4 GB; it waits. */
static void note_stack(struct heap_goroutine *goroutine, const struct heap_g *g)
{
	if (g->sp % WORD || g->stack_hi % WORD || g->sp <= g->stack_lo || g->sp >= g->stack_hi ||
	    g->stack_hi - g->stack_lo > UINT32_MAX)
		return;
	goroutine->sp = g->sp;
	goroutine->above = (uint32_t)(g->stack_hi - g->sp);
}

static void add(struct heap_goroutines *goroutines, uint64_t address, const uint8_t *data)
{
	const struct heap_runtime *runtime = goroutines->runtime;
	struct heap_goroutine *ret = &goroutines->all[goroutines->n++];
	struct heap_g g;

	heap_g__decode(runtime, data, &g);
	*ret = (struct heap_goroutine){
		.address = address,
		.goid = g.goid <= MAX_GOID ? g.goid : 0,
		.fingerprint = g.fingerprint,
		.status = g.status,
	};
	if (!go_status__waits(g.status) || g.m || !ret->goid)
		return;
	note_stack(ret, &g);
	ret->waiting = g.waiting;
	ret->wait_class =
		(uint8_t)wait_class__of(go_layout__wait_reason(runtime->layout, g.reason));
	ret->candidate = may_be_leak(runtime, &g, (enum wait_class)ret->wait_class);
	goroutines->n_candidates += ret->candidate;
}

int heap_goroutines__step(struct heap_goroutines *goroutines, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;
	uint32_t size = goroutines->runtime->layout->g_sizeof;
	struct remote_span *reads = calloc(BATCH, sizeof(*reads));
	uint8_t *data = malloc((size_t)BATCH * HEAP_G_MAX);
	int err = reads && data && size <= HEAP_G_MAX ? 0 : -ENOMEM;

	while (!err && goroutines->n < goroutines->n_addresses) {
		size_t first = goroutines->n;
		size_t n = min_of(goroutines->n_addresses - first, (size_t)BATCH);

		for (size_t i = 0; i < n; i++)
			reads[i] = (struct remote_span){
				.address = goroutines->addresses[first + i],
				.buffer = data + i * HEAP_G_MAX,
				.size = size,
			};
		err = remote__read_spans(goroutines->runtime->remote, reads, n);
		for (size_t i = 0; i < n && !err; i++) {
			if (reads[i].result) {
				goroutines->unreadable++;
				memset(data + i * HEAP_G_MAX, 0, size);
			}
			add(goroutines, reads[i].address, data + i * HEAP_G_MAX);
		}
		if (budget_ns && clock__monotonic_ns() >= end)
			break;
	}
	free(reads);
	free(data);
	if (err)
		return err;
	return goroutines->n < goroutines->n_addresses;
}
