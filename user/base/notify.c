// SPDX-License-Identifier: Apache-2.0
#include "base/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/one_line.h"

/*
 * When the manager hangs, its queue is full. A change of state is worth waiting a moment for;
 * status and watchdog messages are sent again anyway.
 */
#define STATE_PATIENCE_US 500000

/*
 * sd_watchdog_enabled(3) recommends half the interval; with a quarter one turn of the loop may be
 * late.
 */
#define SIGNS_PER_INTERVAL 4

/* A longer interval than a day is a mistake. */
#define WATCHDOG_LIMIT_USEC (24ULL * 3600 * 1000000)

static bool parse_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!text || !*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
		if (number > max)
			return false;
	}
	*ret_number = number;
	return true;
}

/* sd_notify(3): a path, or an abstract socket with '@' for its NUL. Others (vsock) are for VMs. */
static bool parse_address(const char *text, struct notify *notify)
{
	struct sockaddr_un *address = &notify->address;
	size_t length = text ? strlen(text) : 0;

	if (length < 2 || length >= sizeof(address->sun_path) || (*text != '/' && *text != '@'))
		return false;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, text, length + 1);
	if (*text == '@')
		address->sun_path[0] = '\0';
	/* A path counts with its NUL; in an abstract name that would be one more character. */
	notify->address_size =
		(unsigned int)(offsetof(struct sockaddr_un, sun_path) + length + (*text == '/'));
	return true;
}

static uint64_t watchdog_interval(void)
{
	const char *pid_text = getenv("WATCHDOG_PID");
	uint64_t usec, pid;

	if (!parse_number(getenv("WATCHDOG_USEC"), WATCHDOG_LIMIT_USEC, &usec))
		return 0;
	/* Set for a service's main process and inherited from it. */
	if (pid_text && (!parse_number(pid_text, INT32_MAX, &pid) || pid != (uint64_t)getpid()))
		return 0;
	return usec * NSEC_PER_USEC;
}

static struct {
	struct notify notify;
	bool (*relay)(const char *message);
} parent;

void notify__inherit(struct notify *from, bool (*relay)(const char *message))
{
	parent.notify = *from;
	parent.notify.fd = -1;
	parent.notify.relayed = from->fd >= 0;
	parent.relay = relay;
	notify__close(from);
}

void notify__open(struct notify *ret_notify)
{
	const struct timeval patience = {.tv_usec = STATE_PATIENCE_US};
	struct notify notify = NOTIFY_NONE;

	if (parent.relay) {
		*ret_notify = parent.notify;
		return;
	}

	if (parse_address(getenv("NOTIFY_SOCKET"), &notify)) {
		notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		notify.watchdog_ns = watchdog_interval();
	}
	if (notify.fd >= 0)
		setsockopt(notify.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*ret_notify = notify;
}

void notify__close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	*notify = NOTIFY_NONE;
}

/*
 * Sends to the address each time: a connected socket would stay connected to the old manager when
 * the manager re-executes itself. Returns false when the message was not taken.
 */
static bool tell(struct notify *notify, int flags, const char *message)
{
	int saved_errno = errno;
	ssize_t sent;

	if (notify->relayed)
		return parent.relay(message);
	if (notify->fd < 0)
		return true;
	do {
		sent = sendto(notify->fd, message, strlen(message), flags | MSG_NOSIGNAL,
			      (const struct sockaddr *)&notify->address, notify->address_size);
	} while (sent < 0 && errno == EINTR);
	errno = saved_errno;
	return sent >= 0;
}

void notify__pass_on(struct notify *notify, const char *message)
{
	bool again = !strncmp(message, "STATUS=", 7) || !strncmp(message, "WATCHDOG=", 9);

	tell(notify, again ? MSG_DONTWAIT : 0, message);
}

void notify__ready(struct notify *notify)
{
	tell(notify, 0, "READY=1");
}

void notify__reloading(struct notify *notify, uint64_t now_ns)
{
	char message[64];

	/* systemd 253 and later compares the time with that of its request. */
	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 now_ns / NSEC_PER_USEC);
	tell(notify, 0, message);
}

void notify__stopping(struct notify *notify)
{
	tell(notify, 0, "STOPPING=1");
}

void notify__status(struct notify *notify, const char *fmt, ...)
{
	char text[sizeof(notify->status)], clean[sizeof(notify->status)];
	char message[sizeof("STATUS=") + sizeof(clean)];
	va_list ap;

	if (notify->fd < 0 && !notify->relayed)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	one_line__copy(clean, sizeof(clean), text);
	if (!strcmp(clean, notify->status))
		return;
	snprintf(message, sizeof(message), "STATUS=%s", clean);
	if (tell(notify, MSG_DONTWAIT, message))
		memcpy(notify->status, clean, sizeof(clean));
}

void notify__watchdog(struct notify *notify, uint64_t now_ns)
{
	if (!notify->watchdog_ns || now_ns < notify->next_watchdog_ns)
		return;
	/* A message that was not taken is sent again at the next turn. */
	if (tell(notify, MSG_DONTWAIT, "WATCHDOG=1"))
		notify->next_watchdog_ns = now_ns + notify->watchdog_ns / SIGNS_PER_INTERVAL;
}
