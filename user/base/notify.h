/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_NOTIFY_H
#define GLEAKD_BASE_NOTIFY_H

/*
 * What a service tells the service manager: datagrams to $NOTIFY_SOCKET, as sd_notify(3) says. Without
 * that variable, as at a terminal, all of this does nothing. Nothing here fails: a manager that does
 * not listen must not end the program it is to look after.
 */
#include <sys/un.h>

#include "base/common.h"

struct notify {
	int fd; /* -1: nobody to tell */
	struct sockaddr_un address;
	unsigned int address_size;
	uint64_t watchdog_ns;	   /* what the manager waits for a sign of life; 0: it does not */
	uint64_t next_watchdog_ns; /* not before, CLOCK_MONOTONIC */
	uint64_t lost;		   /* messages that could not be sent */
	char status[256];	   /* the last one sent */
};

#define NOTIFY_NONE ((struct notify){.fd = -1})

/*
 * notify__open - from $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, which are gone from the
 * environment afterwards. What cannot be understood counts as absent.
 */
void notify__open(struct notify *ret_notify);
void notify__close(struct notify *notify);

/* notify__ready - started, or done with reloading. */
void notify__ready(struct notify *notify);

/* notify__reloading - until the next notify__ready(). @now_ns is CLOCK_MONOTONIC. */
void notify__reloading(struct notify *notify, uint64_t now_ns);

/* notify__stopping - an orderly end has begun. */
void notify__stopping(struct notify *notify);

/* notify__status - one line for people, in `systemctl status`; the same again is not sent. */
void notify__status(struct notify *notify, const char *fmt, ...) __printf_fmt(2, 3);

/*
 * notify__watchdog - a sign of life. To be called where the work is done, as often as it is done: a
 * message leaves four times per interval at most.
 */
void notify__watchdog(struct notify *notify, uint64_t now_ns);

#endif /* GLEAKD_BASE_NOTIFY_H */
