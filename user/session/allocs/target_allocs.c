// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/target_allocs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/log.h"
#include "golang/labels.h"
#include "heap/spans/spans.h"
#include "probe/alloc_draws.h"
#include "session/allocs/alloc_watch.h"
#include "session/allocs/allocs_private.h"
#include "session/heap/target_heap.h"
#include "session/target_internal.h"

#define MAX_STACKS    (1u << 18)
#define MAX_ENTRIES   (1u << 20)
#define MAX_LABELS    (1u << 16) /* different sets */
#define MAX_ADDRESSES (1u << 18)
#define LABELS_TEXT   512

/* --- labels ---------------------------------------------------------------------------------------- */

static int add_text(struct label_texts *labels, const char *text, uint64_t hash)
{
	char *copy = strdup(text);
	int err = copy && array__reserve(labels->texts, labels->capacity, labels->n + 1) ? 0 :
											   -ENOMEM;

	if (!err)
		err = index__add(labels->by_text, hash, (uint32_t)labels->n);
	if (err)
		free(copy);
	else
		labels->texts[labels->n++] = copy;
	return err;
}

static int label_texts__init(struct label_texts *labels)
{
	int err = index__new(MAX_LABELS, &labels->by_text);

	if (!err)
		err = index__new(MAX_ADDRESSES, &labels->now.by_address);
	if (!err)
		err = index__new(MAX_ADDRESSES, &labels->before.by_address);
	/* ALLOC_LABELS_NONE and _UNKNOWN, which no text leads to. */
	for (int i = 0; i < 2 && !err; i++)
		err = add_text(labels, "", hash__keyed("", 0));
	return err;
}

static void label_texts__done(struct label_texts *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		free(labels->texts[i]);
	free(labels->texts);
	free(labels->now.all);
	free(labels->before.all);
	index__free(labels->by_text);
	index__free(labels->now.by_address);
	index__free(labels->before.by_address);
}

static uint32_t intern_text(struct label_texts *labels, const char *text)
{
	uint64_t hash = hash__keyed(text, strlen(text));
	struct index_search search = index__search(labels->by_text, hash);

	while (index__next(&search)) {
		if (search.number > ALLOC_LABELS_UNKNOWN &&
		    !strcmp(labels->texts[search.number], text))
			return search.number;
	}
	return add_text(labels, text, hash) ? ALLOC_LABELS_UNKNOWN : (uint32_t)labels->n - 1;
}

static uint32_t read_labels(struct target *target, uint64_t address)
{
	struct label_texts *labels = &target->allocs->labels;
	struct go_labels *set;
	char text[LABELS_TEXT];
	size_t length = 0;

	text[0] = '\0';
	if (go_labels__read(target->remote, target->allocs->runtime->layout->minor, address, &set))
		return ALLOC_LABELS_UNKNOWN;
	for (size_t i = 0; i < set->n && length < sizeof(text) - 1; i++) {
		int n = snprintf(text + length, sizeof(text) - length, "%s%s=%s", i ? ", " : "",
				 set->items[i].key, set->items[i].value);

		length += n > 0 ? (size_t)n : 0;
	}
	free(set);
	return *text ? intern_text(labels, text) : ALLOC_LABELS_NONE;
}

/* It is always even (src/runtime/mheap.go): 1 is that of no moment. */
#define NO_SWEEPGEN    1u
#define PER_COLLECTION 2u

static uint32_t sweepgen_of(const struct target *target)
{
	const struct heap_runtime *runtime = target->allocs->runtime;
	uint32_t sweepgen;
	int err = remote__read(runtime->remote, runtime->mheap + runtime->layout->mheap_sweepgen,
			       &sweepgen, sizeof(sweepgen));

	return err ? NO_SWEEPGEN : sweepgen;
}

/*
 * When its last collection ended, by our clock; now where that is not known. The world stands still then, but sweepgen
 * is another a moment before the time is.
 */
static uint64_t collected_ns(const struct target *target)
{
	struct label_texts *labels = &target->allocs->labels;
	uint64_t now_ns = clock__monotonic_ns(), ended_ns, before_ns = labels->ended_ns;

	labels->ended_ns = 0;
	if (heap_counters__last_gc(target->allocs->runtime, &ended_ns) || !ended_ns)
		return now_ns;
	labels->ended_ns = ended_ns;
	if (ended_ns == before_ns)
		return now_ns;
	ended_ns -=
		(uint64_t)process__clock_offset(target->options.proc_root, target->process.id.pid);
	return min_of(ended_ns, now_ns);
}

