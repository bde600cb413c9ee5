// SPDX-License-Identifier: Apache-2.0
#include "base/notify.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The manager's end. Tests are processes of their own, so the pid makes the name unique. */
static int manager = -1;
static char path[108];

static void listen_at(const char *prefix)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length;

	snprintf(path, sizeof(path), "%s%d", prefix, getpid());
	length = strlen(path);
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_geq(manager, 0);
	cr_assert_eq(bind(manager, (struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
		     0);
	setenv("NOTIFY_SOCKET", path, 1);
}

static void end_manager(void)
{
	close(manager);
	if (path[0] == '/')
		unlink(path);
}

/* The next message, "" when there is none. */
static const char *heard(void)
{
	static char text[4096];
	ssize_t size = recv(manager, text, sizeof(text) - 1, 0);

	if (size < 0) {
		cr_assert_eq(errno, EAGAIN);
		size = 0;
	}
	text[size] = '\0';
	return text;
}

static void set_watchdog(const char *usec, const char *pid)
{
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	else
		unsetenv("WATCHDOG_PID");
}

static void check_states(const char *prefix)
{
	struct notify notify;

	unsetenv("WATCHDOG_USEC");
	listen_at(prefix);
	notify__open(&notify);
	cr_assert_geq(notify.fd, 0);
	notify__ready(&notify);
	cr_expect_str_eq(heard(), "READY=1");
	notify__reloading(&notify, 123456789999ULL);
	cr_expect_str_eq(heard(), "RELOADING=1\nMONOTONIC_USEC=123456789");
	notify__stopping(&notify);
	cr_expect_str_eq(heard(), "STOPPING=1");
	cr_expect_str_eq(heard(), "");
	notify__close(&notify);
	cr_expect_lt(notify.fd, 0);
	end_manager();
}

Test(notify, states)
{
	check_states("/tmp/gleakd-notify-");
}

Test(notify, states_over_an_abstract_socket)
{
	check_states("@gleakd-notify-");
}

Test(notify, nobody_listens)
{
	struct notify notify;

	unsetenv("NOTIFY_SOCKET");
	set_watchdog("30000000", NULL);
	notify__open(&notify);
	cr_expect_lt(notify.fd, 0);
	cr_expect_eq(notify.watchdog_ns, 0);
	notify__ready(&notify);
	notify__status(&notify, "%d", 1);
	notify__watchdog(&notify, 1);
	notify__close(&notify);
	notify__close(&notify);
}

Test(notify, addresses_that_are_none)
{
	char long_path[200];
	const char *const bad[] = {"", "/", "@", "relative", "vsock:2:1", long_path};
	struct notify notify;

	memset(long_path, 'x', sizeof(long_path));
	long_path[0] = '/';
	long_path[108] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		notify__open(&notify);
		cr_expect_lt(notify.fd, 0, "'%s'", bad[i]);
	}
}

Test(notify, the_environment_is_not_handed_on)
{
	struct notify notify;

	listen_at("@gleakd-notify-");
	set_watchdog("1000", "1");
	notify__open(&notify);
	cr_expect_null(getenv("NOTIFY_SOCKET"));
	cr_expect_null(getenv("WATCHDOG_USEC"));
	cr_expect_null(getenv("WATCHDOG_PID"));
	notify__close(&notify);
	end_manager();
}

/* --- status ------------------------------------------------------------------------------------- */

Test(notify, a_status_is_sent_when_it_changes)
{
	struct notify notify;

	listen_at("@gleakd-notify-");
	notify__open(&notify);
	notify__status(&notify, "watching %d processes", 3);
	cr_expect_str_eq(heard(), "STATUS=watching 3 processes");
	notify__status(&notify, "watching %d processes", 3);
	cr_expect_str_eq(heard(), "");
	notify__status(&notify, "watching %d processes", 4);
	cr_expect_str_eq(heard(), "STATUS=watching 4 processes");
	notify__close(&notify);
	end_manager();
}

Test(notify, a_status_is_one_line)
{
	char expected[300] = "STATUS=", text[300];
	struct notify notify;

	listen_at("@gleakd-notify-");
	notify__open(&notify);
	notify__status(&notify, "%s", "evil\nREADY=1\xff");
	cr_expect_str_eq(heard(), "STATUS=evil READY=1\xef\xbf\xbd");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(expected + strlen("STATUS="), 'x', sizeof(notify.status) - 1);
	notify__status(&notify, "%s", text);
	cr_expect_str_eq(heard(), expected);
	notify__close(&notify);
	end_manager();
}

/* --- watchdog ----------------------------------------------------------------------------------- */

