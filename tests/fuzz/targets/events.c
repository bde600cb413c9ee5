// SPDX-License-Identifier: Apache-2.0
/* The input is one record of the ring buffer. */
#include "observe/events.h"

#include <string.h>

#include "fuzz.h"

struct expected {
	const uint8_t *data;
	size_t size;
	int calls;
};

static void on_event(void *ctx, const struct gl_event *head, const struct gl_event_create *create)
{
	struct expected *expected = ctx;

	expected->calls++;
	fuzz__require(head->goid);
	fuzz__require((head->kind == PROBE_EVENT_CREATE) == (create != NULL));
	fuzz__require(expected->size >= sizeof(*head));
	fuzz__require(!memcmp(head, expected->data, sizeof(*head)));
	if (!create)
		return;
	fuzz__require(expected->size >= sizeof(*create));
	fuzz__require(!memcmp(create, expected->data, sizeof(*create)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expected expected = {data, size, 0};
	bool good = event_record__decode(data, size, on_event, &expected);

	fuzz__require(expected.calls == good);
	return 0;
}
