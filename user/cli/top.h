/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_TOP_H
#define GLEAKD_CLI_TOP_H

/*
 * The terminal of `gleakd top`: draws what output/top says, and tells it of keys. However the program
 * ends, but for SIGKILL, the terminal is as it was.
 */
#include "base/loop.h"
#include "cli/options.h"
#include "output/report.h"

struct top_screen;

/*
 * top_screen__note_terminal - in what modes it is, for each screen of this process and of those it forks: what one
 * that is killed leaves behind are others.
 */
void top_screen__note_terminal(void);

/* command__check_top - 0, or the exit code when there is no terminal to show anything on. */
int command__check_top(void);

/* top_screen__new - takes the terminal. -ENOMEM; -ENOTTY: it is none that this can be shown on. */
int top_screen__new(const struct options *options, struct top_screen **ret_screen) __must_check;

/* top_screen__free - gives it back. */
void top_screen__free(struct top_screen *screen);

/*
 * top_screen__listen - keys and job control through @loop from now on; @quit is called when somebody
 * wants to leave.
 */
int top_screen__listen(struct top_screen *screen, struct loop *loop, loop_fn quit,
		       void *ctx) __must_check;

/* top_screen__write - what is shown from now on. -ENOMEM. */
int top_screen__write(struct top_screen *screen, const struct report *report) __must_check;

/* top_screen__message - of gleakd's own. */
void top_screen__message(struct top_screen *screen, const char *line);

/* top_screen__resize - the terminal has another size now. */
void top_screen__resize(struct top_screen *screen);

#endif /* GLEAKD_CLI_TOP_H */