static uint64_t watchdog_of(const char *usec, const char *pid)
{
	struct notify notify;
	uint64_t ns;

	setenv("NOTIFY_SOCKET", "@gleakd-nobody", 1);
	set_watchdog(usec, pid);
	notify__open(&notify);
	ns = notify.watchdog_ns;
	notify__close(&notify);
	return ns;
}

Test(notify, watchdog_intervals)
{
	char own[16], other[16];

	snprintf(own, sizeof(own), "%d", getpid());
	snprintf(other, sizeof(other), "%d", getpid() + 1);
	cr_expect_eq(watchdog_of("30000000", NULL), 30 * NSEC_PER_SEC);
	cr_expect_eq(watchdog_of("30000000", own), 30 * NSEC_PER_SEC);
	cr_expect_eq(watchdog_of("30000000", other), 0);
	cr_expect_eq(watchdog_of("30000000", ""), 0);
	cr_expect_eq(watchdog_of("30000000", "x"), 0);
	cr_expect_eq(watchdog_of("0", NULL), 0);
	cr_expect_eq(watchdog_of("", NULL), 0);
	cr_expect_eq(watchdog_of("-1", NULL), 0);
	cr_expect_eq(watchdog_of("30s", NULL), 0);
	cr_expect_eq(watchdog_of("86400000000", NULL), 86400 * NSEC_PER_SEC);
	cr_expect_eq(watchdog_of("86400000001", NULL), 0);
	cr_expect_eq(watchdog_of("99999999999999999999999999", NULL), 0);
}

static size_t signs_of_life(void)
{
	const char *text;
	size_t n = 0;

	while (*(text = heard())) {
		cr_assert_str_eq(text, "WATCHDOG=1");
		n++;
	}
	return n;
}

Test(notify, signs_of_life_leave_four_times_an_interval)
{
	struct notify notify;

	listen_at("@gleakd-notify-");
	set_watchdog("8000000", NULL);
	notify__open(&notify);
	for (uint64_t ms = 0; ms < 16000; ms += 10) {
		notify__watchdog(&notify, NSEC_PER_SEC + ms * NSEC_PER_MSEC);
		if (ms % 1000 == 0)
			cr_expect_eq(signs_of_life(), ms % 2000 == 0, "at %d ms", (int)ms);
	}
	notify__close(&notify);
	end_manager();
}

Test(notify, no_watchdog_no_sign)
{
	struct notify notify;

	listen_at("@gleakd-notify-");
	unsetenv("WATCHDOG_USEC");
	notify__open(&notify);
	notify__watchdog(&notify, NSEC_PER_SEC);
	cr_expect_str_eq(heard(), "");
	notify__close(&notify);
	end_manager();
}

/* --- a manager in trouble ----------------------------------------------------------------------- */

/*
 * Until a status is not taken, which would be kept as the last one sent: how many were. The kernel's
 * default is 10 messages.
 */
static size_t fill_queue(struct notify *notify)
{
	size_t n = 0;

	while (n < 100000) {
		notify__status(notify, "%zu", n);
		if (strtoul(notify->status, NULL, 10) != n)
			break;
		n++;
	}
	return n;
}

Test(notify, a_full_queue_neither_blocks_nor_fails)
{
	struct notify notify;

	listen_at("@gleakd-notify-");
	set_watchdog("8000000", NULL);
	notify__open(&notify);
	cr_assert_gt(fill_queue(&notify), 0);
	errno = 0;
	notify__watchdog(&notify, NSEC_PER_SEC);
	notify__status(&notify, "busy");
	cr_expect_eq(errno, 0);
	while (*heard())
		continue;
	/* What was lost is said again as soon as somebody listens. */
	notify__watchdog(&notify, NSEC_PER_SEC + 1);
	cr_expect_str_eq(heard(), "WATCHDOG=1");
	notify__status(&notify, "busy");
	cr_expect_str_eq(heard(), "STATUS=busy");
	notify__close(&notify);
	end_manager();
}

Test(notify, a_state_does_not_wait_for_ever)
{
	struct notify notify;
	size_t n;

	listen_at("@gleakd-notify-");
	notify__open(&notify);
	n = fill_queue(&notify);
	cr_assert_gt(n, 0);
	notify__ready(&notify);
	while (n--)
		cr_assert_eq(strncmp(heard(), "STATUS=", strlen("STATUS=")), 0);
	cr_expect_str_eq(heard(), "", "what was not taken is given up");
	notify__close(&notify);
	end_manager();
}

Test(notify, a_manager_that_is_gone_and_comes_back)
{
	struct notify notify;

	listen_at("/tmp/gleakd-notify-");
	notify__open(&notify);
	end_manager();
	notify__ready(&notify);
	listen_at("/tmp/gleakd-notify-");
	notify__ready(&notify);
	cr_expect_str_eq(heard(), "READY=1");
	notify__close(&notify);
	end_manager();
}
