// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/starter_private.h"
#include "host/users.h"

struct starter {
	int channel;
	char program[256]; /* for messages */
	bool ended, killed;
	int status;
};

/* --- who ----------------------------------------------------------------------------------------- */

static void take_entry(const struct passwd *entry, struct starter_user *user)
{
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	snprintf(user->name, sizeof(user->name), "%s", entry->pw_name);
	snprintf(user->folder, sizeof(user->folder), "%s", entry->pw_dir);
}

/* UINT32_MAX is nobody's: -1 to setresuid(2). */
static bool parse_id(const char *text, unsigned int *ret_id)
{
	unsigned long id;
	char *end;

	if (!text || !*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	id = strtoul(text, &end, 10);
	if (errno || *end || id >= UINT32_MAX)
		return false;
	*ret_id = (unsigned int)id;
	return true;
}

/* Whoever asked sudo for this process; else who it runs as. */
static void take_caller(struct starter_user *user)
{
	unsigned int uid = geteuid(), gid = getegid();
	const struct passwd *entry;

	if (!uid && parse_id(getenv("SUDO_UID"), &uid))
		(void)parse_id(getenv("SUDO_GID"), &gid);
	user->uid = uid;
	user->gid = gid;
	entry = users__find(NULL, uid);
	if (entry)
		take_entry(entry, user);
	user->gid = gid;
}

int starter_user__find(const char *name, struct starter_user *ret_user, struct failure *failure)
{
	struct starter_user user = {0};
	const struct passwd *entry;
	unsigned int uid;

	take_caller(&user);
	if (name) {
		entry = parse_id(name, &uid) ? users__find(NULL, uid) : users__find(name, 0);
		if (!entry)
			return failure__set(failure, -ENOENT, "--user: there is no user '%.80s'",
					    name);
		take_entry(entry, &user);
	}
	user.change = user.uid != geteuid();
	if (user.change && geteuid())
		return failure__set(
			failure, -EPERM,
			"--user: only root can run a program as '%.80s'; leave it out, or "
			"use sudo",
			name);
	*ret_user = user;
	return 0;
}

/* --- the process behind it ----------------------------------------------------------------------- */

int starter__new(char *const *argv, const struct starter_user *user, struct starter **ret_starter)
{
	struct starter *starter = calloc(1, sizeof(*starter));
	int ends[2], err;
	pid_t pid;

	if (!starter)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		err = -errno;
		free(starter);
		return err;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		_exit(starter_process__run(ends[1], argv, user));
	}
	err = pid < 0 ? -errno : 0;
	close(ends[1]);
	starter->channel = ends[0];
	snprintf(starter->program, sizeof(starter->program), "%s", argv[0]);
	if (err) {
		starter__free(starter);
		return err;
	}
	*ret_starter = starter;
	return 0;
}

void starter__free(struct starter *starter)
{
	if (!starter)
		return;
	close(starter->channel);
	free(starter);
}

/* Nobody is there any more: nor is the program. */
static void tell(struct starter *starter, enum starter_word word, int value)
{
	const struct starter_message message = {.word = word, .value = value};

	(void)!write(starter->channel, &message, sizeof(message));
}

/* The next message, or false: none came within @max_ns, or the process is gone. */
static bool hear(struct starter *starter, uint64_t max_ns, struct starter_message *ret_message)
{
	struct pollfd end = {.fd = starter->channel, .events = POLLIN};
	uint64_t until_ns = clock__monotonic_ns() + max_ns, now_ns;
	int n;

	do {
		now_ns = clock__monotonic_ns();
		n = poll(&end, 1,
			 (int)((until_ns - min_of(now_ns, until_ns) + NSEC_PER_MSEC - 1) /
			       NSEC_PER_MSEC));
	} while (n < 0 && errno == EINTR);
	if (n <= 0 || read(starter->channel, ret_message, sizeof(*ret_message)) !=
			      (ssize_t)sizeof(*ret_message))
		return false;
	if (ret_message->word == STARTER_ENDED) {
		starter->ended = true;
		starter->killed = ret_message->killed;
		starter->status = ret_message->value;
	}
	return true;
}

int starter__wait(struct starter *starter, uint64_t max_ns, pid_t *ret_pid, bool *ret_held,
		  struct failure *failure)
{
	struct starter_message message;

	if (!hear(starter, max_ns, &message))
		return failure__set(
			failure, -ETIMEDOUT,
			"%s has started no thread yet, as Go programs do at once: name the Go program "
			"itself, not a script that starts it",
			starter->program);
	switch (message.word) {
	case STARTER_HELD:
	case STARTER_RUNS:
		*ret_pid = message.value;
		*ret_held = message.word == STARTER_HELD;
		if (!*ret_held)
			failure__set(failure, -message.error, "%s", strerror(message.error));
		return 0;
	case STARTER_ENDED:
		return failure__set(failure, -ECHILD,
				    "%s has ended before it was a running Go program",
				    starter->program);
	default:
		return failure__set(failure, -message.error, "cannot run %s: %s", starter->program,
				    strerror(message.error));
	}
}

void starter__go(struct starter *starter)
{
	tell(starter, STARTER_GO, 0);
}

void starter__signal(struct starter *starter, int signal)
{
	tell(starter, STARTER_SIGNAL, signal);
}

int starter__fd(const struct starter *starter)
{
	return starter->channel;
}

void starter__end(struct starter *starter, int signal, bool *ret_killed)
{
	/* And some time for a machine that is busy. */
	const uint64_t max_ns = STARTER_GRACE_NS + 5 * NSEC_PER_SEC;
	struct starter_message message;

	if (!starter->ended) {
		tell(starter, STARTER_END, signal);
		while (!starter->ended && hear(starter, max_ns, &message))
			;
	}
	*ret_killed = starter->killed;
}

bool starter__status(struct starter *starter, int *ret_status)
{
	struct starter_message message;

	while (!starter->ended && hear(starter, 0, &message))
		;
	*ret_status = starter->status;
	return starter->ended;
}
