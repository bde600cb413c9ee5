// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/alloc_paces.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "host/process.h"
#include "session/allocs/allocs_private.h"
#include "session/target_internal.h"

/* What these have while they are wanted: of either kind the longer one is the better known. */
#define PART 0.5

/* So that there are several in ten seconds, and each has some hundred refills. */
#define PRICE_NS   (10 * NSEC_PER_MSEC)
#define LONGEST_NS (NSEC_PER_SEC / 2)

static int plan(struct target *target, struct alloc_paces *paces)
{
	struct failure failure;
	size_t n = target->allocs->n_modules;

	paces->modules = calloc(ALLOC_MAX_MODULES, sizeof(*paces->modules));
	if (!paces->modules)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct loaded_module *loaded = module_map__at(target->modules, i);
		struct alloc_module *module = &paces->modules[i];
		int err = loaded && loaded->binary ?
				  alloc_plan__make(loaded->binary, ALLOC_PLAN_REFILLS,
						   &module->plan, &failure) :
				  -ENOENT;

		if (err)
			return err;
		module->bias = target->allocs->modules[i].bias;
		module->fd = target->allocs->modules[i].fd;
		paces->n_modules++;
	}
	return 0;
}

static void prepare(struct target *target, struct alloc_paces *paces)
{
	if (plan(target, paces)) {
		log_debug("refills of process %d: nothing can be probed", target__pid(target));
		paces->fails = true;
		return;
	}
	alloc_windows__init(&paces->windows, target->allocs->windows.max_overhead, PRICE_NS,
			    hash__keyed_word(clock__monotonic_ns()));
}

static void choose_classes(struct target *target, struct alloc_paces *paces)
{
	paces->classes = 0;
	for (uint8_t c = 1; c < ALLOC_CLASSES; c++) {
		if (alloc_weights__wants_pace(&target->allocs->weights, c))
			paces->classes |= GL_ALLOC_REFILL_BIT(c);
	}
	for (size_t i = 0; i < paces->n_modules; i++)
		paces->modules[i].plan.sites[0].min_size = paces->classes;
}

static void open_window(struct target *target, struct alloc_paces *paces,
			struct alloc_probes *probes)
{
	const struct alloc_modules modules = {paces->modules, paces->n_modules};
	struct failure failure;

	choose_classes(target, paces);
	if (alloc_modules__attach(&modules, probes, target, target->allocs->slot, &failure)) {
		log_debug("refills of process %d: %s", target__pid(target), failure.text);
		paces->fails = true;
		return;
	}
	paces->attached = true;
	paces->opened_ns = clock__monotonic_ns();
	paces->closed_ns = UINT64_MAX;
	paces->lost = target->allocs->counts.lost;
	paces->skipped = target->allocs->counts.skipped;
	paces->n_windows++;
	alloc_windows__set(&paces->windows, true, paces->opened_ns);
}

static void close_window(struct alloc_paces *paces)
{
	paces->closed_ns = clock__monotonic_ns();
	alloc_modules__detach(&(struct alloc_modules){paces->modules, paces->n_modules});
	paces->attached = false;
	alloc_windows__set(&paces->windows, false, paces->closed_ns);
	paces->settles = true;
}

static void tell(const struct target *target, const struct alloc_paces *paces)
{
	const struct alloc_weights *weights = &target->allocs->weights;
	double part, error;

	log_debug("refills of process %d: seen for %.1f ms, the %llu. time, %llu so far",
		  target__pid(target),
		  (double)(paces->closed_ns - paces->opened_ns) / NSEC_PER_MSEC,
		  (unsigned long long)paces->n_windows, (unsigned long long)paces->hits);
	for (uint8_t c = 1; c < ALLOC_CLASSES; c++) {
		const double *paced = weights->paced[c];

		if (alloc_weights__wants_pace(weights, c) &&
		    alloc_pace__part(&weights->pace, c, &part, &error))
			log_debug("of size class %u others than who only allocates have %.3f %% by "
				  "refills, \302\261%.1f %%, and %.3f %% by windows",
				  c, 100 * part, 100 * error,
				  100 * paced[0] / (paced[0] + paced[1]));
	}
}

