// SPDX-License-Identifier: Apache-2.0
#include "probe/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "probe/function_code.h"
#include "probe/path.h"

/* What the plan knows of the runtime, all of src/runtime/proc.go. */
enum function {
	FUNCTION_NEWPROC_FUNC1, /* newproc's closure on g0: newproc1(), runqput(), wakep() */
	FUNCTION_NEWPROC1,	/* makes the g, returns it */
	FUNCTION_RUNQPUT,	/* (pp, gp, next): from here on others may run it */
	FUNCTION_GDESTROY,	/* (gp), Go 1.22 on: by goexit0 and when a coroutine ends */
	FUNCTION_GOEXIT0,	/* (gp) */
	FUNCTION_PARK_M,	/* (gp), on g0 by gopark's mcall */
	FUNCTION_READY,		/* (gp, traceskip, next), on g0 by goready's systemstack */
	FUNCTION_GOREADY_FUNC1, /* that closure: calls ready */
	FUNCTION_COUNT,
};

static const char *const function_names[FUNCTION_COUNT] = {
	[FUNCTION_NEWPROC_FUNC1] = "runtime.newproc.func1",
	[FUNCTION_NEWPROC1] = "runtime.newproc1",
	[FUNCTION_RUNQPUT] = "runtime.runqput",
	[FUNCTION_GDESTROY] = "runtime.gdestroy",
	[FUNCTION_GOEXIT0] = "runtime.goexit0",
	[FUNCTION_PARK_M] = "runtime.park_m",
	[FUNCTION_READY] = "runtime.ready",
	[FUNCTION_GOREADY_FUNC1] = "runtime.goready.func1",
};

struct planner {
	struct elf_image *image;
	struct pclntab_func functions[FUNCTION_COUNT]; /* entry 0: not in this binary */
};

static uint64_t entry_of(const struct planner *planner, enum function function)
{
	return planner->functions[function].entry;
}

static int read_function(const struct planner *planner, enum function function, uint8_t **ret_bytes,
			 struct code *ret_code)
{
	return function_code__read(planner->image, &planner->functions[function], ret_bytes,
				   ret_code);
}

/* With a @query the cheapest point of the straight line, without one the only return. */
static int plan_in(const struct planner *planner, enum function function,
		   const struct path_query *query, struct probe_site *site)
{
	__cleanup_free uint8_t *bytes = NULL;
	struct path_point point;
	struct code code;
	int err = read_function(planner, function, &bytes, &code);

	if (!err)
		err = query ? path__cheapest(&code, query, &point) :
			      path__only_return(&code, &point);
	return err ? err :
		     probe_site__set(site, planner->image, entry_of(planner, function),
				     function_names[function], &point);
}

/* 1, 0 or an error: whether @caller calls @callee and the compiler has not inlined it there. */
static int calls(const struct planner *planner, enum function caller, enum function callee)
{
	__cleanup_free uint8_t *bytes = NULL;
	struct code code;
	int err = read_function(planner, caller, &bytes, &code);

	return err ? err : path__calls(&code, entry_of(planner, callee));
}

/* Why there is no site for @event in @function. */
static void explain(struct probe_site *site, enum probe_event event, enum function function,
		    int err)
{
	const char *what = probe_event__info(event)->plural;
	const char *name = function_names[function];

	switch (err) {
	case -ENOENT:
		snprintf(
			site->reason, sizeof(site->reason),
			"%s are not seen: no instruction of %s shows the goroutine, or the compiler left the "
			"function out",
			what, name);
		break;
	case -EILSEQ:
	case -E2BIG:
		snprintf(site->reason, sizeof(site->reason),
			 "%s are not seen: the code of %s is not understood", what, name);
		break;
	default:
		snprintf(site->reason, sizeof(site->reason),
			 "%s are not seen: the code of %s cannot be read: %s", what, name,
			 strerror(-err));
	}
}

/*
 * Between the return of newproc1 and the call of runqput the g is complete, and no other thread can
 * run it yet. Where the compiler has moved things so that this cannot be found, the return of
 * newproc1 shows the same, but also for the coroutines of iter.Pull.
 */
static int plan_create(const struct planner *planner, struct probe_site *site)
{
	const struct path_query query = {
		.after_call = entry_of(planner, FUNCTION_NEWPROC1),
		.up_to_call = entry_of(planner, FUNCTION_RUNQPUT),
	};
	int err;

	if (query.after_call && !plan_in(planner, FUNCTION_NEWPROC_FUNC1, &query, site))
		return 0;
	if (!calls(planner, FUNCTION_NEWPROC_FUNC1, FUNCTION_NEWPROC1)) {
		snprintf(site->reason, sizeof(site->reason),
			 "creations are not seen: the compiler has inlined %s, only coroutines "
			 "still call it",
			 function_names[FUNCTION_NEWPROC1]);
		return -ENOENT;
	}
	err = plan_in(planner, FUNCTION_NEWPROC1, NULL, site);
	if (err)
		explain(site, PROBE_EVENT_CREATE, FUNCTION_NEWPROC1, err);
	else
		snprintf(site->reason, sizeof(site->reason),
			 "seen only at the return of %s: coroutines count as created, and each hit "
			 "costs more",
			 function_names[FUNCTION_NEWPROC1]);
	return err;
}

