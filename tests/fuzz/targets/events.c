// SPDX-License-Identifier: Apache-2.0
/* The input is one record of a ring buffer: of either kind, as both are tried. */
#include "observe/alloc_records.h"
#include "observe/events.h"

#include <string.h>

#include "fuzz.h"

struct expected {
	const uint8_t *data;
	size_t size;
	int calls;
};

static void on_event(void *ctx, const struct gl_event *head, const struct gl_event_create *create,
		     const struct gl_creator *creator, const struct gl_event_wake *wake)
{
	struct expected *expected = ctx;

	expected->calls++;
	fuzz__require(head->goid);
	fuzz__require((head->kind == PROBE_EVENT_CREATE) == (create != NULL));
	fuzz__require(expected->size >= sizeof(*head));
	fuzz__require(!memcmp(head, expected->data, sizeof(*head)));
	fuzz__require((head->kind == PROBE_EVENT_WAKE) == (wake != NULL));
	if (wake) {
		fuzz__require(expected->size >= sizeof(*wake) && head->n_pcs <= GL_WAKE_STACK);
		fuzz__require(!memcmp(wake, expected->data, sizeof(*wake)));
	}
	if (!create)
		return;
	fuzz__require(expected->size >= sizeof(*create));
	fuzz__require(!memcmp(create, expected->data, sizeof(*create)));
	fuzz__require((creator != NULL) == (head->n_pcs != 0));
	fuzz__require(head->n_pcs <= GL_CREATOR_STACK);
	if (creator)
		fuzz__require(!memcmp(creator, expected->data + sizeof(*create), sizeof(*creator)));
}

static void on_alloc(void *ctx, const struct gl_alloc *record)
{
	int *calls = ctx;

	(*calls)++;
	fuzz__require(record->kind < GL_ALLOC_KINDS && record->slot < GL_ALLOC_MAX_TARGETS);
	fuzz__require(record->n_pcs && record->n_pcs <= GL_ALLOC_STACK);
	fuzz__require(record->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expected expected = {data, size, 0};
	int calls = 0;
	bool good = event_record__decode(data, size, on_event, &expected);

	fuzz__require(expected.calls == good);
	good = alloc_record__decode(data, size, on_alloc, &calls);
	fuzz__require(calls == good);
	return 0;
}
