/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_STARTER_PRIVATE_H
#define GLEAKD_HOST_STARTER_PRIVATE_H

/* What starter.c and the process behind it, starter_process.c, say to each other. */
#include "host/starter.h"

enum starter_word {
	/* of that process */
	STARTER_HELD,	/* .value: pid */
	STARTER_RUNS,	/* .value: pid; .error: why it could not be traced */
	STARTER_FAILED, /* .error: of execvp(3), or of becoming the user */
	STARTER_ENDED,	/* .value: as waitpid(2) has it; .killed */
	/* to it */
	STARTER_GO,
	STARTER_SIGNAL, /* .value: which */
	STARTER_END,	/* .value: by which signal */
};

struct starter_message {
	enum starter_word word;
	int value, error;
	bool killed;
};

/*
 * starter_process__run - start @argv as @user, and be its parent until it has ended; @channel is a socket of
 * packets to whom it is started for. Returns an exit code.
 */
int starter_process__run(int channel, char *const *argv, const struct starter_user *user);

#endif /* GLEAKD_HOST_STARTER_PRIVATE_H */
