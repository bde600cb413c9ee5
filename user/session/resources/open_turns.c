// SPDX-License-Identifier: Apache-2.0
#include "session/resources/open_turns.h"

#include <errno.h>

#include "base/log.h"
#include "session/resources/target_resources.h"
#include "session/target_internal.h"

/* Without it only less is known. */
static int open_watch(struct open_turns *turns, struct failure *failure)
{
	int err = open_watch__new(&turns->options, &turns->watch, failure);

	if (!err || err == -ENOMEM)
		return err;
	turns->failed = true;
	log_info("who opens what is not watched: %s", failure->text);
	failure->text[0] = '\0';
	return 0;
}

int open_turns__looked(struct open_turns *turns, struct target *target, bool *ret_first,
		       struct failure *failure)
{
	bool first = !turns->watch;
	int err = 0;

	*ret_first = false;
	if (!turns->wanted || turns->failed || target->openings)
		return 0;
	if (first)
		err = open_watch(turns, failure);
	if (err || turns->failed)
		return err;
	*ret_first = first;
	err = open_watch__add(turns->watch, target, failure);
	if (!err)
		target_openings__want(target, target_resources__wants_openers(target));
	return err;
}

int open_turns__ring_fd(const struct open_turns *turns)
{
	return open_watch__ring_fd(turns->watch);
}

uint64_t open_turns__tick(struct open_turns *turns)
{
	return turns->watch ? open_watch__tick(turns->watch) : 0;
}

void open_turns__close(struct open_turns *turns)
{
	open_watch__free(turns->watch);
	turns->watch = NULL;
}
