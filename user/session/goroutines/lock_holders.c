// SPDX-License-Identifier: Apache-2.0
#include "session/goroutines/lock_holders.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "golang/heap_globals.h"
#include "heap/goroutines/goroutines.h"
#include "heap/roots/frame_words.h"
#include "heap/runtime/modules.h"
#include "heap/spans/spans.h"
#include "session/heap/target_heap.h"

#define WORD	      8u
#define MAX_SITES     512u /* whose functions take locks */
#define PER_SITE      64u  /* members of each */
#define MAX_MEMBERS   4096u
#define MAX_STACK     (32u << 10) /* of one, from the innermost frame on */
#define MAX_STEPS     128	  /* pointers of a stack that are followed by one step */
#define MAX_READS     (1u << 16)  /* of what they lead to, in all: a tenth of a second */
#define N_SEEN	      8192u	  /* pointers that are remembered */
#define MAX_OBJECT    2048u	  /* of what they lead to */
#define MIN_STACK     2048u	  /* src/runtime/stack.go stackMin */
#define LOWEST_OBJECT (1ULL << 16)

_Static_assert(LOCK_HOLDERS_MAX_QUESTIONS <= LOCK_CODE_MAX_ADDRESSES, "each may be a variable");

/* A site whose members run a function that takes a lock or serves a channel. */
struct taking_site {
	uint32_t site;
	unsigned int does;
	uint32_t members;
};

struct member {
	uint64_t goid, address; /* of its g */
	uint32_t taking;	/* index */
	uint64_t waiting_ns;
};

/* What a lock is part of: [base, base + size). */
struct extent {
	uint64_t base, size;
};

struct search {
	struct target *target;
	const struct heap_runtime *runtime;
	struct heap_spans *spans;
	struct lock_code *code;
	struct heap_frames *frames;
	struct lock_question *questions;
	size_t n;
	struct extent extents[LOCK_HOLDERS_MAX_QUESTIONS];
	size_t seem[LOCK_HOLDERS_MAX_QUESTIONS]; /* how many seem to hold it */
	bool near[LOCK_HOLDERS_MAX_QUESTIONS];	 /* ... that have a pointer to it themselves */
	struct {
		uint64_t pointer;
		uint32_t leads; /* to which locks, in bits */
	} seen[N_SEEN];
	unsigned int reads_left;
	uint64_t now_ns;
	struct taking_site taking[MAX_SITES];
	size_t n_taking;
	uint16_t *taking_of; /* by site, one more than the index; 0: takes none */
	size_t n_sites;
	struct member members[MAX_MEMBERS];
	size_t n_members;
	uint8_t stack[MAX_STACK];
	struct frame_words words; /* of one member */
};

/* --- whose code takes locks --------------------------------------------------------------------- */

static unsigned int does_of(struct search *search, const struct site_view *view)
{
	size_t depth;
	const uint64_t *pcs =
		stack_table__get(target__stacks(search->target), view->stack_id, &depth);
	unsigned int does = 0, needs = 0;

	for (size_t i = 0; i < depth; i++)
		does |= lock_code__of(search->code, pcs[i]);
	for (size_t i = 0; i < search->n; i++)
		needs |= search->questions[i].needs;
	return does & needs ? does : 0;
}

static int find_sites(struct search *search)
{
	size_t n;
	const struct site_view *views = tracker__sites(target__tracker(search->target), &n);

	for (size_t i = 0; i < n; i++)
		search->n_sites = max_of(search->n_sites, (size_t)views[i].index + 1);
	search->taking_of = calloc(max_of(search->n_sites, (size_t)1), sizeof(uint16_t));
	if (!search->taking_of)
		return -ENOMEM;
	for (size_t i = 0; i < n && search->n_taking < MAX_SITES; i++) {
		unsigned int does;

		if (views[i].system || views[i].other || !views[i].parked)
			continue;
		does = does_of(search, &views[i]);
		if (!does)
			continue;
		search->taking[search->n_taking] =
			(struct taking_site){.site = views[i].index, .does = does};
		search->taking_of[views[i].index] = (uint16_t)++search->n_taking;
	}
	return 0;
}

