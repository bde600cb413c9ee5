/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_MESSAGES_H
#define GLEAKD_CLI_MESSAGES_H

/*
 * What the broker logs while its worker draws on the terminal: the worker shows it, and what it has not shown by its
 * end is written then.
 */

/* messages__keep - in the process that becomes the broker. Where there can be no pipe it logs as ever. */
void messages__keep(void);

/* messages__take_over - in the worker: what it logs itself goes its own way. */
void messages__take_over(void);

/* messages__fd - readable when there are some; -1: never. */
int messages__fd(void);

/* messages__read - those that there are, each without its newline. */
void messages__read(void (*take)(void *ctx, const char *line), void *ctx);

/*
 * messages__tell_rest - to stderr, where what is logged goes from now on; in either process, when
 * nobody draws any more.
 */
void messages__tell_rest(void);

#endif /* GLEAKD_CLI_MESSAGES_H */
