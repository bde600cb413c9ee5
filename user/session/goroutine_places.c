// SPDX-License-Identifier: Apache-2.0
#include "session/goroutine_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "naming/site_frames.h"

#define FIRST_SIZE 64

/* What goroutines of one place have in common, as numbers. */
struct key {
	uint64_t creation_pc, start_pc;
	uint32_t stack_id;
	uint16_t reason; /* a wait reason, or one of those below */
};

#define REASON_SYSCALL 0x100
#define REASON_RUNS    0x101 /* its site does not know where it stands */

struct place {
	struct key key;
	struct report_place *report; /* NULL: an empty slot */
};

struct goroutine_places {
	struct goroutine_list_source source;
	struct place *slots; /* open addressing, a power of two */
	size_t size, n;
	struct site_frames frames; /* scratch: big */
};

int goroutine_places__new(const struct goroutine_list_source *source,
			  struct goroutine_places **ret_places)
{
	struct goroutine_places *places = calloc(1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	places->source = *source;
	places->size = FIRST_SIZE;
	places->slots = calloc(places->size, sizeof(*places->slots));
	if (!places->slots) {
		free(places);
		return -ENOMEM;
	}
	*ret_places = places;
	return 0;
}

void goroutine_places__free(struct goroutine_places *places)
{
	if (!places)
		return;
	for (size_t i = 0; i < places->size; i++) {
		if (places->slots[i].report)
			free((void *)places->slots[i].report->stack);
		free(places->slots[i].report);
	}
	free(places->slots);
	free(places);
}

/* --- finding ------------------------------------------------------------------------------------- */

static struct key key_of(const struct census_goroutine *g)
{
	bool waiting = g->status == GO_STATUS_WAITING || g->status == GO_STATUS_LEAKED;
	struct key key = {
		.creation_pc = g->creation_pc,
		.start_pc = g->start_pc,
		.stack_id = g->stack_id,
		.reason = REASON_RUNS,
	};

	if (waiting && !g->on_system_stack)
		key.reason = g->wait_reason;
	else if (g->in_syscall && g->stack_id)
		key.reason = REASON_SYSCALL;
	return key;
}

static bool same_key(const struct key *a, const struct key *b)
{
	return a->creation_pc == b->creation_pc && a->start_pc == b->start_pc &&
	       a->stack_id == b->stack_id && a->reason == b->reason;
}

static struct place *find_slot(const struct goroutine_places *places, const struct key *key)
{
	uint64_t hash = hash__combine(key->creation_pc, key->start_pc);
	size_t mask = places->size - 1;
	size_t i = hash__combine(hash, (uint64_t)key->stack_id << 16 | key->reason) & mask;

	while (places->slots[i].report && !same_key(&places->slots[i].key, key))
		i = (i + 1) & mask;
	return &places->slots[i];
}

/* At most half full. */
static int grow(struct goroutine_places *places)
{
	struct place *old = places->slots;
	size_t old_size = places->size;

	if (places->n < old_size / 2)
		return 0;
	places->slots = calloc(old_size * 2, sizeof(*old));
	if (!places->slots) {
		places->slots = old;
		return -ENOMEM;
	}
	places->size = old_size * 2;
	for (size_t i = 0; i < old_size; i++) {
		if (old[i].report)
			*find_slot(places, &old[i].key) = old[i];
	}
	free(old);
	return 0;
}

/* --- resolving ----------------------------------------------------------------------------------- */

/*
 * The goroutines which run finalizers and cleanups are the program's while they are in one of its
 * functions (src/runtime/traceback.go isSystemGoroutine); their stacks tell.
 */
static bool runs_program(const struct site_frames *frames)
{
	static const char *const runners[] = {"runtime.runfinq", "runtime.runFinalizers",
					      "runtime.runCleanups"};
	bool runner = false, program = false;

	for (size_t i = 0; i < ARRAY_SIZE(runners); i++)
		runner |= !strcmp(frames->start_function, runners[i]);
	for (size_t i = 0; i < frames->n_stack && runner; i++)
		program |= strncmp(frames->stack[i].function, "runtime.", 8) != 0;
	return program;
}

/* The id of their site, which was made from the same numbers; see report_builder.c. */
static void site_id(struct goroutine_places *places, const struct key *key, char id[9])
{
	const char *words = "";
	uint32_t stack_id = key->stack_id;

	if (key->reason == REASON_SYSCALL)
		words = "syscall";
	else if (key->reason == REASON_RUNS)
		stack_id = STACK_ID_NONE;
	else
		words = go_layout__wait_reason(places->source.layout, (uint8_t)key->reason);
	site_frames__resolve(places->source.symbolizer, places->source.stacks, key->creation_pc,
			     key->start_pc, stack_id, &places->frames);
	site_frames__id(&places->frames, words, id);
}

static int resolve(struct goroutine_places *places, const struct key *key,
		   struct report_place **ret_report)
{
	struct site_frames *frames = &places->frames;
	struct report_place *report = calloc(1, sizeof(*report));
	struct report_frame *stack;

	if (!report)
		return -ENOMEM;
	site_id(places, key, report->site);
	site_frames__resolve(places->source.symbolizer, places->source.stacks, key->creation_pc,
			     key->start_pc, key->stack_id, frames);
	stack = calloc(frames->n_stack + 1, sizeof(*stack));
	if (!stack) {
		free(report);
		return -ENOMEM;
	}
	memcpy(stack, frames->stack, frames->n_stack * sizeof(*stack));
	report->stack = stack;
	report->n_stack = frames->n_stack;
	report->created_by = frames->created_by;
	report->start_function = frames->start_function;
	report->system =
		symbolizer__is_system_goroutine(places->source.symbolizer, key->start_pc) &&
		!runs_program(frames);
	*ret_report = report;
	return 0;
}

int goroutine_places__find(struct goroutine_places *places, const struct census_goroutine *g,
			   const struct report_place **ret_place)
{
	struct key key = key_of(g);
	struct place *slot = find_slot(places, &key);
	struct report_place *report;
	int err;

	if (slot->report) {
		*ret_place = slot->report;
		return 0;
	}
	err = resolve(places, &key, &report);
	if (err)
		return err;
	*slot = (struct place){key, report};
	places->n++;
	*ret_place = report;
	return grow(places);
}
