// SPDX-License-Identifier: Apache-2.0
#include "session/heap/site_ways.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "heap/mark/visitors.h"

#define MAX_SITES 256 /* that one scan looks at */
#define PER_SITE  2   /* members */
#define MAX_ASKED (MAX_SITES * 4)
#define MAX_KNOWN 1024 /* of a target */
#define TEXT_SIZE 256
#define FEW_STEPS 8

struct site_text {
	uint32_t site;
	enum proof_holder holder;
	char *text;
};

struct asked {
	uint32_t site;
	size_t target; /* of heap_ways */
};

struct site_ways {
	struct target *target;
	const struct heap_runtime *runtime;
	struct site_ways_options options;
	struct heap_visitors visitors;
	struct heap_ways *ways; /* NULL: it does not take part */
	bool too_large;		/* they would take more memory than they may */
	struct {
		uint32_t site;
		size_t members;
	} wanted[MAX_SITES];
	size_t n_wanted;
	struct asked *asked; /* as long as a scan lasts */
	size_t n_asked, asked_capacity;
	struct site_text *known;
	size_t n_known, capacity;
};

int site_ways__new(struct target *target, const struct heap_runtime *runtime,
		   struct site_ways **ret_ways)
{
	struct site_ways *ways = calloc(1, sizeof(*ways));

	if (!ways)
		return -ENOMEM;
	ways->target = target;
	ways->runtime = runtime;
	*ret_ways = ways;
	return 0;
}

void site_ways__free(struct site_ways *ways)
{
	if (!ways)
		return;
	heap_ways__free(ways->ways);
	free(ways->asked);
	for (size_t i = 0; i < ways->n_known; i++)
		free(ways->known[i].text);
	free(ways->known);
	free(ways);
}

const char *site_ways__text(const struct site_ways *ways, uint32_t index,
			    enum proof_holder *ret_holder)
{
	for (size_t i = 0; ways && i < ways->n_known; i++) {
		if (ways->known[i].site != index)
			continue;
		*ret_holder = ways->known[i].holder;
		return ways->known[i].text;
	}
	return NULL;
}

static bool is_known(const struct site_ways *ways, uint32_t index)
{
	enum proof_holder holder;

	return site_ways__text(ways, index, &holder);
}

/* --- which sites -------------------------------------------------------------------------------- */

static bool is_of_interest(const struct site_ways *ways, const struct site_view *view)
{
	return !view->system && !view->other && wait_class__facts(view->wait_class)->can_leak &&
	       !view->proof.goroutines && !is_known(ways, view->index) &&
	       (verdict__is_suspect(view->verdict) ||
		view->oldest_park_ns >= ways->options.min_age_ns);
}

/* Worst verdicts first, as the tracker has them. */
static void choose_sites(struct site_ways *ways)
{
	size_t n;
	const struct site_view *views = tracker__sites(target__tracker(ways->target), &n);

	ways->n_wanted = ways->n_asked = 0;
	for (size_t i = 0; i < n && ways->n_wanted < MAX_SITES; i++) {
		if (is_of_interest(ways, &views[i]))
			ways->wanted[ways->n_wanted++].site = views[i].index;
	}
	for (size_t i = 0; i < ways->n_wanted; i++)
		ways->wanted[i].members = 0;
}

/* Whether one more member of @site is to be asked about. */
static bool wants_member(struct site_ways *ways, uint32_t site)
{
	for (size_t i = 0; i < ways->n_wanted; i++) {
		if (ways->wanted[i].site == site)
			return ways->wanted[i].members++ < PER_SITE;
	}
	if (!ways->options.every_site || ways->n_wanted == MAX_SITES || is_known(ways, site))
		return false;
	ways->wanted[ways->n_wanted].site = site;
	ways->wanted[ways->n_wanted++].members = 1;
	return true;
}

