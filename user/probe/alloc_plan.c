// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "probe/function_code.h"

/*
 * src/runtime/malloc.go. Go 1.27, and 1.26 with GOEXPERIMENT=sizespecializedmalloc, have functions for
 * each small size class (malloc_tables_generated.go), which compiled code calls past mallocgc, and which
 * mallocgc calls for all sizes up to that of the largest of these classes.
 */
enum {
	FUNCTION_MALLOCGC,
	FUNCTION_PROFILEALLOC,
	FUNCTION_MPROF_MALLOC,
	FUNCTION_ALLOC_LARGE,
	FUNCTION_PUSH,
	FUNCTION_REFILL,
	FUNCTION_FIRST_SPECIAL
};

#define MAX_CLASS     26 /* 512 bytes: no more are made */
#define MAX_TINY_SIZE 15
#define MAX_NAMES     (FUNCTION_FIRST_SPECIAL + 1 + MAX_TINY_SIZE + 2 * MAX_CLASS)
#define NAME_MAX_TEXT 48

_Static_assert(MAX_NAMES - FUNCTION_FIRST_SPECIAL + 2 <= ALLOC_PLAN_MAX_SITES, "all have room");

/* src/runtime/sizeclasses.go, class_to_size: the same from Go 1.18 to 1.27. */
static const uint16_t class_bytes[MAX_CLASS + 1] = {0,	 8,   16,  24,	32,  48,  64,  80,  96,
						    112, 128, 144, 160, 176, 192, 208, 224, 240,
						    256, 288, 320, 352, 384, 416, 448, 480, 512};

struct planner {
	struct elf_image *image;
	int minor;
	size_t n;
	char texts[MAX_NAMES][NAME_MAX_TEXT];
	const char *names[MAX_NAMES];
	uint16_t class[MAX_NAMES]; /* of a special one; 0: tiny */
	struct pclntab_func functions[MAX_NAMES];
};

/* @number < 0: the name has none. */
static void add_name(struct planner *planner, const char *name, int number, int size_class)
{
	char *text = planner->texts[planner->n];

	if (number < 0)
		snprintf(text, NAME_MAX_TEXT, "runtime.%s", name);
	else
		snprintf(text, NAME_MAX_TEXT, "runtime.%s%d", name, number);
	planner->names[planner->n] = text;
	planner->class[planner->n] = (uint16_t)size_class;
	planner->n++;
}

static void add_names(struct planner *planner)
{
	add_name(planner, "mallocgc", -1, 0);
	add_name(planner, "profilealloc", -1, 0);
	add_name(planner, "mProf_Malloc", -1, 0);
	add_name(planner, "(*mcache).allocLarge", -1, 0);
	add_name(planner, "(*spanSet).push", -1, 0);
	add_name(planner, "(*mcache).refill", -1, 0);
	add_name(planner, "mallocgcTinySC", 2, 0);
	for (int size = 1; size <= MAX_TINY_SIZE; size++)
		add_name(planner, "mallocgcTinySize", size, 0);
	for (int c = 1; c <= MAX_CLASS; c++) {
		add_name(planner, "mallocgcSmallScanNoHeaderSC", c, c);
		add_name(planner, "mallocgcSmallNoScanSC", c, c);
	}
}

static int plan_site(const struct planner *planner, size_t function, struct alloc_site_plan *site)
{
	const struct path_query query = {.at_check = true};
	__cleanup_free uint8_t *bytes = NULL;
	struct path_point point;
	struct code code;
	int err = function_code__read(planner->image, &planner->functions[function], &bytes, &code);

	if (!err)
		err = path__cheapest(&code, &query, &point);
	if (!err)
		err = probe_site__set(&site->site, planner->image,
				      planner->functions[function].entry, planner->names[function],
				      &point);
	return err;
}

static int explain(const struct planner *planner, size_t function, int err, struct failure *failure)
{
	if (err == -ENOMEM)
		return failure__set(failure, err, "out of memory");
	return failure__set(failure, -ENOENT,
			    "allocations cannot be watched: the code of %s is not understood (%s)",
			    planner->names[function], strerror(-err));
}

static int add_site(const struct planner *planner, size_t function, enum gl_alloc_kind kind,
		    struct alloc_plan *plan, struct failure *failure)
{
	struct alloc_site_plan *site = &plan->sites[plan->n];
	int err = plan_site(planner, function, site);

	if (err)
		return explain(planner, function, err, failure);
	site->kind = kind;
	plan->n++;
	return 0;
}

