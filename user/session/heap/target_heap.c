// SPDX-License-Identifier: Apache-2.0
#include "session/heap/target_heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "session/heap/site_ways.h"
#include "session/heap/target_places.h"
#include "session/heap/target_view.h"
#include "session/target_internal.h"

struct target_heap {
	struct heap_runtime runtime;
	struct heap_confirm *confirm;
	struct heap_scan *scan; /* NULL: none is under way */
	struct site_ways *ways;
	bool own_names;		  /* the target's view was opened for this scan alone */
	bool by_level;		  /* the latest scan */
	struct heap_paths *paths; /* that see the scan under way; NULL: none do */
	struct target_heap_figures figures;
	uint64_t last_gc_ns; /* the end of the last collection known of; by the process's clock */
};

/* Where a program has no more to do but to run on, main waits for ever: in select{}, or at a channel. */
#define MAIN_GOID 1

/* Where it is not bounded. */
#define PATHS_MAX_MEMORY (1ULL << 30)
/* For names on the ways to what sites wait on: 16 MiB of debug information, 16 million objects. */
#define NAMES_MAX_MEMORY (1ULL << 26)

/* Of the memory that a scan may use, what ways may take. */
#define WAYS_SHARE 4

/* A goroutine that something was found out about, and the site that it belongs to. */
struct finding {
	uint32_t site;
	enum proof_holder holder; /* HOLDER_NOT_KNOWN: nothing leads to what it waits on */
	bool by_any;		  /* the holder may be another: it says that there is one */
	size_t index;		  /* in heap_goroutines.all */
};

static int open_heap(struct target *target, struct failure *failure)
{
	struct target_heap *heap;
	int err;

	if (target->heap)
		return 0;
	heap = calloc(1, sizeof(*heap));
	if (!heap)
		return failure__set(failure, -ENOMEM, "out of memory");
	err = heap_runtime__init(&heap->runtime, target->executable->binary, target->remote,
				 target->load_bias, failure);
	if (!err && site_ways__new(target, &heap->runtime, &heap->ways))
		err = failure__set(failure, -ENOMEM, "out of memory");
	if (err) {
		free(heap);
		return err;
	}
	target->heap = heap;
	return 0;
}

int target_heap__runtime(struct target *target, const struct heap_runtime **ret_runtime,
			 struct failure *failure)
{
	int err = open_heap(target, failure);

	if (!err)
		*ret_runtime = &target->heap->runtime;
	return err;
}

void target_heap__close(struct target *target)
{
	struct target_heap *heap = target->heap;

	if (!heap)
		return;
	heap_scan__free(heap->scan);
	heap_confirm__free(heap->confirm);
	site_ways__free(heap->ways);
	free(heap);
	target->heap = NULL;
}

static uint64_t parked_since(void *ctx, const struct heap_goroutine *g)
{
	const struct target *target = ctx;
	uint64_t since_ns;
	uint32_t site;

	return tracker__find(target->tracker, g->goid, &site, &since_ns) ? since_ns : 0;
}

static int by_site(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->site != y->site)
		return (x->site > y->site) - (x->site < y->site);
	if (x->holder != y->holder)
		return (x->holder > y->holder) - (x->holder < y->holder);
	return (x->index > y->index) - (x->index < y->index);
}

static enum proof_holder holder_of(enum heap_root_kind kind)
{
	switch (kind) {
	case HEAP_ROOT_NONE:
	case HEAP_ROOT_MOVED:
		break;
	case HEAP_ROOT_NOT_HEAP:
	case HEAP_ROOT_GLOBAL:
		return HOLDER_VARIABLE;
	case HEAP_ROOT_FINALIZER:
		return HOLDER_FINALIZER;
	case HEAP_ROOT_RUNTIME:
		return HOLDER_RUNTIME;
	case HEAP_ROOT_GOROUTINE:
	case HEAP_ROOT_WAITING:
		return HOLDER_GOROUTINE;
	}
	return HOLDER_NOT_KNOWN;
}

/* Whether @g is one that nothing leads to, and it is sure enough. */
static bool is_known(const struct target *target, const struct heap_goroutine *g, bool proven,
		     uint64_t now_ns)
{
	return heap_scan__is_unreachable(g) && g->goid != MAIN_GOID &&
	       (proven || heap_confirm__is_confirmed(target->heap->confirm, g->goid, now_ns));
}

static bool is_semaphore(enum wait_class class)
{
	return class == WAIT_SEMAPHORE || class == WAIT_LOCK || class == WAIT_WAIT_GROUP;
}

/*
 * The site of @g. False: it is not known where it waits, for it went on after the last census, which has
 * it elsewhere or not at all. It is told by the next scan. Before Go 1.24 a census knows by the stack
 * what is one kind of wait here.
 */
