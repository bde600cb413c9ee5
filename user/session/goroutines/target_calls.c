// SPDX-License-Identifier: Apache-2.0
#include "session/goroutines/target_calls.h"

#include "naming/site_frames.h"
#include "session/executable.h"
#include "session/target_internal.h"

/* What led to the go statement that @goid itself comes from; 0: nobody knows. */
static uint64_t call_of_creator(const struct target *target, uint64_t goid)
{
	uint64_t creation_pc;
	uint64_t call = tracker__comes_from(target->tracker, goid, &creation_pc);

	return call ? call : places__call(target->executable->places, creation_pc);
}

static uint64_t find_call(const struct target *target, const struct gl_event *head,
			  const struct gl_event_create *create, const struct gl_creator *creator)
{
	size_t at = 0;

	/* The first ones are the runtime's, until the go statement. */
	while (at < head->n_pcs && creator->pcs[at] != create->creation_pc)
		at++;
	if (at == head->n_pcs)
		return 0;
	for (; at < head->n_pcs; at++) {
		uint64_t call = places__call(target->executable->places,
					     module_map__pc(target->modules, creator->pcs[at]));

		if (call)
			return call;
	}
	/* A stack that was cut off may have had one further on. */
	return head->n_pcs == GL_CREATOR_STACK ? 0 : call_of_creator(target, creator->goid);
}

void target_calls__note(struct target *target, const struct gl_event *head,
			const struct gl_event_create *create, const struct gl_creator *creator)
{
	uint64_t creation = module_map__pc(target->modules, create->creation_pc), call;

	if (!creation || site_frames__is_own(target->executable->symbolizer, creation))
		return;
	call = find_call(target, head, create, creator);
	if (call)
		tracker__note_call(target->tracker, head->goid, call);
}