/* 1, 0 or an error: whether mallocgc or what it calls for small objects calls @function. */
static int is_called(const struct planner *planner, size_t function)
{
	for (size_t i = 0; i < planner->n; i++) {
		__cleanup_free uint8_t *bytes = NULL;
		struct code code;
		int calls;

		if (i == FUNCTION_PROFILEALLOC || i == FUNCTION_MPROF_MALLOC ||
		    !planner->functions[i].entry)
			continue;
		calls = function_code__read(planner->image, &planner->functions[i], &bytes, &code);
		if (!calls)
			calls = path__calls(&code, planner->functions[function].entry);
		if (calls)
			return calls;
	}
	return 0;
}

/*
 * profilealloc(mp, object, size) is there in each version. Go 1.24 to 1.26 call it from functions that are
 * not looked at here. Where a profile (PGO) has inlined it, only mProf_Malloc is left, which it calls.
 */
static int plan_samples(const struct planner *planner, struct alloc_plan *plan,
			struct failure *failure)
{
	const int first_split = 24, first_with_m = 23;
	bool has = planner->functions[FUNCTION_PROFILEALLOC].entry;

	if (has &&
	    (planner->minor >= first_split || is_called(planner, FUNCTION_PROFILEALLOC) == 1))
		return add_site(planner, FUNCTION_PROFILEALLOC, GL_ALLOC_SAMPLE, plan, failure);
	return add_site(planner, FUNCTION_MPROF_MALLOC,
			planner->minor >= first_with_m ? GL_ALLOC_SAMPLE : GL_ALLOC_SAMPLE_OLD,
			plan, failure);
}

/*
 * Where a large object's span is at hand: the allocator puts it on a list (src/runtime/mcache.go allocLarge). Without
 * it large objects are counted, and not followed.
 */
static void plan_large(const struct planner *planner, struct alloc_plan *plan)
{
	const struct pclntab_func *function = &planner->functions[FUNCTION_ALLOC_LARGE];
	uint64_t push = planner->functions[FUNCTION_PUSH].entry;
	struct alloc_site_plan *site = &plan->sites[plan->n];
	__cleanup_free uint8_t *bytes = NULL;
	struct path_point point;
	struct code code;

	if (!function->entry || !push ||
	    function_code__read(planner->image, function, &bytes, &code) ||
	    path__only_call(&code, push, &point) ||
	    probe_site__set(&site->site, planner->image, function->entry,
			    planner->names[FUNCTION_ALLOC_LARGE], &point))
		return;
	site->kind = GL_ALLOC_LARGE;
	plan->n++;
}

static int plan_all(const struct planner *planner, struct alloc_plan *plan, struct failure *failure)
{
	uint16_t largest = 0;
	int err = add_site(planner, FUNCTION_MALLOCGC, GL_ALLOC_CALL, plan, failure);

	for (size_t i = FUNCTION_FIRST_SPECIAL; i < planner->n && !err; i++) {
		if (!planner->functions[i].entry)
			continue;
		largest = max_of(largest, planner->class[i]);
		err = add_site(planner, i, GL_ALLOC_CALL, plan, failure);
	}
	/* What mallocgc hands on to those is seen there. */
	if (!err && plan->n > 1)
		plan->sites[0].min_size = class_bytes[largest] + 1;
	if (!err)
		plan_large(planner, plan);
	return err;
}

static int plan_wanted(const struct planner *planner, enum alloc_plan_wanted wanted,
		       struct alloc_plan *plan, struct failure *failure)
{
	switch (wanted) {
	case ALLOC_PLAN_SAMPLES:
		return plan_samples(planner, plan, failure);
	case ALLOC_PLAN_REFILLS:
		return add_site(planner, FUNCTION_REFILL, GL_ALLOC_REFILL, plan, failure);
	default:
		return plan_all(planner, plan, failure);
	}
}

int alloc_plan__make(struct go_binary *binary, enum alloc_plan_wanted wanted,
		     struct alloc_plan *ret_plan, struct failure *failure)
{
	struct planner planner = {
		.image = go_binary__image(binary),
		.minor = go_binary__layout(binary)->minor,
	};
	struct alloc_plan plan = {0};
	int n, err;

	add_names(&planner);
	n = pclntab__find(go_binary__pclntab(binary), planner.names, planner.functions, planner.n);
	if (n < 0)
		return failure__set(failure, n == -ENOMEM ? n : -EIO,
				    "cannot look up the runtime's allocator in the executable: %s",
				    strerror(-n));
	err = plan_wanted(&planner, wanted, &plan, failure);
	if (!err)
		*ret_plan = plan;
	return err;
}
