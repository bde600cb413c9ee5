// SPDX-License-Identifier: Apache-2.0
#include "host/starter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/common.h"

#define LONG_NS (30 * NSEC_PER_SEC)

static struct starter *start(const char *script)
{
	char shell[] = "/bin/sh", option[] = "-c", text[256];
	char *argv[] = {shell, option, text, NULL};
	struct starter_user user;
	struct starter *starter;
	struct failure failure;

	snprintf(text, sizeof(text), "%s", script);
	cr_assert_eq(starter_user__find(NULL, &user, &failure), 0);
	user.change = false;
	cr_assert_eq(starter__new(argv, &user, &starter), 0);
	return starter;
}

Test(starter, one_that_ends_first_says_how)
{
	struct starter *starter = start("exit 3");
	struct failure failure;
	int status;
	bool held;
	pid_t pid;

	cr_expect_eq(starter__wait(starter, LONG_NS, &pid, &held, &failure), -ECHILD);
	cr_assert(starter__status(starter, &status));
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	starter__free(starter);
}

Test(starter, what_is_no_program)
{
	char name[] = "/nonexistent/program";
	char *argv[] = {name, NULL};
	struct starter_user user = {.uid = geteuid(), .gid = getegid()};
	struct starter *starter;
	struct failure failure;
	bool held;
	pid_t pid;

	cr_assert_eq(starter__new(argv, &user, &starter), 0);
	cr_expect_eq(starter__wait(starter, LONG_NS, &pid, &held, &failure), -ENOENT);
	cr_expect_str_eq(failure.text,
			 "cannot run /nonexistent/program: No such file or directory");
	starter__free(starter);
}

Test(starter, one_that_never_has_a_thread_is_ended)
{
	struct starter *starter = start("trap 'exit 7' TERM; while :; do sleep 0.05; done");
	struct failure failure;
	bool held, killed = true;
	int status;
	pid_t pid;

	cr_expect_eq(starter__wait(starter, 300 * NSEC_PER_MSEC, &pid, &held, &failure),
		     -ETIMEDOUT);
	starter__end(starter, SIGTERM, &killed);
	cr_expect_not(killed);
	cr_assert(starter__status(starter, &status));
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status %#x", status);
	starter__free(starter);
}

Test(starter, whoever_asked_sudo)
{
	struct starter_user user;
	struct failure failure;

	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "23456", 1);
	cr_assert_eq(starter_user__find(NULL, &user, &failure), 0);
	/* Of whoever is not root it is only a word. */
	cr_expect_eq(user.uid, geteuid() ? geteuid() : 12345);
	cr_expect_eq(user.change, !geteuid());
	for (size_t i = 0; i < 4; i++) {
		static const char *const wrong[] = {"", "-1", "4294967295", "12x"};

		setenv("SUDO_UID", wrong[i], 1);
		cr_assert_eq(starter_user__find(NULL, &user, &failure), 0);
		cr_expect_eq(user.uid, geteuid(), "%s", wrong[i]);
	}
}

Test(starter, a_user_by_name_or_number)
{
	struct starter_user user;
	struct failure failure;

	cr_expect_eq(starter_user__find("no such user", &user, &failure), -ENOENT);
	cr_expect_str_eq(failure.text, "--user: there is no user 'no such user'");
	if (geteuid()) {
		cr_expect_eq(starter_user__find("root", &user, &failure), -EPERM);
		return;
	}
	cr_assert_eq(starter_user__find("0", &user, &failure), 0);
	cr_expect_not(user.change);
	cr_expect_str_eq(user.name, "root");
}