static bool find_site(const struct target *target, const struct heap_goroutine *g,
		      uint32_t *ret_site)
{
	enum wait_class class;
	uint64_t since_ns;

	if (!tracker__find(target->tracker, g->goid, ret_site, &since_ns))
		return false;
	class = tracker__waits_in(target->tracker, *ret_site);
	return class == g->wait_class || (is_semaphore(class) && is_semaphore(g->wait_class));
}

/* Of all candidates, by site, those that are known first; NULL without memory. */
static struct finding *find_all(struct target *target, const struct heap_scan *scan, bool proven,
				size_t *ret_n)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	struct finding *found = calloc(goroutines->n + 1, sizeof(*found));
	uint64_t now_ns = clock__monotonic_ns();
	size_t n = 0;

	for (size_t i = 0; found && i < goroutines->n; i++) {
		const struct heap_goroutine *g = &goroutines->all[i];
		enum proof_holder holder = holder_of((enum heap_root_kind)g->reached_by);
		uint32_t site;

		if (!g->candidate || (!is_known(target, g, proven, now_ns) && !holder))
			continue;
		if (!find_site(target, g, &site))
			continue;
		/* A scan by level has all roots at once, and stacks last of them. */
		found[n++] = (struct finding){
			.site = site,
			.holder = holder,
			.by_any = target->heap->by_level && g->reached_by == HEAP_ROOT_GOROUTINE,
			.index = i,
		};
	}
	if (found)
		qsort(found, n, sizeof(*found), by_site);
	*ret_n = n;
	return found;
}

/* What those of @n findings that nothing leads to keep; they come first. */
static int find_retained(struct heap_scan *scan, const struct finding *found, size_t n,
			 struct site_proof *proof)
{
	size_t *indices = calloc(n, sizeof(*indices)), known = 0;
	struct heap_retained retained;
	int err;

	if (!indices)
		return -ENOMEM;
	while (known < n && !found[known].holder) {
		indices[known] = found[known].index;
		known++;
	}
	err = known ? heap_scan__retain(scan, indices, known, &retained) : 0;
	free(indices);
	if (err || !known)
		return err;
	proof->goroutines = (uint32_t)known;
	proof->heap_bytes = retained.bytes;
	proof->stack_bytes = retained.stack_bytes;
	proof->objects = retained.objects;
	return 0;
}

/* What leads to most of them of which it is known. */
static enum proof_holder common_holder(const struct finding *found, size_t n)
{
	size_t counts[HOLDER_GOROUTINE + 1] = {0};
	enum proof_holder best = HOLDER_NOT_KNOWN;

	for (size_t i = 0; i < n; i++)
		counts[found[i].holder] += !found[i].by_any;
	counts[HOLDER_NOT_KNOWN] = 0;
	for (enum proof_holder h = HOLDER_VARIABLE; h <= HOLDER_GOROUTINE; h++)
		best = counts[h] > counts[best] ? h : best;
	return best;
}

/* @n findings of one site. */
static int note_site(struct target *target, struct heap_scan *scan, const struct finding *found,
		     size_t n, enum proof_level level)
{
	struct site_proof proof = {0};
	int err;

	proof.path = site_ways__text(target->heap->ways, found->site, &proof.holder);
	if (!proof.path)
		proof.holder = common_holder(found, n);
	err = find_retained(scan, found, n, &proof);
	if (err)
		return err;
	proof.level = proof.goroutines ? level : PROOF_NONE;
	if (level == PROOF_PROVEN)
		target->heap->figures.proven += proof.goroutines;
	tracker__note_proof(target->tracker, found->site, &proof);
	return 0;
}

static int note_findings(struct target *target, struct heap_scan *scan, enum proof_level level)
{
	struct finding *found;
	size_t n, begin, end;
	int err = 0;

	found = find_all(target, scan, level == PROOF_PROVEN, &n);
	if (!found)
		return -ENOMEM;
	tracker__forget_proofs(target->tracker);
	for (begin = 0; begin < n && !err; begin = end) {
		for (end = begin + 1; end < n && found[end].site == found[begin].site;)
			end++;
		err = note_site(target, scan, &found[begin], end - begin, level);
	}
	free(found);
	return err;
}

static void note_scan(struct target_heap_figures *figures, const struct heap_scan_result *result)
{
	figures->scans++;
	figures->doubt = result->doubt;
	figures->last_ended_ns = result->finished_ns;
}

/* Before what others keep is marked, too. */
static void locate_samples(struct target *target)
{
	struct target_heap *heap = target->heap;
	struct heap_mark *mark = heap_scan__mark(heap->scan);

	if (heap->paths && !heap_paths__count(heap->paths, mark, 0))
		target_places__locate(target, heap_mark__spans(mark), heap->paths);
}

