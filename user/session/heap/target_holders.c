// SPDX-License-Identifier: Apache-2.0
#include "session/heap/target_holders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "heap/mark/visitors.h"
#include "heap/ways/names.h"
#include "session/heap/target_heap.h"
#include "session/target_internal.h"

#define SLICE_NS (20 * NSEC_PER_MSEC)
/* Scans until one is sure of all roots. */
#define ATTEMPTS 3
/* Of one object all ways are looked at, of many the shortest ones of so many of them. */
#define MAX_WAYS    256
#define FEW_WAYS    4
#define MAX_OBJECTS 4096
#define MAX_FOUND   65536

struct search {
	struct target *target;
	const struct heap_runtime *runtime;
	const struct holders_question *question;
	struct heap_way_names names;
	struct heap_visitors visitors;
	struct heap_ways *ways; /* NULL: objects of a type are looked for */
	struct heap_holders *holders;
	struct heap_scan *scan;
	size_t goroutines; /* that were asked about */
	int err;	   /* why it could not begin */
	uint64_t *found;   /* objects of the type that is asked about */
	size_t n_found, found_capacity;
};

static bool is_meant(const struct search *s, const struct heap_goroutine *g)
{
	uint64_t since_ns;
	uint32_t site;

	if (s->question->goid)
		return g->goid == s->question->goid;
	if (!g->goid || !tracker__find(s->target->tracker, g->goid, &site, &since_ns))
		return false;
	for (size_t i = 0; i < s->question->n_sites; i++) {
		if (s->question->sites[i] == site)
			return true;
	}
	return false;
}

/* What is no object of the heap is a variable, or on a stack: there is no way to it. */
static int ask_about_waits(struct search *s, const struct heap_goroutines *goroutines,
			   const struct heap_goroutine *g)
{
	int err = 0;

	s->goroutines++;
	s->holders->apart += !g->candidate;
	for (uint32_t w = 0; w < g->n_waits && g->candidate && !err; w++) {
		int number = heap_ways__ask(s->ways, goroutines->waits[g->first_wait + w].object);

		err = number < 0 && number != -ENOENT ? number : 0;
	}
	return err;
}

static bool is_about_goroutines(const struct search *s)
{
	return !s->question->object && !s->question->type;
}

static int on_ready(void *ctx, struct heap_scan *scan)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	struct search *s = ctx;
	int err = heap_ways__begin(s->ways, scan);

	if (!err && s->question->object)
		err = min_of(heap_ways__ask(s->ways, s->question->object), 0);
	/* Some of them have been freed by now. */
	for (size_t i = 0; i < s->n_found && !err; i++) {
		err = min_of(heap_ways__ask(s->ways, s->found[i]), 0);
		err = err == -ENOENT ? 0 : err;
	}
	for (size_t i = 0; i < goroutines->n && is_about_goroutines(s) && !err; i++) {
		if (is_meant(s, &goroutines->all[i]))
			err = ask_about_waits(s, goroutines, &goroutines->all[i]);
	}
	if (!err && is_about_goroutines(s) && !s->goroutines)
		err = -ENOENT;
	s->err = err;
	return err;
}

static int explain(const struct search *s, struct failure *failure)
{
	pid_t pid = target__pid(s->target);

	switch (s->err) {
	case -ENOENT:
		if (s->question->object)
			return failure__set(failure, -EINVAL,
					    "process %d has no object at 0x%llx: not on its heap, "
					    "or freed by now",
					    pid, (unsigned long long)s->question->object);
		if (s->question->goid)
			return failure__set(failure, -EINVAL, "process %d has no goroutine %llu",
					    pid, (unsigned long long)s->question->goid);
		return failure__set(failure, -EINVAL, "that site of process %d has no members now",
				    pid);
	case -E2BIG:
		return failure__set(
			failure, -E2BIG,
			"process %d has too many objects for the memory that gleakd may "
			"use; allow more with --max-memory",
			pid);
	default:
		return failure__set(failure, s->err, "out of memory");
	}
}

