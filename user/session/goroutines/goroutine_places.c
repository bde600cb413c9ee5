// SPDX-License-Identifier: Apache-2.0
#include "session/goroutines/goroutine_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "golang/pclntab.h"
#include "naming/site_frames.h"

/* What goroutines of one place have in common, as numbers. */
struct key {
	uint64_t creation_pc, start_pc;
	uint32_t stack_id;
	uint16_t reason; /* a wait reason, or one of those below */
};

#define REASON_SYSCALL 0x100
#define REASON_RUNS    0x101 /* its site does not know where it stands */

/* More calls than that are not inlined into one another (golang/pclntab.h). */
#define CREATOR_MAX_INLINE (PCLNTAB_MAX_INLINE + 1)

struct place {
	struct key key;
	struct report_place *report;
};

struct goroutine_places {
	struct goroutine_list_source source;
	struct place *places;
	size_t n, size;
	struct index *index;	   /* of the places, by key */
	struct site_frames frames; /* scratch: big */
};

int goroutine_places__new(const struct goroutine_list_source *source,
			  struct goroutine_places **ret_places)
{
	struct goroutine_places *places = calloc(1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	places->source = *source;
	if (index__new(INDEX_MAX, &places->index)) {
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
	for (size_t i = 0; i < places->n; i++) {
		free((void *)places->places[i].report->stack);
		free(places->places[i].report);
	}
	free(places->places);
	index__free(places->index);
	free(places);
}

/* --- finding ------------------------------------------------------------------------------------- */

static struct key key_of(const struct census_goroutine *g)
{
	struct key key = {
		.creation_pc = g->creation_pc,
		.start_pc = g->start_pc,
		.stack_id = g->stack_id,
		.reason = REASON_RUNS,
	};

	if (census_goroutine__is_parked(g))
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

static uint64_t hash_of(const struct key *key)
{
	const uint64_t words[] = {key->creation_pc, key->start_pc,
				  (uint64_t)key->stack_id << 16 | key->reason};

	return hash__keyed(words, sizeof(words));
}

static struct report_place *find(const struct goroutine_places *places, const struct key *key)
{
	struct index_search search = index__search(places->index, hash_of(key));

	while (index__next(&search)) {
		if (same_key(&places->places[search.number].key, key))
			return places->places[search.number].report;
	}
	return NULL;
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

/* The id of their site, which was made from the same numbers; see report/builder.c. */
static void site_id(struct goroutine_places *places, const struct key *key, char id[9])
{
	const char *reason = "";
	uint32_t stack_id = key->stack_id;

	if (key->reason == REASON_SYSCALL)
		reason = "syscall";
	else if (key->reason == REASON_RUNS)
		stack_id = STACK_ID_NONE;
	else
		reason = go_layout__wait_reason(places->source.layout, (uint8_t)key->reason);
	site_frames__resolve(places->source.symbolizer, places->source.stacks, key->creation_pc,
			     key->start_pc, stack_id, &places->frames);
	site_frames__id(&places->frames, reason, id);
}

/* The runtime names the function that the code is in, and none of its own. */
static void resolve_creator(const struct goroutine_places *places, uint64_t pc,
			    struct report_place *report)
{
	struct frame frames[CREATOR_MAX_INLINE];
	size_t n = pc ? symbolizer__frames(places->source.symbolizer, pc, true, frames,
					   CREATOR_MAX_INLINE) :
			0;

	if (!n || !site_frames__is_shown(&frames[n - 1], true))
		return;
	report->creator = frames[n - 1].function;
	report->creator_offset = frames[n - 1].offset;
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
	resolve_creator(places, key->creation_pc, report);
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
	struct report_place *report = find(places, &key);
	int err;

	if (report) {
		*ret_place = report;
		return 0;
	}
	if (!array__reserve(places->places, places->size, places->n + 1))
		return -ENOMEM;
	err = resolve(places, &key, &report);
	if (err)
		return err;
	if (index__add(places->index, hash_of(&key), (uint32_t)places->n)) {
		free((void *)report->stack);
		free(report);
		return -ENOMEM;
	}
	places->places[places->n++] = (struct place){key, report};
	*ret_place = report;
	return 0;
}