static int plan_argument(const struct planner *planner, enum function function,
			 enum probe_event event, struct probe_site *site)
{
	const struct path_query query = {.up_to_any_call = true};
	int err = plan_in(planner, function, &query, site);

	if (err)
		explain(site, event, function, err);
	return err;
}

/*
 * gdestroy also ends coroutines, which do not pass goexit0. But where a profile made the compiler
 * inline it into goexit0, only coroutines call its own copy.
 */
static enum function exit_function(const struct planner *planner)
{
	if (!entry_of(planner, FUNCTION_GDESTROY))
		return FUNCTION_GOEXIT0;
	return calls(planner, FUNCTION_GOEXIT0, FUNCTION_GDESTROY) ? FUNCTION_GDESTROY :
								     FUNCTION_GOEXIT0;
}

/* Where a profile made the compiler inline ready into who calls it most, its own copy sees the rest alone. */
static int plan_wake(const struct planner *planner, struct probe_site *site)
{
	if (entry_of(planner, FUNCTION_GOREADY_FUNC1) &&
	    !calls(planner, FUNCTION_GOREADY_FUNC1, FUNCTION_READY)) {
		snprintf(site->reason, sizeof(site->reason),
			 "%s are not seen: the compiler has inlined %s",
			 probe_event__info(PROBE_EVENT_WAKE)->plural,
			 function_names[FUNCTION_READY]);
		return -ENOENT;
	}
	return plan_argument(planner, FUNCTION_READY, PROBE_EVENT_WAKE, site);
}

static int plan_event(const struct planner *planner, enum probe_event event,
		      struct probe_site *site)
{
	switch (event) {
	case PROBE_EVENT_CREATE:
		return plan_create(planner, site);
	case PROBE_EVENT_EXIT:
		return plan_argument(planner, exit_function(planner), event, site);
	case PROBE_EVENT_PARK:
		return plan_argument(planner, FUNCTION_PARK_M, event, site);
	case PROBE_EVENT_WAKE:
		return plan_wake(planner, site);
	case PROBE_EVENT_COUNT:
		break;
	}
	return -ENOENT;
}

static int find_functions(struct planner *planner, struct go_binary *binary,
			  struct failure *failure)
{
	int n = pclntab__find(go_binary__pclntab(binary), function_names, planner->functions,
			      FUNCTION_COUNT);

	if (n < 0)
		return failure__set(failure, n == -ENOMEM ? n : -EIO,
				    "cannot look up the runtime's functions in the executable: %s",
				    strerror(-n));
	return 0;
}

/* A plugin may lack the functions that create goroutines; it calls those of the program then. */
static bool note_absent(const struct planner *planner, struct probe_plan *plan)
{
	plan->sites[PROBE_EVENT_CREATE].none =
		!entry_of(planner, FUNCTION_NEWPROC_FUNC1) && !entry_of(planner, FUNCTION_NEWPROC1);
	plan->sites[PROBE_EVENT_EXIT].none =
		!entry_of(planner, FUNCTION_GDESTROY) && !entry_of(planner, FUNCTION_GOEXIT0);
	plan->sites[PROBE_EVENT_PARK].none = !entry_of(planner, FUNCTION_PARK_M);
	plan->sites[PROBE_EVENT_WAKE].none = !entry_of(planner, FUNCTION_READY);
	return plan->sites[PROBE_EVENT_CREATE].none && plan->sites[PROBE_EVENT_EXIT].none &&
	       plan->sites[PROBE_EVENT_PARK].none;
}

int probe_plan__make(struct go_binary *binary, struct probe_plan *ret_plan, struct failure *failure)
{
	struct planner planner = {.image = go_binary__image(binary)};
	struct probe_plan plan = {0};
	int err = find_functions(&planner, binary, failure);
	bool any = false;

	if (err)
		return err;
	for (int event = 0; event < PROBE_EVENT_COUNT; event++)
		any |= !plan_event(&planner, event, &plan.sites[event]);
	if (!note_absent(&planner, &plan) && !any)
		return failure__set(failure, -ENOENT, "no place for a probe in this executable: %s",
				    plan.sites[PROBE_EVENT_CREATE].reason);
	*ret_plan = plan;
	return 0;
}

const char *probe_class__name(enum probe_class class)
{
	static const char *const names[] = {
		[PROBE_CLASS_EMULATED] = "emulated",
		[PROBE_CLASS_SINGLE_STEP] = "single-step",
	};

	return (size_t) class < ARRAY_SIZE(names) ? names[class] : "unknown";
}
