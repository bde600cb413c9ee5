// SPDX-License-Identifier: Apache-2.0
#include "cli/heap.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "cli/look.h"
#include "cli/output_file.h"
#include "cli/profile_file.h"
#include "report/heap_profile.h"
#include "session/allocs/alloc_watch.h"
#include "session/allocs/target_samples.h"

struct heap_command {
	const struct options *options;
	struct output_file *profile; /* NULL: not asked for */
	struct alloc_watch *watch;   /* NULL: no allocations are watched */
	struct rounds *rounds;
};

static int look(struct rounds *rounds, struct target *target,
		const struct target_view_options *options)
{
	int err = target_samples__take(target, options, &rounds->failure);

	return err ? err : target_view__take(target, options, &rounds->failure);
}

/* --- the profile -------------------------------------------------------------------------------- */

static int write_profile(struct heap_command *heap, struct rounds *rounds)
{
	struct failure *failure = &rounds->failure;
	struct pprof *profile;
	int err;

	if (!heap->profile)
		return 0;
	err = heap_profile__make(session__target(rounds->session, 0), clock__realtime_ns(),
				 &profile, failure);
	if (err)
		return err;
	err = profile_file__write(heap->profile, profile, failure);
	pprof__free(profile);
	return err;
}

/* --- allocations ---------------------------------------------------------------------------------- */

/* Without being asked for they are watched where that is possible. */
static int open_watch(struct heap_command *heap, struct rounds *rounds)
{
	const struct options *options = heap->options;
	const struct alloc_watch_options watch = {
		.exact = options->exact,
		.samples = options__by_who(options),
		.who = options__by_who(options) || options->alloc_by == REPORT_ALLOC_BY_TYPE,
		.max_overhead = options->alloc_overhead,
	};
	int err;

	if (!options->duration_ns)
		return 0;
	err = alloc_watch__new(&watch, &heap->watch, &rounds->failure);
	if (err && !options->exact && !options__by_who(options) && err != -ENOMEM) {
		log_info("allocations of programs that do not sample themselves are not watched: "
			 "%s",
			 rounds->failure.text);
		rounds->failure.text[0] = '\0';
		return 0;
	}
	if (err)
		return err;
	rounds->probes = true;
	rounds->uprobe_multi = alloc_watch__uprobe_multi(heap->watch);
	return 0;
}

static void on_tick(void *ctx)
{
	struct heap_command *heap = ctx;

	/* What rested while the heap was read goes on. */
	uint64_t again_ns = alloc_watch__rest(heap->watch, heap->rounds->under_way);
	int err = loop__set_timer(heap->rounds->loop, again_ns, 0, on_tick, heap);

	if (err)
		rounds__fail(heap->rounds, err);
}

/* Before anything is attached. */
static void tell_cost(const struct heap_command *heap, const struct session *session)
{
	char per_second[NUMBER_RATE_SIZE];

	for (size_t i = 0; i < session__n_targets(session); i++) {
		const struct target *target = session__target(session, i);
		double n, slowdown;

		if (alloc_watch__forecast(heap->watch, target, &n, &slowdown))
			continue;
		number__rate(n, per_second);
		log_info("process %d makes about %s allocations a second: for as long as each of "
			 "them is seen it will use about %.1f times its CPU time",
			 target__pid(target), per_second, slowdown);
	}
}

static int add_targets(struct heap_command *heap, struct rounds *rounds)
{
	int err = loop__add_fd(rounds->loop, alloc_watch__ring_fd(heap->watch), on_tick, heap);

	for (size_t i = 0; i < session__n_targets(rounds->session) && !err; i++)
		err = alloc_watch__add(heap->watch, session__target(rounds->session, i),
				       &rounds->failure);
	if (!err && heap->options->exact)
		tell_cost(heap, rounds->session);
	if (!err)
		on_tick(heap);
	return err;
}

static void begin(void *ctx)
{
	struct heap_command *heap = ctx;

	if (!heap->watch)
		return;
	/* While the heap is read nobody would be there to close a window. */
	alloc_watch__settle(heap->watch);
	alloc_watch__rest(heap->watch, true);
}

static void idle(void *ctx)
{
	struct heap_command *heap = ctx;

	if (heap->watch)
		alloc_watch__tick(heap->watch);
}

/* ------------------------------------------------------------------------------------------------ */

static int open_all(void *ctx, struct rounds *rounds)
{
	struct heap_command *heap = ctx;
	int err = 0;

	heap->rounds = rounds;
	if (heap->options->pprof)
		err = output_file__open("--pprof", heap->options->pprof, &heap->profile,
					&rounds->failure);
	return err ? err : open_watch(heap, rounds);
}

static int ready(void *ctx, struct rounds *rounds)
{
	struct heap_command *heap = ctx;
	int err = 0;

	if (heap->profile)
		err = profile_file__check(rounds->session, &rounds->failure);
	if (!err && heap->watch)
		err = add_targets(heap, rounds);
	return err;
}

static int finish(void *ctx, struct rounds *rounds)
{
	return write_profile(ctx, rounds);
}

int command__heap(const struct options *options, const struct named *named)
{
	struct heap_command heap = {.options = options};
	const struct look_ops ops = {
		.look = look,
		.open = open_all,
		.ready = ready,
		.begin = begin,
		.idle = idle,
		.finish = finish,
		.ctx = &heap,
	};
	int code = look__run(options, named, &ops);

	output_file__close(heap.profile);
	alloc_watch__free(heap.watch);
	return code;
}
