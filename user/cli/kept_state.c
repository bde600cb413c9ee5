// SPDX-License-Identifier: Apache-2.0
#include "cli/kept_state.h"

#include <errno.h>
#include <signal.h>

#include "base/log.h"

/* So that a directory that cannot be written to is told at once and not after the first minute. */
static int create_empty(const char *path, struct failure *failure)
{
	struct state_writer *writer;
	int err = state_writer__begin(path, &writer);

	if (err)
		return failure__set(failure, err, "no memory to save the state");
	return state_writer__commit(writer, failure);
}

int kept_state__open(struct kept_state *state, const char *path, struct failure *failure)
{
	struct failure reason = {""};
	int err = state_file__open(path, &state->file, &reason);

	/* write(2): beyond RLIMIT_FSIZE a signal ends the process, unless it is ignored. */
	signal(SIGXFSZ, SIG_IGN);
	state->path = path;
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		return create_empty(path, failure);
	case -ESTALE:
		/* Any gleakd sees this after a boot; no process is older than that. */
		log_info("%s; starting afresh", reason.text);
		return 0;
	case -EBADMSG:
	case -EPROTO:
	case -EFBIG:
		log_warn("%s; starting afresh", reason.text);
		return 0;
	default:
		return failure__set(failure, err, "%s", reason.text);
	}
}

int kept_state__save(struct kept_state *state, struct session *session, struct failure *failure)
{
	int err;

	if (!state->path)
		return 0;
	err = session__remember(session, state->path, failure);
	/* Syncing a file takes a slow disk long, and meanwhile the ring buffer has been filling up. */
	session__drain(session);
	return err;
}

void kept_state__save_due(struct kept_state *state, struct session *session)
{
	struct failure failure = {""};
	bool failed;

	if (!state->due)
		return;
	state->due = false;
	failed = kept_state__save(state, session, &failure) != 0;
	if (failed && !state->warned)
		log_warn("%s", failure.text);
	state->warned = failed;
}

void kept_state__close(struct kept_state *state)
{
	state_file__close(state->file);
	state->file = NULL;
}