static void forget_addresses(const struct target *target, uint32_t sweepgen)
{
	struct label_texts *labels = &target->allocs->labels;

	struct label_addresses oldest = labels->before;

	labels->before = labels->now;
	labels->before_until_ns = labels->looked_ns;
	index__clear(oldest.by_address);
	oldest.n = 0;
	oldest.since_ns = collected_ns(target);
	labels->now = oldest;
	/* No other collection came in between: until this one all was as before. */
	if (labels->ended_ns && sweepgen - labels->sweepgen == PER_COLLECTION)
		labels->before_until_ns = oldest.since_ns;
	labels->sweepgen = sweepgen;
}

/* NULL: it was not read. */
static const struct label_address *find_address(const struct label_addresses *addresses,
						uint64_t address)
{
	struct index_search search =
		index__search(addresses->by_address, hash__keyed_word(address));

	while (index__next(&search)) {
		if (addresses->all[search.number].address == address)
			return &addresses->all[search.number];
	}
	return NULL;
}

static void note_address(struct label_addresses *addresses, uint64_t address, uint32_t found)
{
	if (array__reserve(addresses->all, addresses->capacity, addresses->n + 1) &&
	    !index__add(addresses->by_address, hash__keyed_word(address), (uint32_t)addresses->n))
		addresses->all[addresses->n++] = (struct label_address){address, found};
}

/* Whether a collection has ended since the last time. */
static void look_at_sweepgen(const struct target *target)
{
	struct label_texts *labels = &target->allocs->labels;
	uint64_t now_ns = clock__monotonic_ns();
	uint32_t sweepgen = sweepgen_of(target);

	if (sweepgen != labels->sweepgen)
		forget_addresses(target, sweepgen);
	labels->looked_ns = now_ns;
}

/* What is at @address, which has been in use since the last collection. */
static uint32_t labels_now(struct target *target, uint64_t address)
{
	struct label_texts *labels = &target->allocs->labels;
	const struct label_address *known = find_address(&labels->now, address);
	uint32_t found, sweepgen;

	if (known)
		return known->labels;
	found = read_labels(target, address);
	sweepgen = sweepgen_of(target);
	if (sweepgen == NO_SWEEPGEN || sweepgen != labels->sweepgen)
		return ALLOC_LABELS_UNKNOWN;
	note_address(&labels->now, address, found);
	return found;
}

/*
 * A set is never changed, and its memory becomes another thing only after a collection. So what is read
 * at @address was there at @time_ns, that of the hit, if no collection has ended since then; and before that one, what
 * was read before it. Hits may come while others are taken, and a collection with them.
 */
static uint32_t labels_at(struct target *target, uint64_t address, uint64_t time_ns)
{
	struct label_texts *labels = &target->allocs->labels;
	const struct label_address *before;

	if (!address || !target->allocs->who)
		return ALLOC_LABELS_NONE;
	if (time_ns >= labels->looked_ns)
		look_at_sweepgen(target);
	if (time_ns >= labels->now.since_ns)
		return labels_now(target, address);
	if (time_ns < labels->before.since_ns || time_ns >= labels->before_until_ns)
		return ALLOC_LABELS_UNKNOWN;
	before = find_address(&labels->before, address);
	return before ? before->labels : ALLOC_LABELS_UNKNOWN;
}

/* --- hits ------------------------------------------------------------------------------------------ */

static uint32_t stack_of(struct target *target, const struct gl_alloc *record)
{
	uint64_t pcs[GL_ALLOC_STACK];

	for (size_t i = 0; i < record->n_pcs; i++)
		pcs[i] = target__module_pc(target, record->pcs[i]);
	return stack_table__intern(target->allocs->stacks, pcs, record->n_pcs);
}

/* Of a call the type says whether there are pointers; the size of a sample is that of its class. */
static struct alloc_block block_of(struct target *target, const struct gl_alloc *record)
{
	struct target_allocs *allocs = target->allocs;
	const struct heap_type *type;

	if (record->kind != GL_ALLOC_CALL)
		return (struct alloc_block){.bytes = record->size};
	type = record->type ? heap_types__any(allocs->types, record->type) : NULL;
	return alloc_block__of(record->size, type && type->pointer_size,
			       allocs->runtime->layout->minor, heap_spans__class_size);
}

/* Go 1.22 has begun to put a header in front of some objects: where their slot begins. */
static uint64_t slot_of(const struct gl_alloc *record)
{
	const uint64_t first_with_header = 576, aligned = 64;

	return record->size < first_with_header ? record->object :
						  record->object / aligned * aligned;
}

/* How many hits it stands for. */
static double weight_of(const struct gl_alloc *record)
{
	return alloc_draws__weight(record->size, record->gap);
}