static int ask(struct site_ways *ways, const struct heap_goroutines *goroutines,
	       const struct heap_goroutine *g, uint32_t site)
{
	for (uint32_t w = 0; w < g->n_waits && ways->n_asked < MAX_ASKED; w++) {
		uint64_t object = goroutines->waits[g->first_wait + w].object;
		int number = heap_ways__ask(ways->ways, object);

		if (number == -ENOENT)
			continue;
		if (number < 0)
			return number;
		if (!array__reserve(ways->asked, ways->asked_capacity, ways->n_asked + 1))
			return -ENOMEM;
		ways->asked[ways->n_asked++] = (struct asked){site, (size_t)number};
	}
	return 0;
}

static int on_ready(void *ctx, struct heap_scan *scan)
{
	const struct heap_goroutines *goroutines = heap_scan__goroutines(scan);
	struct site_ways *ways = ctx;
	int err = heap_ways__begin(ways->ways, scan);

	for (size_t i = 0; i < goroutines->n && !err; i++) {
		const struct heap_goroutine *g = &goroutines->all[i];
		uint64_t since_ns;
		uint32_t site;

		if (g->candidate &&
		    tracker__find(target__tracker(ways->target), g->goid, &site, &since_ns) &&
		    wants_member(ways, site))
			err = ask(ways, goroutines, g, site);
	}
	if (!err && ways->n_asked)
		return 0;
	/* The scan does not need it. */
	ways->too_large = err == -E2BIG;
	heap_ways__free(ways->ways);
	ways->ways = NULL;
	heap_mark__visit(heap_scan__mark(scan), NULL);
	return err == -ENOMEM ? err : 0;
}

/* --- the scan ----------------------------------------------------------------------------------- */

bool site_ways__wants(struct site_ways *ways, const struct site_ways_options *options)
{
	ways->options = *options;
	choose_sites(ways);
	return (ways->n_wanted || options->every_site) && ways->n_known < MAX_KNOWN &&
	       !ways->too_large;
}

int site_ways__join(struct site_ways *ways, const struct site_ways_options *options,
		    struct heap_scan_options *scan)
{
	const struct heap_ways_options limits = {.max_bytes = options->max_bytes};
	int err;

	site_ways__end(ways, NULL);
	if (!site_ways__wants(ways, options))
		return 0;
	err = heap_ways__new(&limits, &ways->ways);
	if (err)
		return err;
	if (options->paths)
		heap_paths__begin(options->paths);
	heap_visitors__init(&ways->visitors,
			    options->paths ? heap_paths__visitor(options->paths) : NULL,
			    heap_ways__visitor(ways->ways));
	scan->visitor = &ways->visitors.both;
	scan->by_level = true;
	scan->ready = on_ready;
	scan->ready_ctx = ways;
	return 0;
}

/* --- in words ----------------------------------------------------------------------------------- */

struct text {
	char bytes[TEXT_SIZE];
	size_t n;
};

static void __printf_fmt(2, 3) put(struct text *text, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text->bytes + text->n, sizeof(text->bytes) - text->n, format, arguments);
	va_end(arguments);
	if (n > 0)
		text->n = min_of(text->n + (size_t)n, sizeof(text->bytes) - 1);
}

/* Whether the first step says which variable of the function it is. */
static bool begins_with_local(const struct heap_way *way, const struct heap_namer *namer)
{
	char type[HEAP_NAME_SIZE] = "", field[HEAP_NAME_SIZE] = "";

	if (way->root.kind == HEAP_WAY_STACK && way->n_steps)
		(void)namer->step(namer->ctx, way, 0, HEAP_NO_STEP, type, field, sizeof(type));
	return *field == '.';
}

static enum proof_holder holder_of(const struct heap_way *way)
{
	switch (way->root.kind) {
	case HEAP_WAY_VARIABLE:
		return HOLDER_VARIABLE;
	case HEAP_WAY_STACK:
	case HEAP_WAY_GOROUTINE:
		return HOLDER_GOROUTINE;
	case HEAP_WAY_FINALIZER:
		return HOLDER_FINALIZER;
	case HEAP_WAY_RUNTIME:
		return HOLDER_RUNTIME;
	case HEAP_WAY_UNKNOWN:
	case HEAP_WAY_ROOTS:
		break;
	}
	return HOLDER_NOT_KNOWN;
}

