// SPDX-License-Identifier: Apache-2.0
/* The input is what --trigger says; what was understood of it reads the same again. */
#include "cli/trigger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void check(const struct trigger *trigger)
{
	struct trigger again;

	fuzz__require(strnlen(trigger->text, TRIGGER_TEXT_SIZE) < TRIGGER_TEXT_SIZE);
	fuzz__require(strlen(trigger->id) == 8);
	fuzz__require(!trigger__parse(trigger->text, &again, NULL));
	fuzz__require(again.subject == trigger->subject && again.verdict == trigger->verdict);
	fuzz__require(again.limit == trigger->limit && again.for_ns == trigger->for_ns);
	fuzz__require(!strcmp(again.id, trigger->id) && !strcmp(again.text, trigger->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	char *text = fuzz_input__text(&input, '\n');
	struct failure failure = {0};
	struct trigger trigger;
	int err = trigger__parse(text, &trigger, &failure);

	fuzz__require(!err || (err == -EINVAL && failure.text[0]));
	if (!err)
		check(&trigger);
	free(text);
	return 0;
}
