// SPDX-License-Identifier: Apache-2.0
/*
 * Before Go 1.26 a goroutine that waits on a sync.Cond does not say on which: it is only in the Cond's
 * own list (src/runtime/sema.go notifyList). The Cond is in a variable of sync.(*Cond).Wait, close to
 * the top of the stack. Every word there is tried; it is the one when the goroutine is in its list. What
 * lies on the goroutine's own stack is none: a Cond escapes, since the runtime is given its address
 * (src/sync/runtime.go runtime_notifyListWait), but a saved frame pointer may lead to variables of
 * notifyListWait that look like a list, the sudog being one of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "heap/goroutines/goroutines.h"

#define WORD	   8u
#define STACK_READ 768u /* gopark, notifyListWait and Wait have 300 bytes together */
#define WORDS	   (STACK_READ / WORD)
#define SUDOG_MAX  128
#define MAX_LISTS  4096u /* Conds */
/*
 * Sudogs read, at one system call each, besides one for each goroutine: what was taken for a list and was
 * none. Lists without an end would be walked for each word of each stack.
 */
#define MAX_IN_VAIN (1u << 18)

/* src/runtime/sema.go notifyList {wait, notify uint32; lock; head, tail *sudog}; sync.Cond {L; notify} */
enum { LIST_HEAD = 16, LIST_TAIL = 24, LIST_SIZE = 32, COND_NOTIFY = 16 };
#define VARIABLE (COND_NOTIFY + LIST_SIZE)

struct waiter {
	uint64_t g, list, sudog;
};

struct search {
	const struct heap_goroutines *goroutines;
	struct waiter *all; /* of all lists that were found, sorted by g but for the last ones */
	size_t n, sorted, capacity, n_lists;
	size_t steps; /* that may be made yet */
	uint8_t stack[STACK_READ];
	struct remote_span reads[WORDS];
	uint8_t variables[WORDS][VARIABLE];
};

static int by_g(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	return x->g < y->g ? -1 : x->g > y->g;
}

static const struct waiter *find(struct search *search, uint64_t g)
{
	const struct waiter key = {.g = g};

	if (search->sorted != search->n) {
		qsort(search->all, search->n, sizeof(search->all[0]), by_g);
		search->sorted = search->n;
	}
	return search->n ? bsearch(&key, search->all, search->n, sizeof(search->all[0]), by_g) :
			   NULL;
}

static int push(struct search *search, const struct waiter *waiter)
{
	if (!array__reserve(search->all, search->capacity, search->n + 1))
		return -ENOMEM;
	search->all[search->n++] = *waiter;
	return 0;
}

/*
 * Takes down who waits in the list at @list, whose head is @sudog. 1: @g is among them; 0: it is not,
 * and nothing was taken down.
 */
static int walk_list(struct search *search, uint64_t list, uint64_t sudog, uint64_t g)
{
	const struct heap_runtime *runtime = search->goroutines->runtime;
	const struct go_layout *l = runtime->layout;
	size_t before = search->n;
	bool found = false;

	/* Nobody is in two lists: one that is longer than there are goroutines is none. */
	while (sudog && sudog % WORD == 0 && search->n <= search->goroutines->n && search->steps) {
		struct waiter waiter = {.list = list, .sudog = sudog};
		uint8_t data[SUDOG_MAX];
		int err = remote__read(runtime->remote, sudog, data, l->sudog_sizeof);

		search->steps--;
		if (err == -ESRCH)
			return err;
		if (err)
			break;
		waiter.g = bytes__u64(data, l->sudog_g);
		found |= waiter.g == g;
		err = push(search, &waiter);
		if (err)
			return err;
		sudog = bytes__u64(data, l->sudog_next);
	}
	if (!found)
		search->n = before;
	else
		search->n_lists++;
	return found;
}

/* Whether what lies at @variable is a notifyList that @g waits in, or a Cond that has one. */
static int try_variable(struct search *search, uint64_t address, const uint8_t *variable,
			uint64_t g)
{
	static const uint32_t offsets[] = {0, COND_NOTIFY};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		uint64_t head = bytes__u64(variable, offsets[i] + LIST_HEAD);
		uint64_t tail = bytes__u64(variable, offsets[i] + LIST_TAIL);
		int found;

		if (!head || !tail || head % WORD || tail % WORD)
			continue;
		found = walk_list(search, address + offsets[i], head, g);
		if (found)
			return found;
	}
	return 0;
}

static int try_stack(struct search *search, uint64_t address, const struct heap_g *g)
{
	struct remote *remote = search->goroutines->runtime->remote;
	size_t n = 0;
	int err = remote__read(remote, g->sp, search->stack, STACK_READ);

	if (err)
		return err == -EFAULT ? 0 : err;
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t word = bytes__u64(search->stack, i * WORD);

		if (!word || word % WORD || word >> GO_HEAP_BITS ||
		    (word >= g->stack_lo && word < g->stack_hi))
			continue;
		search->reads[n] = (struct remote_span){
			.address = word,
			.buffer = search->variables[n],
			.size = VARIABLE,
		};
		n++;
	}
	err = remote__read_spans(remote, search->reads, n);
	for (size_t i = 0; i < n && !err; i++) {
		if (!search->reads[i].result)
			err = try_variable(search, search->reads[i].address, search->variables[i],
					   address);
	}
	return err;
}

static int find_wait(struct heap_goroutines *goroutines, struct search *search,
		     struct heap_goroutine *g)
{
	const struct waiter *waiter = find(search, g->address);

	if (!waiter && search->n_lists < MAX_LISTS && search->steps) {
		const struct heap_runtime *runtime = goroutines->runtime;
		uint8_t data[HEAP_G_MAX];
		struct heap_g decoded;
		int err =
			remote__read(runtime->remote, g->address, data, runtime->layout->g_sizeof);

		if (!err) {
			heap_g__decode(runtime, data, &decoded);
			err = try_stack(search, g->address, &decoded);
		}
		if (err < 0 && err != -EFAULT)
			return err;
		waiter = find(search, g->address);
	}
	if (waiter)
		return heap_waits__add(goroutines, g, waiter->list, waiter->sudog);
	heap_waits__drop(goroutines, g);
	return 0;
}

int heap_waits__conds(struct heap_goroutines *goroutines)
{
	struct search *search = calloc(1, sizeof(*search));
	int err = 0;

	if (!search)
		return -ENOMEM;
	search->goroutines = goroutines;
	search->steps = goroutines->n + MAX_IN_VAIN;
	for (size_t i = 0; i < goroutines->n && !err; i++) {
		struct heap_goroutine *g = &goroutines->all[i];

		if (g->candidate && g->wait_class == WAIT_COND)
			err = find_wait(goroutines, search, g);
	}
	free(search->all);
	free(search);
	return err;
}