/* False: it came to be during the scan, which says nothing. */
static bool put_root(struct text *text, const struct heap_way *way, const struct heap_namer *namer)
{
	char name[HEAP_NAME_SIZE] = "";

	namer->root(namer->ctx, way, name, sizeof(name));
	switch (way->root.kind) {
	case HEAP_WAY_VARIABLE:
		put(text, "%s", name);
		return true;
	case HEAP_WAY_STACK:
		if (begins_with_local(way, namer))
			put(text, "goroutine %llu's %s", (unsigned long long)way->root.goid, name);
		else
			put(text, "the stack of %s (goroutine %llu)", *name ? name : "a function",
			    (unsigned long long)way->root.goid);
		return true;
	case HEAP_WAY_FINALIZER:
		put(text, "%s", proof_holder__text(HOLDER_FINALIZER));
		return true;
	case HEAP_WAY_RUNTIME:
		put(text, "%s", proof_holder__text(HOLDER_RUNTIME));
		return true;
	case HEAP_WAY_GOROUTINE:
		put(text, "goroutine %llu", (unsigned long long)way->root.goid);
		return true;
	case HEAP_WAY_UNKNOWN:
	case HEAP_WAY_ROOTS:
		break;
	}
	return false;
}

/* @apart: what is before it is no variable that a field could be of. */
static void put_step(struct text *text, bool apart, const char *type, const char *field,
		     uint64_t size)
{
	if (!apart && (*field == '.' || *field == '['))
		put(text, "%s", field);
	else if (!apart && *type && *field != '+')
		return; /* a pointer to it */
	else if (*type)
		put(text, " \xe2\x86\x92 %s", type);
	else
		put(text, " \xe2\x86\x92 %llu bytes", (unsigned long long)size);
}

static void put_way(struct text *text, const struct heap_way *way, const struct heap_namer *namer)
{
	char type[HEAP_NAME_SIZE] = "", field[HEAP_NAME_SIZE];
	size_t before = HEAP_NO_STEP;
	bool is_variable = way->root.kind == HEAP_WAY_VARIABLE || begins_with_local(way, namer);

	for (size_t i = 0; i < way->n_steps; i++) {
		if (way->n_steps > FEW_STEPS && i == FEW_STEPS / 2) {
			put(text, " \xe2\x86\x92 ...");
			i = way->n_steps - FEW_STEPS / 2;
			before = HEAP_NO_STEP;
		}
		type[0] = field[0] = '\0';
		if (!namer->step(namer->ctx, way, i, before, type, field, sizeof(type)) &&
		    i + 1 < way->n_steps)
			continue;
		put_step(text, before == HEAP_NO_STEP && (i || !is_variable), type, field,
			 way->steps[i].size);
		before = i;
	}
	if (*type)
		put(text, " (%s)", type);
}

static void keep(struct site_ways *ways, uint32_t site, const struct heap_way *way,
		 const struct heap_namer *namer)
{
	struct text text = {.n = 0};
	char *copy;

	if (is_known(ways, site) || ways->n_known == MAX_KNOWN || !put_root(&text, way, namer))
		return;
	put_way(&text, way, namer);
	copy = strdup(text.bytes);
	if (copy && array__reserve(ways->known, ways->capacity, ways->n_known + 1))
		ways->known[ways->n_known++] = (struct site_text){site, holder_of(way), copy};
	else
		free(copy);
}

void site_ways__end(struct site_ways *ways, struct heap_scan *scan)
{
	struct heap_way_names names = {
		.runtime = ways->runtime,
		.paths = ways->options.paths,
		.variables = ways->options.variables,
		.image = go_binary__image(target__binary(ways->target)),
	};
	const struct heap_namer namer = heap_way_names__namer(&names);
	struct heap_way way;

	if (scan && ways->ways) {
		heap_mark__visit(heap_scan__mark(scan), NULL);
		heap_ways__settle(ways->ways);
		for (size_t i = 0; i < ways->n_asked; i++) {
			if (heap_ways__to(ways->ways, ways->asked[i].target, &way, 1) == 1)
				keep(ways, ways->asked[i].site, &way, &namer);
		}
	}
	heap_ways__free(ways->ways);
	ways->ways = NULL;
	free(ways->asked);
	ways->asked = NULL;
	ways->n_asked = ways->asked_capacity = 0;
}