static uint32_t take(struct target *target, const struct gl_alloc *record,
		     const struct alloc_block *block)
{
	const struct alloc_hit hit = {
		.goid = record->goid,
		.creation_pc = target__module_pc(target, record->creation_pc),
		.start_pc = target__module_pc(target, record->start_pc),
		.type = record->type,
		.bytes = block->bytes,
		.size_class = block->size_class,
		.tiny = block->tiny,
		.weight = weight_of(record),
		.object = slot_of(record),
		.stack = stack_of(target, record),
		.labels = labels_at(target, record->labels, record->time_ns),
	};

	return alloc_flow__take(target->allocs->flow, &hit);
}

void target_allocs__take(struct target *target, const struct gl_alloc *record)
{
	struct target_allocs *allocs = target->allocs;
	bool is_call = record->kind != GL_ALLOC_LARGE && record->kind != GL_ALLOC_FOUND;
	struct followed_hit hit = {
		.entry = ALLOC_NO_ENTRY,
		.weight = weight_of(record),
		.time_ns = record->time_ns,
		.drawn = allocs->gap || record->gap,
	};
	struct alloc_block block;

	if (record->kind == GL_ALLOC_REFILL) {
		alloc_paces__take(target, record);
		return;
	}
	allocs->records += is_call;
	if (record->time_ns < allocs->valid_from_ns || record->time_ns > allocs->valid_to_ns)
		return;
	if (is_call) {
		block = block_of(target, record);
		hit.entry = take(target, record, &block);
	}
	if (allocs->follow)
		alloc_follow__record(allocs->follow, record, &hit);
	if (record->last)
		target_allocs__draws(target, allocs->counts.gap);
}

void target_allocs__draws(struct target *target, uint64_t gap)
{
	struct target_allocs *allocs = target->allocs;

	if (allocs->gap)
		return;
	allocs->gap = max_of(gap, (uint64_t)1);
	log_debug("allocations of process %d: records came too fast, hits are drawn from now on",
		  target__pid(target));
	if (allocs->follow)
		alloc_follow__gap(allocs->follow, false);
}

/* --- its life -------------------------------------------------------------------------------------- */

static int open_types(struct target *target, struct failure *failure)
{
	struct target_allocs *allocs = target->allocs;
	int err = target_heap__runtime(target, &allocs->runtime, failure);

	if (err)
		return err;
	allocs->runtime_modules = calloc(1, sizeof(*allocs->runtime_modules));
	err = allocs->runtime_modules ? heap_types__new(allocs->runtime, &allocs->types) : -ENOMEM;
	if (!err)
		err = heap_allocated__new(allocs->runtime, allocs->types, &allocs->allocated);
	if (!err)
		err = heap_modules__read(allocs->runtime, allocs->runtime_modules);
	if (err)
		return failure__set(failure, err, "its types cannot be read: %s", strerror(-err));
	heap_types__use_modules(allocs->types, allocs->runtime_modules);
	return 0;
}

int target_allocs__open(struct target *target, struct failure *failure)
{
	const struct alloc_flow_limits limits = {
		.entries = MAX_ENTRIES,
		.goroutines = MAX_ENTRIES,
		.objects = MAX_ENTRIES,
	};
	struct target_allocs *allocs = calloc(1, sizeof(*allocs));
	int err;

	if (!allocs)
		return failure__set(failure, -ENOMEM, "out of memory");
	target->allocs = allocs;
	allocs->modules = calloc(ALLOC_MAX_MODULES, sizeof(*allocs->modules));
	err = allocs->modules ? alloc_flow__new(&limits, &allocs->flow) : -ENOMEM;
	if (!err)
		err = stack_table__new(MAX_STACKS, &allocs->stacks);
	if (!err)
		err = label_texts__init(&allocs->labels);
	if (err)
		return failure__set(failure, err, "out of memory");
	return open_types(target, failure);
}

static void tell_sites(const struct target *target)
{
	const struct alloc_plan *plan = &target->allocs->modules[0].plan;

	for (size_t i = 0; i < plan->n; i++)
		log_debug("allocation site %s+0x%x 0x%llx %s", plan->sites[i].site.function,
			  plan->sites[i].site.func_offset,
			  (unsigned long long)plan->sites[i].site.address,
			  probe_class__name(plan->sites[i].site.class));
}

int target_allocs__plan(struct target *target, struct failure *failure)
{
	struct target_allocs *allocs = target->allocs;
	enum alloc_plan_wanted wanted =
		allocs->source == ALLOC_SOURCE_SAMPLE_HITS ? ALLOC_PLAN_SAMPLES : ALLOC_PLAN_ALL;
	size_t n = module_map__count(target->modules);

	if (n > ALLOC_MAX_MODULES)
		return failure__set(failure, -E2BIG, "it has more than %d modules",
				    ALLOC_MAX_MODULES);
	for (size_t i = 0; i < n; i++) {
		const struct loaded_module *loaded = module_map__at(target->modules, i);
		struct alloc_module *module = &allocs->modules[i];
		int err;

		if (!loaded->binary)
			return failure__set(failure, -ENOENT, "one of its plugins is not readable");
		err = alloc_plan__make(loaded->binary, wanted, &module->plan, failure);
		if (err)
			return err;
		module->bias = loaded->bias;
		module->fd = executable__fd(target->executable, loaded->number);
		allocs->n_modules++;
	}
	tell_sites(target);
	return 0;
}

