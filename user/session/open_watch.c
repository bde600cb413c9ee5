// SPDX-License-Identifier: Apache-2.0
#include "session/open_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "host/access.h"
#include "observe/alloc_records.h"
#include "probe/open_plan.h"
#include "session/alloc_feed.h"
#include "session/openings_private.h"
#include "session/target_internal.h"

#define RING_BYTES (4u << 20)

/* As in alloc_watch.c: real stacks are deeper than at calibration, and a hit's cost is known to a tenth. */
#define DEEPER_AND_COLD 1.5
#define AT_MOST		1.1

struct open_watch {
	struct open_watch_options options;
	struct alloc_feed feed;
	size_t batch;
	uint64_t malformed;
	size_t n;
	struct target *by_slot[GL_ALLOC_MAX_TARGETS]; /* NULL: it is gone */
};

/* --- records --------------------------------------------------------------------------------------- */

static void on_checked(void *ctx, const struct gl_alloc *record)
{
	struct open_watch *watch = ctx;
	struct target *target = watch->by_slot[record->slot];

	if (target && target__pid(target) == (pid_t)record->tgid && record->kind == GL_ALLOC_OPEN)
		target_openings__take(target, record);
}

static bool on_record(void *ctx, const void *data, size_t size)
{
	struct open_watch *watch = ctx;

	if (!alloc_record__decode(data, size, on_checked, ctx))
		watch->malformed++;
	return ++watch->batch < watch->feed.ring_records;
}

void open_watch__drain(struct open_watch *watch)
{
	for (size_t i = 0; i < watch->n; i++) {
		if (watch->by_slot[i])
			(void)!alloc_probes__counts(watch->feed.probes, i,
						    &watch->by_slot[i]->openings->counts);
	}
	watch->batch = 0;
	bpf_ring__consume(watch->feed.ring, on_record, watch);
}

/* --- windows --------------------------------------------------------------------------------------- */

static void open_window(struct open_watch *watch, struct target *target)
{
	struct target_openings *openings = target->openings;
	const struct alloc_modules modules = {openings->modules, openings->n_modules};

	/* It is to be closed in time, however many wait for a processor. */
	access__come_first(true);
	if (alloc_modules__attach(&modules, watch->feed.probes, target, openings->slot,
				  &openings->missing)) {
		access__come_first(false);
		return;
	}
	openings->attached = true;
	openings->n_windows++;
	alloc_windows__set(&openings->windows, true, clock__monotonic_ns());
	log_debug("what process %d opens: probes attached, for the %llu. time", target__pid(target),
		  (unsigned long long)openings->n_windows);
}

static void close_window(struct target *target)
{
	struct target_openings *openings = target->openings;

	alloc_modules__detach(&(struct alloc_modules){openings->modules, openings->n_modules});
	access__come_first(false);
	openings->attached = false;
	alloc_windows__set(&openings->windows, false, clock__monotonic_ns());
	log_debug("what process %d opens: probes detached", target__pid(target));
}

static void look_at(struct open_watch *watch, struct target *target)
{
	struct target_openings *openings = target->openings;
	bool wanted = openings->wanted || watch->options.always;
	uint64_t cpu_ns;

	if (openings->missing.text[0] || (!wanted && !openings->attached) ||
	    process__cpu_ns(target__pid(target), &cpu_ns))
		return;
	wanted = alloc_windows__tick(&openings->windows, clock__monotonic_ns(), cpu_ns,
				     target_openings__spent_ns(openings)) &&
		 wanted;
	if (!wanted && openings->attached)
		close_window(target);
	if (wanted && !openings->attached)
		open_window(watch, target);
}

void open_watch__tick(struct open_watch *watch)
{
	open_watch__drain(watch);
	for (size_t i = 0; i < watch->n; i++) {
		if (watch->by_slot[i])
			look_at(watch, watch->by_slot[i]);
	}
}

/* --- a target -------------------------------------------------------------------------------------- */

static int plan_modules(struct target *target, struct failure *failure)
{
	struct target_openings *openings = target->openings;
	size_t n = min_of(module_map__count(target->modules), (size_t)ALLOC_MAX_MODULES);
	size_t sites = 0;

	for (size_t i = 0; i < n; i++) {
		const struct loaded_module *loaded = module_map__at(target->modules, i);
		struct alloc_module *module = &openings->modules[openings->n_modules];
		int err;

		if (!loaded->binary)
			continue;
		err = open_plan__make(loaded->binary, &module->plan, failure);
		if (err)
			return err;
		module->bias = loaded->bias;
		module->fd = executable__fd(target->executable, loaded->number);
		sites += module->plan.n;
		openings->n_modules += module->plan.n != 0;
	}
	return sites ? 0 :
		       failure__set(failure, -ENOENT,
				    "it has none of the functions that open things, or their code "
				    "is not understood");
}

static void tell_sites(const struct target_openings *openings)
{
	for (size_t i = 0; i < openings->n_modules; i++) {
		const struct alloc_plan *plan = &openings->modules[i].plan;

		for (size_t k = 0; k < plan->n; k++)
			log_debug("opening site %s+0x%x 0x%llx %s", plan->sites[k].site.function,
				  plan->sites[k].site.func_offset,
				  (unsigned long long)plan->sites[k].site.address,
				  probe_class__name(plan->sites[k].site.class));
	}
}

int open_watch__add(struct open_watch *watch, struct target *target, struct failure *failure)
{
	struct target_openings *openings;
	int err;

	if (watch->n == GL_ALLOC_MAX_TARGETS)
		return 0;
	err = target_openings__open(target, watch);
	if (err)
		return failure__set(failure, err, "out of memory");
	openings = target->openings;
	openings->slot = watch->n;
	alloc_windows__init(&openings->windows, watch->options.max_overhead,
			    hash__keyed_word(clock__monotonic_ns()));
	openings->cost = (struct alloc_cost){
		.hit_ns = watch->feed.cost.hit_ns * AT_MOST,
		.record_ns = watch->feed.cost.record_ns * DEEPER_AND_COLD,
	};
	err = plan_modules(target, &openings->missing);
	if (!err)
		err = alloc_probes__describe(watch->feed.probes, openings->slot,
					     go_binary__layout(target->executable->binary),
					     target__pid(target), false, &openings->missing);
	if (!err)
		tell_sites(openings);
	watch->by_slot[watch->n++] = target;
	return err == -ENOMEM ? failure__set(failure, err, "out of memory") : 0;
}

/* --- its life -------------------------------------------------------------------------------------- */

int open_watch__new(const struct open_watch_options *options, struct open_watch **ret_watch,
		    struct failure *failure)
{
	struct open_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return failure__set(failure, -ENOMEM, "out of memory");
	watch->options = *options;
	err = alloc_feed__open(&watch->feed, RING_BYTES, failure);
	if (err) {
		open_watch__free(watch);
		return err;
	}
	*ret_watch = watch;
	return 0;
}

void open_watch__free(struct open_watch *watch)
{
	if (!watch)
		return;
	alloc_feed__close(&watch->feed);
	free(watch);
}

bool open_watch__uprobe_multi(const struct open_watch *watch)
{
	return watch->feed.uprobe_multi;
}

int open_watch__ring_fd(const struct open_watch *watch)
{
	return alloc_probes__ring_fd(watch->feed.probes);
}
