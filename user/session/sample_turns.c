// SPDX-License-Identifier: Apache-2.0
#include "session/sample_turns.h"

#include "base/clock.h"
#include "base/log.h"
#include "session/target_internal.h"

/* How often targets of which none was due are asked again. */
#define ASK_AGAIN_NS (NSEC_PER_SEC / 4)

static bool is_old_enough(const struct sample_turns *turns, const struct target *target)
{
	uint64_t started_ns = target__started_seconds(target) * NSEC_PER_SEC;
	uint64_t now_ns = clock__realtime_ns();

	return now_ns > started_ns && now_ns - started_ns >= turns->min_process_age_ns;
}

static bool is_due(const struct sample_turns *turns, struct target *target, uint64_t now_ns)
{
	return target__state(target) == TARGET_LIVE && target__census(target)->alive &&
	       now_ns >= target->samples_due_ns && is_old_enough(turns, target) &&
	       target_samples__are_due(target, now_ns);
}

static struct target *find_due(struct sample_turns *turns, const struct session *session,
			       uint64_t now_ns)
{
	size_t n = session__n_targets(session);

	for (size_t i = 0; i < n; i++) {
		size_t index = (turns->next + i) % n;
		struct target *target = session__target(session, index);

		if (!is_due(turns, target, now_ns))
			continue;
		turns->next = index + 1;
		return target;
	}
	return NULL;
}

/* One that is not watched any more has been freed, as in heap_turns.c. */
static struct target *current(const struct sample_turns *turns, const struct session *session)
{
	for (size_t i = 0; i < session__n_targets(session); i++) {
		struct target *target = session__target(session, i);

		if (target == turns->current)
			return target_samples__is_reading(target) ? target : NULL;
	}
	return NULL;
}

static void end_turn(struct sample_turns *turns, struct target *target, int err, uint64_t now_ns)
{
	double share = turns->max_share > 0 ? turns->max_share : SAMPLE_TURNS_SHARE;
	const struct target_samples *samples = target_samples__get(target);

	turns->current = NULL;
	turns->pause_end_ns = now_ns + (uint64_t)((double)target_samples__cpu_ns(target) / share);
	if (err || !samples || samples->missing.text[0])
		target->samples_due_ns = now_ns + SAMPLE_TURNS_RETRY_NS;
}

static bool go_on(struct sample_turns *turns, struct session *session, uint64_t budget_ns,
		  uint64_t now_ns)
{
	struct target *target = current(turns, session);
	struct failure failure;
	int more;

	if (!target) {
		turns->current = NULL;
		return false;
	}
	more = target_samples__step(target, budget_ns, &failure);
	if (more == 1)
		return true;
	if (more)
		log_debug("memory samples: %s", failure.text);
	end_turn(turns, target, more, now_ns);
	return false;
}

bool sample_turns__step(struct sample_turns *turns, struct session *session, uint64_t budget_ns,
			uint64_t now_ns)
{
	struct target *target;
	struct failure failure;
	int err;

	if (turns->current)
		return go_on(turns, session, budget_ns, now_ns);
	if (now_ns < turns->pause_end_ns || now_ns < turns->idle_until_ns)
		return false;
	target = find_due(turns, session, now_ns);
	if (!target) {
		turns->idle_until_ns = now_ns + ASK_AGAIN_NS;
		return false;
	}
	err = target_samples__start(target, &turns->options, &failure);
	if (err)
		log_debug("memory samples: %s", failure.text);
	if (err || !target_samples__is_reading(target)) {
		end_turn(turns, target, err, now_ns);
		return false;
	}
	turns->current = target;
	return true;
}