void target_allocs__close(struct target *target)
{
	struct target_allocs *allocs = target->allocs;

	if (!allocs)
		return;
	if (allocs->watch) {
		alloc_watch__remove(allocs->watch, target);
		return;
	}
	alloc_modules__detach(&(struct alloc_modules){allocs->modules, allocs->n_modules});
	alloc_paces__close(&allocs->paces);
	free(allocs->modules);
	label_texts__done(&allocs->labels);
	stack_table__free(allocs->stacks);
	object_places__forget(&allocs->places);
	alloc_follow__free(allocs->follow);
	alloc_flow__free(allocs->flow);
	heap_allocated__free(allocs->allocated);
	heap_types__free(allocs->types);
	free(allocs->runtime_modules);
	free(allocs);
	target->allocs = NULL;
}

/* --- what is known --------------------------------------------------------------------------------- */

static double spent_ns(const struct target_allocs *allocs)
{
	uint64_t hits = allocs->counts.hits + allocs->counts.skipped - alloc_paces__hits(allocs);
	uint64_t records = allocs->records + allocs->counts.lost;
	uint64_t windows =
		allocs->source == ALLOC_SOURCE_WINDOWS ? allocs->n_windows - allocs->attached : 0;

	return (double)hits * allocs->cost.hit_ns + (double)records * allocs->cost.record_ns +
	       (double)windows * ALLOC_WINDOW_NS;
}

/* What was hit since the last charge is charged as of now. */
static double charged_ns(const struct target_allocs *allocs)
{
	return allocs->charged_ns +
	       (spent_ns(allocs) - allocs->charged_to_ns) * alloc_weights__dearer(&allocs->weights);
}

double target_allocs__charge(struct target_allocs *allocs)
{
	allocs->charged_ns = charged_ns(allocs);
	allocs->charged_to_ns = spent_ns(allocs);
	return allocs->charged_ns;
}

uint64_t target_allocs__cost_ns(const struct target *target)
{
	double ns = target->allocs ?
			    charged_ns(target->allocs) + alloc_paces__cost_ns(target->allocs) :
			    0;

	return target->former_allocs_ns + (uint64_t)ns;
}

bool target_allocs__figures(const struct target *target, struct alloc_figures *ret_figures)
{
	const struct target_allocs *allocs = target->allocs;
	uint64_t now_ns = clock__monotonic_ns();

	if (!allocs)
		return false;
	*ret_figures = (struct alloc_figures){
		.weights = &allocs->weights,
		.source = allocs->source,
		.rate = allocs->rate,
		.again = allocs->again,
		.watched_ns = allocs->began_ns ? now_ns - allocs->began_ns : 0,
		.attached_ns =
			allocs->attached_ns + (allocs->attached ? now_ns - allocs->opened_ns : 0),
		.windows = allocs->n_windows,
		.hits = allocs->counts.hits + allocs->counts.skipped,
		.lost = allocs->counts.lost,
		.refused = alloc_flow__refused(allocs->flow),
		.cost_ns = (uint64_t)(charged_ns(allocs) + alloc_paces__cost_ns(target->allocs)),
		.unseen_bytes =
			allocs->source == ALLOC_SOURCE_WINDOWS ?
				alloc_weights__unseen(&allocs->weights, heap_spans__class_size) :
				0,
		.missing = allocs->missing.text,
		.ended = allocs->ended.text,
	};
	return true;
}

bool target_allocs__past(const struct target *target, struct followed_past *ret_past)
{
	const struct target_allocs *allocs = target->allocs;

	if (!allocs || !allocs->follow)
		return false;
	alloc_follow__past(allocs->follow, ret_past);
	return true;
}

const struct object_places *target_allocs__places(const struct target *target)
{
	return target->allocs ? &target->allocs->places : NULL;
}

/* Who looks once in a while has a view of the heap of its own. */
void target_allocs__told(struct target *target)
{
	if (target->allocs && target->allocs->again)
		target_places__told(target, &target->allocs->places);
}

struct alloc_flow *target_allocs__flow(const struct target *target)
{
	return target->allocs->flow;
}

const struct stack_table *target_allocs__stacks(const struct target *target)
{
	return target->allocs->stacks;
}

const char *target_allocs__labels(const struct target *target, uint32_t labels)
{
	const struct label_texts *texts = &target->allocs->labels;

	return labels < texts->n ? texts->texts[labels] : "";
}