/* --- answers ------------------------------------------------------------------------------------ */

static int add_ways(struct search *s, size_t target, struct heap_way *found, size_t max)
{
	const struct heap_namer namer = heap_way_names__namer(&s->names);
	int n = heap_ways__to(s->ways, target, found, max), err = n < 0 ? n : 0;

	for (int i = 0; i < n && !err; i++)
		err = heap_holders__add(s->holders, &found[i], &namer);
	return err;
}

static int answer(struct search *s)
{
	size_t n, objects = 0, max;
	const struct heap_ways_target *targets = heap_ways__targets(s->ways, &n);
	struct heap_way *found = calloc(MAX_WAYS, sizeof(*found));
	int err = found ? 0 : -ENOMEM;

	max = n == 1 ? MAX_WAYS : FEW_WAYS;
	for (size_t i = 0; i < n && !err; i++) {
		s->holders->objects++;
		s->holders->held += targets[i].n_ways > 0;
		s->holders->ways += targets[i].n_ways;
		if (targets[i].n_ways && objects++ < MAX_OBJECTS)
			err = add_ways(s, i, found, max);
	}
	free(found);
	if (!err)
		heap_holders__sort(s->holders);
	return err;
}

static int run_scan(struct search *s, const struct target_view_options *options,
		    struct failure *failure)
{
	int more;

	do {
		more = heap_scan__step(s->scan, SLICE_NS, failure);
		if (more == 1 && options->interrupted && options->interrupted(options->ctx))
			return failure__set(failure, -EINTR, "interrupted");
	} while (more == 1);
	return s->err ? explain(s, failure) : more;
}

/* --- objects of a type -------------------------------------------------------------------------- */

/* Whether objects that stand at @node are of the type; a star before it makes no difference. */
static bool is_of_type(struct search *s, uint16_t node)
{
	const char *wanted = s->question->type;
	char name[HEAP_NAME_SIZE];

	heap_paths__type_name(s->names.paths, node, name, sizeof(name));
	return !strcmp(name, wanted + (*wanted == '*' && strcmp(name, wanted) != 0));
}

static int keep_object(struct search *s, uint64_t object)
{
	if (s->n_found == MAX_FOUND)
		return 0;
	if (!array__reserve(s->found, s->found_capacity, s->n_found + 1))
		return -ENOMEM;
	s->found[s->n_found++] = object;
	return 0;
}

/* Those of the nodes in @wanted, one bit each. */
static int collect(struct search *s, const uint8_t *wanted)
{
	struct heap_mark *mark = heap_scan__mark(s->scan);
	const struct heap_spans *spans = heap_mark__spans(mark);
	int err = 0;

	for (size_t i = 0; i < spans->n && !err; i++) {
		const struct heap_span *span = &spans->all[i];

		for (uint32_t o = 0; o < span->nelems && !err; o++) {
			uint64_t object = heap_span__object(span, o);
			uint16_t node =
				heap_paths__at(s->names.paths, (uint64_t)span->first_word * 64 + o);

			if (node && wanted[node / 8] >> node % 8 & 1 &&
			    heap_mark__is_marked(mark, object))
				err = keep_object(s, object);
		}
	}
	return err;
}

static int find_type(struct search *s, const struct target_view_options *options,
		     struct failure *failure)
{
	const struct heap_scan_options scan = {
		.max_heap_bytes = options->max_memory * HEAP_SCAN_PER_MEMORY,
		.whole = true,
		.visitor = heap_paths__visitor(s->names.paths),
	};
	uint8_t wanted[(PATH_MAX_NODES + 8) / 8] = {0};
	size_t n;
	int err = heap_scan__new(s->runtime, &scan, &s->scan);

