/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_NOTIFY_H
#define GLEAKD_BASE_NOTIFY_H

/*
 * What a service tells the service manager: datagrams to $NOTIFY_SOCKET, see sd_notify(3). Without
 * that variable, as at a terminal, these functions do nothing. None of them fails: a manager that
 * does not listen must not end the service.
 */
#include <sys/un.h>

#include "base/common.h"

struct notify {
	int fd; /* -1: no service manager */
	struct sockaddr_un address;
	unsigned int address_size;
	uint64_t watchdog_ns;	   /* longest pause that the manager allows; 0: any */
	uint64_t next_watchdog_ns; /* not before, CLOCK_MONOTONIC */
	char status[256];	   /* the last one sent */
	bool relayed;		   /* not through fd, see notify__inherit() */
};

#define NOTIFY_NONE ((struct notify){.fd = -1})

/*
 * notify__open - read $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID and remove them from the
 * environment. A value that makes no sense counts as absent.
 */
void notify__open(struct notify *ret_notify);
void notify__close(struct notify *notify);

/*
 * notify__inherit - in a child of the process that opened @from: what is opened here from now on is told
 * through @relay, since the manager believes its main process alone. @relay returns whether the message
 * was taken. Closes @from.
 */
void notify__inherit(struct notify *from, bool (*relay)(const char *message));

/* notify__pass_on - a message of a child's. */
void notify__pass_on(struct notify *notify, const char *message);

/* notify__ready - started, or done with reloading. */
void notify__ready(struct notify *notify);

/* notify__reloading - until the next notify__ready(). @now_ns is CLOCK_MONOTONIC. */
void notify__reloading(struct notify *notify, uint64_t now_ns);

/* notify__stopping - an orderly end has begun. */
void notify__stopping(struct notify *notify);

/* notify__status - one line for people, in `systemctl status`; the same again is not sent. */
void notify__status(struct notify *notify, const char *fmt, ...) __printf_fmt(2, 3);

/*
 * notify__watchdog - tell the manager that the service works. Call it where the work is done, as
 * often as it is done: at most four messages per interval are sent.
 */
void notify__watchdog(struct notify *notify, uint64_t now_ns);

#endif /* GLEAKD_BASE_NOTIFY_H */
