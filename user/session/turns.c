// SPDX-License-Identifier: Apache-2.0
#include "session/turns.h"

static struct target *find_due(struct turns *turns, const struct turns_ops *ops, void *ctx,
			       struct turns_targets of, uint64_t now_ns)
{
	for (size_t i = 0; i < of.n; i++) {
		size_t index = (turns->next + i) % of.n;

		if (!ops->is_due(ctx, of.targets[index], now_ns))
			continue;
		turns->next = index + 1;
		return of.targets[index];
	}
	return NULL;
}

/*
 * What is not there any more has been freed, and something else may be where it was, but that is not under
 * way.
 */
static struct target *current(const struct turns *turns, const struct turns_ops *ops,
			      struct turns_targets of)
{
	for (size_t i = 0; i < of.n; i++) {
		if (of.targets[i] == turns->current)
			return ops->is_under_way(of.targets[i]) ? of.targets[i] : NULL;
	}
	return NULL;
}

static void end(struct turns *turns, const struct turns_ops *ops, void *ctx, struct target *target,
		int err, uint64_t now_ns)
{
	uint64_t cpu_ns = ops->ended(ctx, target, err, now_ns);

	turns->current = NULL;
	turns->pause_end_ns = now_ns + (uint64_t)((double)cpu_ns / turns->share);
}

static bool go_on(struct turns *turns, const struct turns_ops *ops, void *ctx,
		  struct turns_targets of, uint64_t budget_ns, uint64_t now_ns)
{
	struct target *target = current(turns, ops, of);
	int more;

	if (!target) {
		turns->current = NULL;
		return false;
	}
	if (ops->may_go_on && !ops->may_go_on(target))
		return false;
	more = ops->step(ctx, target, budget_ns);
	if (more == 1)
		return true;
	end(turns, ops, ctx, target, more, now_ns);
	return false;
}

bool turns__step(struct turns *turns, const struct turns_ops *ops, void *ctx,
		 struct turns_targets of, uint64_t budget_ns, uint64_t now_ns)
{
	struct target *target;
	int err;

	if (turns->current)
		return go_on(turns, ops, ctx, of, budget_ns, now_ns);
	if (now_ns < turns->pause_end_ns || now_ns < turns->idle_until_ns ||
	    now_ns < turns->not_before_ns)
		return false;
	target = find_due(turns, ops, ctx, of, now_ns);
	if (!target) {
		turns->idle_until_ns = now_ns + turns->ask_again_ns;
		return false;
	}
	err = ops->start(ctx, target);
	if (!err && ops->is_under_way(target)) {
		turns->current = target;
		return true;
	}
	end(turns, ops, ctx, target, err, now_ns);
	/* After one that failed the next is asked right away. */
	return err != 0;
}
