/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_STARTER_H
#define GLEAKD_HOST_STARTER_H

/*
 * Starts a program and holds it where a Go program has its first goroutine and no other: when it is about to
 * run its first thread beside the first, as runtime.main does before everything else (src/runtime/proc.go:
 * newm(sysmon)). For as long as that takes a process of its own traces the program; after that it is stopped
 * as by SIGSTOP, by nobody, and nothing in it has been written. That process has the rights of the program,
 * and is its parent until it ends.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"

/* Who a program is to run as. */
struct starter_user {
	uid_t uid;
	gid_t gid;
	bool change;	  /* this process has to become that user first */
	char name[64];	  /* "" where the system knows none */
	char folder[256]; /* his home folder; "" */
};

/*
 * starter_user__find - @name, a user's name or number; NULL: whoever asked sudo(8) for this process, else who it
 * runs as. -ENOENT there is no such user; -EPERM this process is not root, and cannot become another.
 */
int starter_user__find(const char *name, struct starter_user *ret_user,
		       struct failure *failure) __must_check;

struct starter;

/* How long a program has from SIGTERM to its end, before SIGKILL. */
#define STARTER_GRACE_NS (10 * NSEC_PER_SEC)

/*
 * starter__new - begin with @argv, which ends with NULL, as @user. To be called before this process forks
 * others: they may use the result, but one at a time. Errors: those of fork(2), socketpair(2).
 */
int starter__new(char *const *argv, const struct starter_user *user,
		 struct starter **ret_starter) __must_check;

/* starter__free - without a word to the program: see starter__end(). */
void starter__free(struct starter *starter);

/*
 * starter__wait - until the program is held, @max_ns at most. *@ret_pid is its number. *@ret_held is false where
 * it could not be traced, and runs: then @failure says why, as it does of errors: -ENOENT, -EACCES and kin of
 * execvp(3); -ECHILD it has ended, see starter__status(); -ETIMEDOUT it has started no thread.
 */
int starter__wait(struct starter *starter, uint64_t max_ns, pid_t *ret_pid, bool *ret_held,
		  struct failure *failure) __must_check;

/* starter__go - let it run. */
void starter__go(struct starter *starter);

/* starter__signal - give it @signal. */
void starter__signal(struct starter *starter, int signal);

/* starter__fd - readable when the program has ended. */
int starter__fd(const struct starter *starter);

/*
 * starter__end - end it by @signal, unless it has ended or its terminal has given it that signal already, and
 * after STARTER_GRACE_NS by SIGKILL; wait for that. *@ret_killed: it took the latter.
 */
void starter__end(struct starter *starter, int signal, bool *ret_killed);

/* starter__status - how it ended, as waitpid(2) has it; false: not known, or it has not. */
bool starter__status(struct starter *starter, int *ret_status);

#endif /* GLEAKD_HOST_STARTER_H */