static int end_scan(struct target *target, struct failure *failure)
{
	struct target_heap *heap = target->heap;
	int err;

	note_scan(&heap->figures, heap_scan__result(heap->scan));
	locate_samples(target);
	/* In doubt: what the scans before showed stands, since it cannot have become untrue. */
	if (heap->figures.doubt != HEAP_SCAN_SURE)
		return 0;
	/* Before what the others keep is marked, too. */
	site_ways__end(heap->ways, heap->scan);
	err = heap_confirm__take(heap->confirm, heap->scan, parked_since, target);
	if (!err)
		err = note_findings(target, heap->scan, PROOF_CONFIRMED);
	heap->figures.to_confirm = heap_confirm__waiting(heap->confirm, clock__monotonic_ns());
	return err ? failure__set(failure, err, "the heap of process %d: %s", target__pid(target),
				  strerror(-err)) :
		     0;
}

/* A scan that finds out where samples hang finds no ways of goroutines: both see all of it. */
static int join_paths(struct target *target, struct heap_scan_options *scan,
		      struct failure *failure)
{
	const struct target_view_options view = {
		.max_memory = scan->max_heap_bytes ? scan->max_heap_bytes / HEAP_SCAN_PER_MEMORY :
						     PATHS_MAX_MEMORY,
	};
	struct go_variables *variables;
	struct target_heap *heap = target->heap;
	int err = target_view__names(target, &heap->runtime, &view, &heap->paths, &variables,
				     failure);

	if (err)
		return err;
	heap_paths__begin(heap->paths);
	scan->visitor = heap_paths__visitor(heap->paths);
	return 0;
}

/*
 * Types of what lies on the ways. What they are read from is in memory for the time of one scan, unless
 * somebody else needs it; without it there are ways without types.
 */
static void name_ways(struct target *target, struct site_ways_options *ways)
{
	const struct target_view_options view = {.max_memory = NAMES_MAX_MEMORY};
	struct target_heap *heap = target->heap;
	struct failure failure;

	if (!site_ways__wants(heap->ways, ways))
		return;
	heap->own_names = !target_view__paths(target);
	if (target_view__names(target, &heap->runtime, &view, &ways->paths, &ways->variables,
			       &failure))
		log_debug("types in the heap of process %d: %s", target__pid(target), failure.text);
}

/* Whatever became of the scan. */
static void forget_names(struct target *target)
{
	if (target->heap->own_names)
		target_view__release(target);
	target->heap->own_names = false;
}

static void drop_scan(struct target *target)
{
	struct target_heap *heap = target->heap;

	heap->paths = NULL;
	site_ways__end(heap->ways, NULL);
	heap_scan__free(heap->scan);
	heap->scan = NULL;
	forget_names(target);
	target_view__rest(target);
}

int target_heap__start(struct target *target, const struct heap_confirm_options *confirm,
		       uint64_t max_heap_bytes, struct failure *failure)
{
	struct heap_scan_options options = {.max_heap_bytes = max_heap_bytes};
	struct site_ways_options ways = {
		.max_bytes = max_heap_bytes / HEAP_SCAN_PER_MEMORY / WAYS_SHARE,
		.min_age_ns = confirm->min_age_ns,
	};
	int err = open_heap(target, failure);

	if (err)
		return err;
	heap_scan__free(target->heap->scan);
	target->heap->scan = NULL;
	target->heap->paths = NULL;
	forget_names(target);
	if (target_places__take_request(target) && join_paths(target, &options, failure))
		log_debug("heap of process %d: %s", target__pid(target), failure->text);
	if (!target->heap->confirm)
		err = heap_confirm__new(confirm, &target->heap->confirm);
	if (!err && !target->heap->paths) {
		name_ways(target, &ways);
		err = site_ways__join(target->heap->ways, &ways, &options);
	}
	target->heap->by_level = options.by_level;
	if (!err)
		err = heap_scan__new(&target->heap->runtime, &options, &target->heap->scan);
	return err ? failure__set(failure, err, "out of memory") : 0;
}

int target_heap__step(struct target *target, uint64_t budget_ns, struct failure *failure)
{
	struct target_heap *heap = target->heap;
	bool has_paths;
	int err;

	if (!heap || !heap->scan)
		return 0;
	err = heap_scan__step(heap->scan, budget_ns, failure);
	if (err == 1)
		return 1;
	if (!err)
		err = end_scan(target, failure);
	has_paths = heap->paths;
	drop_scan(target);
	if (err && has_paths)
		target_view__release(target);
	return err;
}

void target_heap__give_up(struct target *target)
{
	if (target_heap__is_scanning(target))
		drop_scan(target);
}

bool target_heap__is_scanning(const struct target *target)
{
	return target->heap && target->heap->scan;
}

void target_heap__hold_off(struct target *target, uint64_t until_ns)
{
	target->heap_due_ns = until_ns;
}

