// SPDX-License-Identifier: Apache-2.0
#include "cli/resources.h"

#include <errno.h>

#include "base/log.h"
#include "cli/look.h"
#include "session/resources/open_watch.h"
#include "session/resources/target_resources.h"

/* Windows are looked at so often while nobody wants any: after the next look somebody may. */
#define IDLE_TICK_NS (50 * NSEC_PER_MSEC)

struct resources_command {
	const struct options *options;
	struct rounds *rounds;
	struct open_watch *watch; /* NULL: who opens things is not watched */
};

static int look(struct rounds *rounds, struct target *target,
		const struct target_view_options *options)
{
	return target_resources__take(target, options, &rounds->failure);
}

/* Without being asked for it is watched where that is possible. */
static int open_watch(void *ctx, struct rounds *rounds)
{
	struct resources_command *resources = ctx;
	const struct options *options = resources->options;
	const struct open_watch_options watch = {
		.always = options->probe_opens == PROBE_OPENS_ALWAYS,
		.max_overhead = options->alloc_overhead,
	};
	int err;

	if (!options->duration_ns || options->probe_opens == PROBE_OPENS_NEVER)
		return 0;
	err = open_watch__new(&watch, &resources->watch, &rounds->failure);
	if (err && !watch.always && err != -ENOMEM) {
		log_info("who opens what is not watched: %s", rounds->failure.text);
		rounds->failure.text[0] = '\0';
		return 0;
	}
	if (err)
		return err;
	rounds->probes = true;
	rounds->uprobe_multi = open_watch__uprobe_multi(resources->watch);
	return 0;
}

static void on_tick(void *ctx)
{
	struct resources_command *resources = ctx;
	uint64_t again_ns = open_watch__tick(resources->watch);
	int err = loop__set_timer(resources->rounds->loop,
				  again_ns ? again_ns : (uint64_t)IDLE_TICK_NS, 0, on_tick, ctx);

	if (err)
		rounds__fail(resources->rounds, err);
}

static void tick(void *ctx)
{
	struct resources_command *resources = ctx;

	if (resources->watch)
		(void)open_watch__tick(resources->watch);
}

static int ready(void *ctx, struct rounds *rounds)
{
	struct resources_command *resources = ctx;
	struct session *session = rounds->session;
	int err;

	if (!resources->watch)
		return 0;
	resources->rounds = rounds;
	err = loop__add_fd(rounds->loop, open_watch__ring_fd(resources->watch), tick, ctx);
	for (size_t i = 0; i < session__n_targets(session) && !err; i++)
		err = open_watch__add(resources->watch, session__target(session, i),
				      &rounds->failure);
	if (!err)
		on_tick(resources);
	return err;
}

int command__resources(const struct options *options, const struct named *named)
{
	struct resources_command resources = {.options = options};
	const struct look_ops ops = {
		.look = look,
		.open = open_watch,
		.ready = ready,
		.idle = tick,
		.ctx = &resources,
	};
	int code = look__run(options, named, &ops);

	open_watch__free(resources.watch);
	return code;
}