static bool add_member(void *ctx, uint32_t handle, uint64_t g_address)
{
	struct search *search = ctx;
	struct tracker *tracker = target__tracker(search->target);
	struct member *member = &search->members[search->n_members];
	uint64_t goid, since_ns;
	uint32_t site, taking;

	if (!tracker__site_of_handle(tracker, handle, &site, &goid) || site >= search->n_sites)
		return true;
	taking = search->taking_of[site];
	if (!taking || search->taking[taking - 1].members == PER_SITE ||
	    !tracker__find(tracker, goid, &site, &since_ns) || since_ns > search->now_ns)
		return true;
	search->taking[taking - 1].members++;
	*member = (struct member){goid, g_address, taking - 1, search->now_ns - since_ns};
	return ++search->n_members < MAX_MEMBERS;
}

/* --- what leads to a lock ----------------------------------------------------------------------- */

static bool object_of(struct heap_spans *spans, uint64_t address, struct extent *ret_object)
{
	uint32_t number = heap_spans__find(spans, address), index;
	const struct heap_span *span;

	if (address < LOWEST_OBJECT)
		return false;
	if (number == HEAP_NO_SPAN &&
	    (heap_spans__look_up(spans, address, &number) || number == HEAP_NO_SPAN))
		return false;
	span = &spans->all[number];
	index = heap_span__index(span, address);
	if (index >= span->nelems)
		return false;
	*ret_object = (struct extent){heap_span__object(span, index), span->elemsize};
	return true;
}

static bool leads_to(const uint8_t *words, size_t size, const struct extent *extent)
{
	for (size_t at = 0; at + WORD <= size; at += WORD) {
		if (bytes__u64(words, at) - extent->base < extent->size)
			return true;
	}
	return false;
}

/*
 * Where the stack of a goroutine ends, an object may begin: what begins like a g has no pointer to that
 * (src/runtime/runtime2.go g.stack, stack.go stackalloc).
 */
static size_t stack_bounds_size(const uint8_t *object, size_t size)
{
	uint64_t lo, bytes;

	if (size < 2 * WORD)
		return 0;
	lo = bytes__u64(object, 0);
	bytes = bytes__u64(object, WORD) - lo;
	return lo && lo % MIN_STACK == 0 && bytes >= MIN_STACK && !(bytes & (bytes - 1)) ?
		       2 * WORD :
		       0;
}

/* Which of the locks the object that @pointer leads to leads to, in bits. */
static uint32_t leads_of_object(struct search *search, uint64_t pointer)
{
	uint8_t object[MAX_OBJECT];
	struct extent found;
	size_t bytes, bounds;
	uint32_t leads = 0;

	if (!object_of(search->spans, pointer, &found))
		return 0;
	bytes = (size_t)min_of(found.size, (uint64_t)MAX_OBJECT);
	if (remote__read(search->runtime->remote, found.base, object, bytes))
		return 0;
	bounds = stack_bounds_size(object, bytes);
	for (size_t i = 0; i < search->n; i++)
		leads |= (uint32_t)leads_to(object + bounds, bytes - bounds, &search->extents[i])
			 << i;
	return leads;
}

/* The locks among @sought that whoever does @does may hold. */
static uint32_t suited(const struct search *search, uint32_t sought, unsigned int does)
{
	uint32_t suit = 0;

	for (size_t i = 0; i < search->n; i++) {
		if (sought & 1u << i && does & search->questions[i].needs)
			suit |= 1u << i;
	}
	return suit;
}

/*
 * ... that one of the objects leads to that its frames lead to, among @sought. Most pointers are in many
 * frames. Once too many were read the search says nothing at all.
 */