/* All records have been read. */
static void settle(struct target *target, struct alloc_paces *paces)
{
	struct alloc_pace_window window = {
		.ns = paces->closed_ns - paces->opened_ns,
		.complete = target->allocs->counts.lost == paces->lost,
	};
	struct heap_class_counts counts;

	paces->hits = alloc_paces__hits(target->allocs);
	paces->settles = false;
	if (heap_class_counts__read(target->allocs->runtime, &counts))
		window.complete = false;
	window.now_ns = clock__monotonic_ns();
	for (size_t c = 1; c < HEAP_COUNTED_CLASSES && c < ALLOC_PACE_CLASSES && window.complete;
	     c++) {
		window.counted[c] = counts.objects[c];
		window.seen[c] = paces->classes & GL_ALLOC_REFILL_BIT(c);
	}
	alloc_pace__settle(&target->allocs->weights.pace, &window);
	tell(target, paces);
}

static bool is_wanted(const struct target_allocs *allocs)
{
	uint8_t c = 1;

	if (allocs->source != ALLOC_SOURCE_WINDOWS || allocs->paces.fails)
		return false;
	while (c < ALLOC_CLASSES && !alloc_weights__wants_pace(&allocs->weights, c))
		c++;
	return c < ALLOC_CLASSES;
}

void alloc_paces__share(struct target_allocs *allocs)
{
	double part = allocs->paces.wanted ? PART : 0;

	allocs->paces.windows.max_overhead = allocs->max_overhead * PART;
	allocs->windows.max_overhead = allocs->max_overhead * (1 - part);
}

/* Whether there is time left in the window that is open, or another one may be opened. */
static bool goes_on(struct target *target, struct alloc_paces *paces, uint64_t now_ns)
{
	double cost_ns = alloc_paces__cost_ns(target->allocs);
	bool long_enough = paces->attached && now_ns > paces->opened_ns + LONGEST_NS;
	uint64_t cpu_ns;

	return !process__cpu_ns(target__pid(target), &cpu_ns) &&
	       alloc_windows__tick(&paces->windows, now_ns, cpu_ns, cost_ns) && !long_enough;
}

bool alloc_paces__turn(struct target *target, struct alloc_probes *probes, bool rests, bool wanted,
		       uint64_t now_ns)
{
	struct alloc_paces *paces = &target->allocs->paces;
	bool is_free = !target->allocs->attached && !wanted, opens;

	if (paces->settles)
		settle(target, paces);
	paces->wanted = is_wanted(target->allocs);
	if (paces->wanted && !paces->modules)
		prepare(target, paces);
	opens = (paces->wanted || paces->attached) && !paces->fails &&
		goes_on(target, paces, now_ns) && paces->wanted && !rests;
	if (paces->attached && !opens)
		close_window(paces);
	else if (!paces->attached && opens && is_free)
		open_window(target, paces, probes);
	return wanted && !paces->attached;
}

void alloc_paces__take(struct target *target, const struct gl_alloc *record)
{
	struct alloc_paces *paces = &target->allocs->paces;

	paces->records++;
	if (record->time_ns < paces->opened_ns || record->time_ns > paces->closed_ns)
		return;
	alloc_pace__refill(&target->allocs->weights.pace, record->goid, record->span_class >> 1,
			   record->object);
}

uint64_t alloc_paces__hits(const struct target_allocs *allocs)
{
	const struct alloc_paces *paces = &allocs->paces;

	return paces->hits +
	       (alloc_paces__reads(paces) ? allocs->counts.skipped - paces->skipped : 0);
}

/* A record without a stack takes about as long as the hit itself. */
double alloc_paces__cost_ns(const struct target_allocs *allocs)
{
	const struct alloc_paces *paces = &allocs->paces;
	uint64_t hits = alloc_paces__hits(allocs) + paces->records;

	return (double)hits * allocs->cost.hit_ns +
	       (double)(paces->n_windows - paces->attached) * ALLOC_WINDOW_NS;
}

void alloc_paces__close(struct alloc_paces *paces)
{
	if (!paces->modules)
		return;
	alloc_modules__detach(&(struct alloc_modules){paces->modules, paces->n_modules});
	free(paces->modules);
	*paces = (struct alloc_paces){0};
}
