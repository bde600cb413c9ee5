// SPDX-License-Identifier: Apache-2.0
#include "session/goroutines/target_waits.h"

#include "session/executable.h"
#include "session/target_internal.h"

/* Up to what is no code, or the end of the goroutine. */
static uint32_t stack_of(struct target *target, const struct gl_event_wake *wake)
{
	uint64_t pcs[GL_WAKE_STACK];
	size_t n = 0;

	while (n < wake->head.n_pcs && module_map__find(target->modules, wake->pcs[n])) {
		pcs[n] = module_map__pc(target->modules, wake->pcs[n]);
		if (module_map__is_goexit(target->modules, pcs[n]))
			break;
		n++;
	}
	/* That it parked is all that one frame says. */
	return n > 1 ? stack_table__intern(target->executable->stacks, pcs, n) : STACK_ID_NONE;
}

void target_waits__ended(struct target *target, const struct gl_event_wake *wake)
{
	struct places *places = target->executable->places;
	uint32_t stack_id = stack_of(target, wake);
	const struct tracker_wait wait = {
		.goid = wake->head.goid,
		.creation_pc = places__creation(
			places, wake->head.goid == 1 ?
					0 :
					module_map__pc(target->modules, wake->creation_pc)),
		.start_pc = places__start(places, module_map__pc(target->modules, wake->start_pc)),
		.place = places__park(places, stack_id),
		.stack_id = stack_id,
		.wait_reason = (uint8_t)wake->wait_reason,
		.ended_ns = wake->head.time_ns,
	};

	tracker__wait_ended(target->tracker, &wait);
}
