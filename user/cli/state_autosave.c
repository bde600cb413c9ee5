// SPDX-License-Identifier: Apache-2.0
#include "cli/state_autosave.h"

#include <errno.h>
#include <signal.h>

#include "base/log.h"
#include "host/access.h"

/* A directory that cannot be written to is an error now, not a minute later. */
static int create_empty(const char *path, struct failure *failure)
{
	struct state_writer *writer;
	int err = state_writer__begin(path, &writer);

	if (err)
		return failure__set(failure, err, "no memory to save the state");
	return state_writer__commit(writer, failure);
}

static void resume_quarantine(const struct state_file *file)
{
	size_t n;
	const struct quarantine_entry *entries = state_file__quarantined(file, &n);

	for (size_t i = 0; i < n; i++)
		access__quarantine(&entries[i]);
	if (n)
		log_info("%zu processes held gleakd up before, and are left alone for now", n);
}

int state_autosave__open(struct state_autosave *state, const char *path, struct failure *failure)
{
	struct failure reason = {""};
	int err = state_saver__new(state_writer__commit, &state->saver);

	if (err)
		return failure__set(failure, err, "no memory to save the state");
	/* write(2): beyond RLIMIT_FSIZE a signal ends the process, unless it is ignored. */
	signal(SIGXFSZ, SIG_IGN);
	state->path = path;
	err = state_file__open(path, &state->file, &reason);
	switch (err) {
	case 0:
		resume_quarantine(state->file);
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

static int begin_save(struct state_autosave *state, struct session *session,
		      struct failure *failure)
{
	struct state_writer *writer;
	int err = session__save(session, state->path, &writer, failure);

	return err ? err : state_saver__start(state->saver, writer, failure);
}

/* Takes note of how the save before ended; false while it is still under way. */
static bool reap(struct state_autosave *state)
{
	struct failure failure = {""};
	int err = state_saver__reap(state->saver, 0, &failure);

	if (err == -EINPROGRESS)
		return false;
	if (err < 0 && !state->warned)
		log_warn("%s", failure.text);
	state->errors += err < 0;
	if (err)
		state->warned = err < 0;
	return true;
}

void state_autosave__save_due(struct state_autosave *state, struct session *session)
{
	struct failure failure = {""};

	if (!state->saver || !reap(state) || !state->due)
		return;
	state->due = false;
	if (!begin_save(state, session, &failure))
		return;
	state->errors++;
	if (!state->warned)
		log_warn("%s", failure.text);
	state->warned = true;
}

/* A disk that takes too long is given up: nothing is saved from then on. */
static int wait_for_save(struct state_autosave *state, struct failure *failure)
{
	int err = state_saver__reap(state->saver, STATE_AUTOSAVE_PATIENCE_NS, failure);

	if (err != -EINPROGRESS)
		return min_of(err, 0);
	state_saver__free(state->saver);
	state->saver = NULL;
	return failure__set(failure, -ETIMEDOUT,
			    "saving the state to %.300s takes too long: what was learned since "
			    "the last save is lost; give a --state on another disk",
			    state->path);
}

int state_autosave__save_last(struct state_autosave *state, struct session *session,
			      struct failure *failure)
{
	int err;

	if (!state->saver)
		return 0;
	/* If the save before failed, that does not matter: this one contains all of it. */
	err = wait_for_save(state, failure);
	if (err == -ETIMEDOUT)
		return err;
	err = begin_save(state, session, failure);
	if (!err)
		err = wait_for_save(state, failure);
	/* The ring buffer has been filling up while this thread waited. */
	session__drain(session);
	return err;
}

void state_autosave__close(struct state_autosave *state)
{
	struct failure failure = {""};

	if (state->saver && wait_for_save(state, &failure))
		log_warn("%s", failure.text);
	state_saver__free(state->saver);
	state_file__close(state->file);
	state->saver = NULL;
	state->file = NULL;
}