bool target_heap__held_off(const struct target *target, uint64_t now_ns)
{
	return now_ns < target->heap_due_ns;
}

/* Of types, variables and functions: whoever asks for a proof can wait for them. */
static int read_names(struct target *target, uint64_t max_bytes, struct site_ways_options *options,
		      struct failure *failure)
{
	const struct target_view_options view = {.max_memory = max_bytes};

	return target_view__names(target, &target->heap->runtime, &view, &options->paths,
				  &options->variables, failure);
}

int target_heap__prepare(struct target *target, uint64_t max_stop_ns, uint64_t max_bytes,
			 struct heap_picture **ret_picture, struct failure *failure)
{
	const struct heap_picture_options options = {
		.proc_root = target->options.proc_root,
		.pid = target__pid(target),
		.max_stop_ns = max_stop_ns,
		.max_bytes = max_bytes,
	};
	struct site_ways_options ways;
	int err = open_heap(target, failure);

	/* Before anything is copied: what is written between that and the stop has to be copied again. */
	if (!err)
		err = read_names(target, max_bytes, &ways, failure);
	return err ? err :
		     heap_picture__prepare(&target->heap->runtime, &options, ret_picture, failure);
}

static int end_proof(struct target *target, struct heap_scan *scan)
{
	/* Before what the others keep is marked, too. */
	site_ways__end(target->heap->ways, scan);
	target->heap->figures.judged = heap_scan__result(scan)->candidates;
	target->heap->figures.proven = 0;
	return note_findings(target, scan, PROOF_PROVEN);
}

static int join_ways(struct target *target, uint64_t max_bytes, struct heap_scan_options *scan,
		     struct failure *failure)
{
	struct target_heap *heap = target->heap;
	struct site_ways_options options = {.max_bytes = max_bytes / WAYS_SHARE,
					    .every_site = true};
	int err = read_names(target, max_bytes, &options, failure);

	if (err)
		return err;
	err = site_ways__join(heap->ways, &options, scan);
	heap->by_level = scan->by_level;
	return err ? failure__set(failure, err, "out of memory") : 0;
}

int target_heap__prove(struct target *target, struct heap_picture *picture, uint64_t max_bytes,
		       struct failure *failure)
{
	struct heap_scan_options options = {.exact = true};
	struct heap_scan *scan;
	int err = join_ways(target, max_bytes, &options, failure);

	if (!err)
		err = heap_picture__take(picture, failure);
	if (err)
		return err;
	options.threads = heap_picture__threads(picture, &options.n_threads);
	err = heap_scan__new(heap_picture__runtime(picture), &options, &scan);
	if (err)
		return failure__set(failure, err, "out of memory");
	err = heap_scan__step(scan, 0, failure);
	if (!err) {
		note_scan(&target->heap->figures, heap_scan__result(scan));
		if (target->heap->figures.doubt != HEAP_SCAN_SURE)
			err = failure__set(failure, -EAGAIN,
					   "nothing is proven this time: %s; try again",
					   heap_scan_doubt__text(target->heap->figures.doubt));
		else if (end_proof(target, scan))
			err = failure__set(failure, -ENOMEM, "out of memory");
	}
	site_ways__end(target->heap->ways, NULL);
	heap_scan__free(scan);
	return err;
}

/* All that the runtime still knows of, for the first census; after that each as it comes. */
static void note_former(struct target *target, uint64_t offset_ns)
{
	uint64_t ended_ns[HEAP_COLLECTIONS_MAX];
	int n = heap_counters__collections(&target->heap->runtime, ended_ns);

	for (int i = 0; i < n; i++)
		tracker__collected(target->tracker, ended_ns[i] - offset_ns);
}

void target_heap__note_collections(struct target *target, uint64_t now_ns)
{
	uint64_t ended_ns, offset_ns;
	struct failure failure;

	if (now_ns < target->counters_due_ns)
		return;
	if (open_heap(target, &failure)) {
		target->counters_due_ns = now_ns + TARGET_COUNTERS_RETRY_NS;
		return;
	}
	if (heap_counters__last_gc(&target->heap->runtime, &ended_ns) || !ended_ns ||
	    ended_ns == target->heap->last_gc_ns)
		return;
	offset_ns =
		(uint64_t)process__clock_offset(target->options.proc_root, target->process.id.pid);
	if (ended_ns - offset_ns > now_ns)
		return;
	if (!target->heap->last_gc_ns)
		note_former(target, offset_ns);
	target->heap->last_gc_ns = ended_ns;
	tracker__collected(target->tracker, ended_ns - offset_ns);
}

const struct target_heap_figures *target_heap__figures(const struct target *target)
{
	return target->heap && target->heap->figures.scans ? &target->heap->figures : NULL;
}