	if (err)
		return failure__set(failure, err, "out of memory");
	heap_paths__begin(s->names.paths);
	err = run_scan(s, options, failure);
	if (err)
		return err;
	n = path_tree__count(heap_paths__tree(s->names.paths));
	for (size_t node = 1; node < n; node++) {
		if (is_of_type(s, (uint16_t)node))
			wanted[node / 8] |= (uint8_t)(1u << node % 8);
	}
	if (collect(s, wanted))
		return failure__set(failure, -ENOMEM, "out of memory");
	heap_scan__free(s->scan);
	s->scan = NULL;
	if (s->n_found)
		return 0;
	return failure__set(failure, -EINVAL,
			    "process %d has no live object that is known to be a %.80s; 'gleakd "
			    "heap %d --all' lists the types it has",
			    target__pid(s->target), s->question->type, target__pid(s->target));
}

/* One scan, and its answer. 1: it is not sure of all roots. */
static int attempt(struct search *s, const struct target_view_options *options,
		   struct failure *failure)
{
	const struct heap_ways_options limits = {.max_bytes = options->max_memory};
	struct heap_scan_options scan = {
		.max_heap_bytes = options->max_memory * HEAP_SCAN_PER_MEMORY,
		.whole = !is_about_goroutines(s),
		.by_level = true,
		.ready = on_ready,
		.ready_ctx = s,
		.visitor = &s->visitors.both,
	};
	const struct heap_scan_result *result;
	int err = heap_ways__new(&limits, &s->ways);

	if (!err)
		err = heap_scan__new(s->runtime, &scan, &s->scan);
	if (err)
		return failure__set(failure, err, "out of memory");
	heap_visitors__init(&s->visitors, heap_paths__visitor(s->names.paths),
			    heap_ways__visitor(s->ways));
	heap_paths__begin(s->names.paths);
	err = run_scan(s, options, failure);
	if (err)
		return err;
	result = heap_scan__result(s->scan);
	log_debug("heap of process %d: %.3g s, %.3g s of CPU, %llu bytes for ways",
		  target__pid(s->target),
		  (double)(result->finished_ns - result->started_ns) / NSEC_PER_SEC,
		  (double)result->cpu_ns / NSEC_PER_SEC,
		  (unsigned long long)heap_ways__bytes(s->ways));
	heap_ways__settle(s->ways);
	err = answer(s);
	if (err)
		return failure__set(failure, err, "the heap of process %d: %s",
				    target__pid(s->target), strerror(-err));
	return result->doubt != HEAP_SCAN_SURE;
}

int target_holders__find(struct target *target, const struct holders_question *question,
			 const struct target_view_options *options, struct failure *failure)
{
	struct search s = {.target = target, .question = question};
	int err = target_heap__runtime(target, &s.runtime, failure);

	if (!err)
		err = target_view__check_size(target, s.runtime, options, failure);
	if (err)
		return err;
	if (!target->holders)
		target->holders = calloc(1, sizeof(*target->holders));
	if (!target->holders)
		return failure__set(failure, -ENOMEM, "out of memory");
	s.holders = target->holders;
	s.names.runtime = s.runtime;
	err = target_view__names(target, s.runtime, options, &s.names.paths, &s.names.variables,
				 failure);
	if (!err && question->type)
		err = find_type(&s, options, failure);
	if (!err)
		err = 1;
	for (int i = 0; i < ATTEMPTS && err == 1; i++) {
		heap_holders__release(s.holders);
		s.err = 0;
		s.goroutines = 0;
		err = attempt(&s, options, failure);
		heap_scan__free(s.scan);
		heap_ways__free(s.ways);
		s.scan = NULL;
		s.ways = NULL;
	}
	if (err == 1)
		log_warn("process %d: not all of what its heap hangs from could be read: there may "
			 "be more ways than are shown",
			 target__pid(target));
	heap_scan__free(s.scan);
	free(s.found);
	if (err < 0)
		target_holders__close(target);
	return min_of(err, 0);
}

const struct heap_holders *target_holders__get(const struct target *target)
{
	return target->holders;
}

void target_holders__close(struct target *target)
{
	if (target->holders)
		heap_holders__release(target->holders);
	free(target->holders);
	target->holders = NULL;
}