static uint32_t leads_in_a_step(struct search *search, uint32_t sought)
{
	unsigned int steps = 0;
	uint32_t leads = 0;

	for (size_t i = 0; i < search->words.n && steps < MAX_STEPS; i++) {
		uint64_t pointer = search->words.all[i].value;
		uint32_t suit = suited(search, sought & ~leads, search->words.all[i].does);
		size_t slot = (size_t)(pointer / WORD % N_SEEN);

		if (!suit || pointer < LOWEST_OBJECT || pointer >> GO_HEAP_BITS)
			continue;
		if (search->seen[slot].pointer != pointer) {
			if (!search->reads_left)
				return 0;
			search->reads_left--;
			search->seen[slot].leads = leads_of_object(search, pointer);
			search->seen[slot].pointer = pointer;
			steps++;
		}
		leads |= search->seen[slot].leads & suit;
	}
	return leads;
}

static bool has_pointer_to(const struct search *search, size_t question)
{
	const struct extent *extent = &search->extents[question];

	for (size_t i = 0; i < search->words.n; i++) {
		if (search->words.all[i].does & search->questions[question].needs &&
		    search->words.all[i].value - extent->base < extent->size)
			return true;
	}
	return false;
}

/* What it has in its frames; nothing: it runs, or is gone. */
static void read_words(struct search *search, const struct member *member)
{
	uint8_t data[HEAP_G_MAX];
	struct heap_g g;
	size_t size;

	search->words.n = 0;
	if (search->runtime->layout->g_sizeof > HEAP_G_MAX ||
	    remote__read(search->runtime->remote, member->address, data,
			 search->runtime->layout->g_sizeof))
		return;
	heap_g__decode(search->runtime, data, &g);
	if (g.goid != member->goid || !heap_g__is_off_thread(&g) || g.sp % WORD ||
	    g.stack_hi <= g.sp)
		return;
	size = (size_t)min_of(g.stack_hi - g.sp, (uint64_t)MAX_STACK);
	if (!remote__read(search->runtime->remote, g.sp, search->stack, size))
		frame_words__read(search->runtime, search->frames, search->code, &g, search->stack,
				  size, &search->words);
}

/* --- who holds what ----------------------------------------------------------------------------- */

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static bool waits_for(const struct lock_question *question, uint32_t site)
{
	for (size_t i = 0; i < question->n_sites; i++) {
		if (question->sites[i] == site)
			return true;
	}
	return false;
}

static void add_holder(struct lock_question *question, const struct lock_holder *holder)
{
	size_t at = question->n_holders;

	for (; at > 0 && apart(question->holders[at - 1].waiting_ns, question->waiting_ns) >
				 apart(holder->waiting_ns, question->waiting_ns);
	     at--)
		if (at < LOCK_HOLDERS_MAX)
			question->holders[at] = question->holders[at - 1];
	if (at < LOCK_HOLDERS_MAX)
		question->holders[at] = *holder;
	question->n_holders = min_of(question->n_holders + 1, (size_t)LOCK_HOLDERS_MAX);
}

/* The locks that @member may hold, by its code, by when it began to wait and by what it waits for; in bits. */
static uint32_t may_hold(const struct search *search, const struct member *member)
{
	const struct taking_site *taking = &search->taking[member->taking];
	uint32_t may = 0;

	for (size_t i = 0; i < search->n; i++) {
		const struct lock_question *question = &search->questions[i];

		/* Where many seem to hold it already, more make no difference. */
		if (taking->does & question->needs &&
		    !(search->near[i] && search->seem[i] > LOCK_HOLDERS_MAX) &&
		    apart(member->waiting_ns, question->waiting_ns) <= LOCK_HOLDERS_APART_NS &&
		    !waits_for(question, taking->site))
			may |= 1u << i;
	}
	return may;
}

/* The locks among @sought that its frames lead to; *@ret_near: those that are not a step away. */
static uint32_t leads_of_frames(struct search *search, const struct member *member, uint32_t sought,
				uint32_t *ret_near)
{
	uint32_t objects = 0;

	*ret_near = 0;
	for (size_t i = 0; i < search->n; i++) {
		if (sought & 1u << i && search->extents[i].size)
			objects |= 1u << i;
	}
	if (!objects)
		return 0;
	read_words(search, member);
	for (size_t i = 0; i < search->n; i++) {
		if (objects & 1u << i && has_pointer_to(search, i))
			*ret_near |= 1u << i;
	}
	return *ret_near | leads_in_a_step(search, objects & ~*ret_near);
}

