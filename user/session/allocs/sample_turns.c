// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/sample_turns.h"

#include "base/log.h"
#include "session/target_internal.h"

/* How often targets of which none was due are asked again. */
#define ASK_AGAIN_NS (NSEC_PER_SEC / 4)

static bool is_due(void *ctx, struct target *target, uint64_t now_ns)
{
	const struct sample_turns *turns = ctx;

	return target__state(target) == TARGET_LIVE && target__census(target)->alive &&
	       now_ns >= target->samples_due_ns &&
	       target__is_of_age(target, turns->min_process_age_ns) &&
	       target_samples__are_due(target, now_ns);
}

static int start(void *ctx, struct target *target)
{
	const struct sample_turns *turns = ctx;
	struct failure failure;
	int err = target_samples__start(target, &turns->options, &failure);

	if (err)
		log_debug("memory samples: %s", failure.text);
	return err;
}

static int step(void *ctx, struct target *target, uint64_t budget_ns)
{
	struct failure failure;
	int more = target_samples__step(target, budget_ns, &failure);

	(void)ctx;
	if (more < 0)
		log_debug("memory samples: %s", failure.text);
	return more;
}

static uint64_t ended(void *ctx, struct target *target, int err, uint64_t now_ns)
{
	const struct target_samples *samples = target_samples__get(target);

	(void)ctx;
	if (err || !samples || samples->missing.text[0])
		target->samples_due_ns = now_ns + SAMPLE_TURNS_RETRY_NS;
	return target_samples__cpu_ns(target);
}

bool sample_turns__step(struct sample_turns *turns, const struct session *session,
			uint64_t budget_ns, uint64_t now_ns)
{
	static const struct turns_ops ops = {
		.is_due = is_due,
		.start = start,
		.is_under_way = target_samples__is_reading,
		.step = step,
		.ended = ended,
	};

	turns->turns.share = turns->max_share > 0 ? turns->max_share : SAMPLE_TURNS_SHARE;
	turns->turns.ask_again_ns = ASK_AGAIN_NS;
	return turns__step(&turns->turns, &ops, turns, session__turns(session), budget_ns, now_ns);
}
