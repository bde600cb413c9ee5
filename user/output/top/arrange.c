// SPDX-License-Identifier: Apache-2.0
/* Which rows a list has, and in which order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/top/state.h"

const char *top_order__name(const struct top *top, enum top_order order)
{
	static const char *const processes[ORDERS] = {
		[ORDER_WORST] = "verdict",
		[ORDER_COUNT] = "goroutines",
		[ORDER_HEAP] = "heap",
		[ORDER_NAME] = "name",
	};
	static const char *const goroutines[ORDERS] = {
		[ORDER_WORST] = "verdict", [ORDER_COUNT] = "goroutines", [ORDER_GROWTH] = "growth",
		[ORDER_AGE] = "oldest",	   [ORDER_NAME] = "where",
	};
	static const char *const memory[ORDERS] = {
		[ORDER_WORST] = "in use",  [ORDER_COUNT] = "objects",
		[ORDER_GROWTH] = "growth", [ORDER_ALLOCATED] = "allocated",
		[ORDER_NAME] = "where",
	};

	static const char *const allocators[ORDERS] = {
		[ORDER_WORST] = "allocated",
		[ORDER_COUNT] = "objects",
		[ORDER_NAME] = "who",
	};
	static const char *const resources[ORDERS] = {
		[ORDER_WORST] = "verdict", [ORDER_COUNT] = "open",  [ORDER_GROWTH] = "growth",
		[ORDER_AGE] = "age",	   [ORDER_NAME] = "holder",
	};

	if (top->level == LEVEL_PROCESSES)
		return processes[order];
	if (top->kind == TOP_ALLOCATORS)
		return allocators[order];
	if (top->kind == TOP_RESOURCES)
		return resources[order];
	return top->kind == TOP_MEMORY ? memory[order] : goroutines[order];
}

/* --- order ---------------------------------------------------------------------------------------- */

static int more_first(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare_processes(const struct top_process *a, const struct top_process *b,
			     enum top_order order)
{
	int result = 0;

	if (order == ORDER_COUNT)
		result = more_first((double)a->goroutines, (double)b->goroutines);
	else if (order == ORDER_HEAP)
		result = more_first((double)a->heap_bytes, (double)b->heap_bytes);
	else if (order == ORDER_NAME)
		result = strcmp(a->name, b->name);
	return result ? result : (a->rank > b->rank) - (a->rank < b->rank);
}

static int compare_sites(const struct top_site *a, const struct top_site *b, enum top_order order)
{
	int result = 0;

	if (order == ORDER_COUNT)
		result = more_first((double)a->count, (double)b->count);
	else if (order == ORDER_GROWTH)
		result = more_first(a->growth, b->growth);
	else if (order == ORDER_AGE)
		result = more_first((double)a->oldest_ns, (double)b->oldest_ns);
	else if (order == ORDER_ALLOCATED)
		result = more_first((double)a->allocated, (double)b->allocated);
	else if (order == ORDER_NAME)
		result = strcmp(a->function, b->function);
	return result ? result : (a->rank > b->rank) - (a->rank < b->rank);
}

struct sorting {
	const struct top *top;
	const struct top_sites *sites; /* NULL: processes */
	const struct top_list *list;
};

static int compare(const void *a, const void *b, void *ctx)
{
	const struct sorting *sorting = ctx;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct top_process *processes = sorting->top->kept.processes;
	int result = sorting->sites ?
			     compare_sites(&sorting->sites->items[i], &sorting->sites->items[k],
					   sorting->list->order) :
			     compare_processes(&processes[i], &processes[k], sorting->list->order);

	return sorting->list->reversed ? -result : result;
}

/* --- filter --------------------------------------------------------------------------------------- */

static bool process_matches(const struct top *top, const struct top_process *process)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)process->pid);
	return strcasestr(process->name, top->filter) || strstr(pid, top->filter) ||
	       strcasestr(process->verdict, top->filter);
}

static bool site_matches(const struct top *top, const struct top_site *site)
{
	return strcasestr(site->function, top->filter) || strcasestr(site->location, top->filter) ||
	       strcasestr(site->what, top->filter) || strcasestr(site->id, top->filter) ||
	       strcasestr(site->verdict, top->filter);
}

/* -------------------------------------------------------------------------------------------------- */

static const struct top_sites *listed_sites(const struct top *top)
{
	static const struct top_sites none;
	const struct top_process *process = top__process(top);

	if (top->level == LEVEL_PROCESSES)
		return NULL;
	return process ? &process->sites[top->kind] : &none;
}

/* Where what was chosen stands now: it moves with its row. */
static void find_chosen(struct top *top, const struct top_sites *sites)
{
	struct top_list *list = top__list(top);

	for (size_t i = 0; i < top->n_shown; i++) {
		const struct top_process *process = &top->kept.processes[top->shown[i]];

		if (sites ? !strcmp(sites->items[top->shown[i]].id, top->id) :
			    process->pid == top->pid && process->runtime == top->runtime) {
			list->chosen = i;
			return;
		}
	}
	list->chosen = min_of(list->chosen, top->n_shown ? top->n_shown - 1 : 0);
}

int top__arrange(struct top *top)
{
	const struct top_sites *sites = listed_sites(top);
	struct sorting sorting = {top, sites, top__list(top)};
	size_t n = sites ? sites->n : top->kept.n;
	uint32_t *shown = reallocarray(top->shown, n + 1, sizeof(*shown));

	if (!shown)
		return -ENOMEM;
	top->shown = shown;
	top->n_shown = 0;
	for (size_t i = 0; i < n; i++) {
		if (sites ? site_matches(top, &sites->items[i]) :
			    process_matches(top, &top->kept.processes[i]))
			shown[top->n_shown++] = (uint32_t)i;
	}
	qsort_r(shown, top->n_shown, sizeof(*shown), compare, &sorting);
	find_chosen(top, sites);
	return 0;
}