/*
 * Of those that have a pointer to it themselves and those that are a step away only the former count: an
 * object leads to many others.
 */
static void note_holder(struct search *search, size_t question, const struct lock_holder *holder,
			bool near)
{
	if (near && !search->near[question]) {
		search->near[question] = true;
		search->seem[question] = 0;
		search->questions[question].n_holders = 0;
	}
	if (near != search->near[question])
		return;
	search->seem[question]++;
	add_holder(&search->questions[question], holder);
}

static void ask_member(struct search *search, const struct member *member)
{
	const struct taking_site *taking = &search->taking[member->taking];
	const struct lock_holder holder = {member->goid, taking->site, member->waiting_ns};
	uint32_t may = may_hold(search, member), named = 0, leads, near;

	for (size_t i = 0; i < search->n; i++) {
		if (may & 1u << i && taking->does & LOCK_CODE_NAMES(i))
			named |= 1u << i;
	}
	leads = leads_of_frames(search, member, may & ~named, &near);
	for (size_t i = 0; i < search->n; i++) {
		if ((named | leads) & 1u << i)
			note_holder(search, i, &holder, (named | near) & 1u << i);
	}
}

static int answer(struct search *search)
{
	int err = find_sites(search);

	if (err)
		return err;
	census__slots(target__slots(search->target), add_member, search);
	for (size_t i = 0; i < search->n_members; i++)
		ask_member(search, &search->members[i]);
	for (size_t i = 0; i < search->n; i++) {
		if (search->seem[i] > LOCK_HOLDERS_MAX || !search->reads_left)
			search->questions[i].n_holders = 0;
	}
	return 0;
}

/* The variables among the locks, where the linker has put them; the others are parts of objects. */
static int prepare(struct search *search)
{
	const struct loaded_module *module = module_map__at(target__modules(search->target), 0);
	uint64_t variables[LOCK_HOLDERS_MAX_QUESTIONS];
	struct heap_modules *modules __cleanup_free = malloc(sizeof(*modules));
	struct failure failure;
	int err = target_heap__runtime(search->target, &search->runtime, &failure);

	if (!modules)
		return -ENOMEM;
	if (!err)
		err = heap_modules__read(search->runtime, modules);
	if (!err)
		err = heap_frames__new(search->runtime, modules->all[0].rodata, &search->frames);
	if (!err)
		err = heap_spans__new(search->runtime, &(struct heap_span_options){0},
				      &search->spans);
	for (size_t i = 0; !err && i < search->n; i++) {
		uint64_t address = search->questions[i].address;

		variables[i] = 0;
		if (!object_of(search->spans, address, &search->extents[i]))
			variables[i] = address - module->bias;
	}
	return err ? err : lock_code__new(module, variables, search->n, &search->code);
}

int lock_holders__find(struct target *target, struct lock_question *questions, size_t n,
		       uint64_t now_ns)
{
	struct search *search = calloc(1, sizeof(*search));
	int err;

	if (!search)
		return -ENOMEM;
	search->target = target;
	search->questions = questions;
	search->n = min_of(n, (size_t)LOCK_HOLDERS_MAX_QUESTIONS);
	search->now_ns = now_ns;
	search->reads_left = MAX_READS;
	for (size_t i = 0; i < n; i++)
		questions[i].n_holders = 0;
	err = prepare(search);
	if (!err)
		err = answer(search);
	lock_code__free(search->code);
	heap_frames__free(search->frames);
	heap_spans__free(search->spans);
	free(search->taking_of);
	free(search);
	/* What cannot be read has no answer: that is no failure of the report. */
	return err == -ENOMEM ? err : 0;
}
