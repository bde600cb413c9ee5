// SPDX-License-Identifier: Apache-2.0
#include "session/turns.h"

static void *find_due(struct turns *turns, const struct turns_ops *ops, void *ctx, uint64_t now_ns)
{
	size_t n = ops->count(ctx);

	for (size_t i = 0; i < n; i++) {
		size_t index = (turns->next + i) % n;
		void *thing = ops->get(ctx, index);

		if (!ops->is_due(ctx, thing, now_ns))
			continue;
		turns->next = index + 1;
		return thing;
	}
	return NULL;
}

/*
 * What is not there any more has been freed, and something else may be where it was, but that is not under
 * way.
 */
static void *current(const struct turns *turns, const struct turns_ops *ops, void *ctx)
{
	for (size_t i = 0; i < ops->count(ctx); i++) {
		void *thing = ops->get(ctx, i);

		if (thing == turns->current)
			return ops->is_under_way(ctx, thing) ? thing : NULL;
	}
	return NULL;
}

static void end(struct turns *turns, const struct turns_ops *ops, void *ctx, void *thing, int err,
		uint64_t now_ns)
{
	uint64_t cpu_ns = ops->ended(ctx, thing, err, now_ns);

	turns->current = NULL;
	turns->pause_end_ns = now_ns + (uint64_t)((double)cpu_ns / turns->share);
}

static bool go_on(struct turns *turns, const struct turns_ops *ops, void *ctx, uint64_t budget_ns,
		  uint64_t now_ns)
{
	void *thing = current(turns, ops, ctx);
	int more;

	if (!thing) {
		turns->current = NULL;
		return false;
	}
	if (ops->may_go_on && !ops->may_go_on(ctx, thing))
		return false;
	more = ops->step(ctx, thing, budget_ns);
	if (more == 1)
		return true;
	end(turns, ops, ctx, thing, more, now_ns);
	return false;
}

bool turns__step(struct turns *turns, const struct turns_ops *ops, void *ctx, uint64_t budget_ns,
		 uint64_t now_ns)
{
	void *thing;
	int err;

	if (turns->current)
		return go_on(turns, ops, ctx, budget_ns, now_ns);
	if (now_ns < turns->pause_end_ns || now_ns < turns->idle_until_ns)
		return false;
	thing = find_due(turns, ops, ctx, now_ns);
	if (!thing) {
		turns->idle_until_ns = now_ns + turns->ask_again_ns;
		return false;
	}
	err = ops->start(ctx, thing);
	if (!err && ops->is_under_way(ctx, thing)) {
		turns->current = thing;
		return true;
	}
	end(turns, ops, ctx, thing, err, now_ns);
	/* After one that failed the next is asked right away. */
	return err != 0;
}
