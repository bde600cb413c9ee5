// SPDX-License-Identifier: Apache-2.0
#include "host/quarantine.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/access_guard.h"

static pid_t child(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	cr_assert_gt(pid, 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(quarantine, a_process_for_a_while)
{
	struct quarantine quarantine = {.n = 0};
	pid_t one = child(), other = child();

	cr_expect_not(quarantine__has(&quarantine, one, 1));
	quarantine__put(&quarantine, one, 1);
	cr_expect(quarantine__has(&quarantine, one, 2));
	cr_expect_not(quarantine__has(&quarantine, other, 2));
	cr_expect_eq(quarantine__count(&quarantine, 2), 1);
	cr_expect(quarantine__has(&quarantine, one, ACCESS_GUARD_QUARANTINE_NS));
	cr_expect_not(quarantine__has(&quarantine, one, ACCESS_GUARD_QUARANTINE_NS + 1));
	cr_expect_eq(quarantine__count(&quarantine, ACCESS_GUARD_QUARANTINE_NS + 1), 0);
	end(one);
	end(other);
}

Test(quarantine, many_of_a_user_are_all_of_them)
{
	struct quarantine quarantine = {.n = 0};
	const uid_t users[] = {4000, 4001};
	pid_t own = child();

	for (uint32_t i = 0; i < QUARANTINE_STRIKES; i++) {
		/* That have ended meanwhile. */
		for (size_t user = 0; user < ARRAY_SIZE(users) - (i == 0); user++)
			quarantine.entries[quarantine.n++] = (struct quarantine_entry){
				.id = {1 << 30, i}, .owner = users[user], .until_ns = 100};
	}
	cr_expect_not(quarantine__has(&quarantine, own, 2), "another's");
	for (size_t i = 0; i < quarantine.n; i++) {
		if (quarantine.entries[i].owner == users[0])
			quarantine.entries[i].owner = getuid();
	}
	/* What is root's is never taken together. */
	cr_expect_eq(quarantine__has(&quarantine, own, 2), getuid() != 0);
	end(own);
}

/* Else a user could have some more of those who look wait each time that the while is over. */
Test(quarantine, its_time_does_not_pass_while_somebody_waits)
{
	const uint64_t later = 10 * ACCESS_GUARD_QUARANTINE_NS;
	struct quarantine quarantine = {.n = 0};
	pid_t one = child();
	struct process_id id = quarantine__put(&quarantine, one, 1);

	quarantine__waits(&quarantine, id);
	for (uint64_t i = 0; i < 3 * QUARANTINE_MAX; i++)
		quarantine__put(&quarantine, getpid(), 1 + i);
	cr_expect(quarantine__has(&quarantine, one, later));
	cr_expect_eq(quarantine__count(&quarantine, later), 1, "of the others it is over");
	quarantine__answered(&quarantine, id, later);
	cr_expect(quarantine__has(&quarantine, one, later + ACCESS_GUARD_QUARANTINE_NS - 1));
	cr_expect_not(quarantine__has(&quarantine, one, later + ACCESS_GUARD_QUARANTINE_NS));
	end(one);
}

/* So that there is still somebody who can look at what others run. */
Test(quarantine, the_hosts_own_while_half_of_all_wait_for_it)
{
	struct quarantine quarantine = {.n = 0};
	pid_t own = child();

	for (uint64_t i = 1; i < QUARANTINE_HOST_WAITS; i++)
		quarantine.entries[quarantine.n++] = (struct quarantine_entry){
			.id = {1 << 30, i}, .owner = 0, .until_ns = 100, .waits = 1};
	cr_expect_not(quarantine__has(&quarantine, own, 2));
	quarantine.entries[0].waits++;
	cr_expect_eq(quarantine__has(&quarantine, own, 2), getuid() == 0);
	end(own);
}

Test(quarantine, the_oldest_make_room)
{
	struct quarantine quarantine = {.n = 0};
	pid_t pid = child();

	for (uint64_t i = 0; i < 3 * QUARANTINE_MAX; i++)
		quarantine__put(&quarantine, pid, 1 + i);
	cr_expect_eq(quarantine__count(&quarantine, 500), QUARANTINE_MAX);
	cr_expect(quarantine__has(&quarantine, pid, 500));
	end(pid);
}

Test(quarantine, what_was_known_before_goes_on)
{
	struct quarantine before = {.n = 0}, quarantine = {.n = 0};
	pid_t one = child();
	struct quarantine_entry entry;

	quarantine__put(&before, one, 1);
	entry = before.entries[0];
	quarantine__resume(&quarantine, &entry, 7);
	quarantine__resume(&quarantine, &entry, 7);
	cr_expect_eq(quarantine__count(&quarantine, 7), 1, "once");
	cr_expect(quarantine__has(&quarantine, one, ACCESS_GUARD_QUARANTINE_NS));
	cr_expect_not(quarantine__has(&quarantine, one, ACCESS_GUARD_QUARANTINE_NS + 1));
	entry.id.start_time++;
	quarantine__resume(&quarantine, &entry, 7);
	cr_expect_not(quarantine__has(&(struct quarantine){.entries = {entry}, .n = 1}, one, 7),
		      "it was another process");
	entry.until_ns = UINT64_MAX;
	entry.id.start_time++;
	quarantine__resume(&quarantine, &entry, 7);
	cr_expect_eq(quarantine__count(&quarantine, 8 + ACCESS_GUARD_QUARANTINE_NS), 0,
		     "not for longer than from now on");
	for (uint64_t i = 0; i < 2 * QUARANTINE_MAX; i++) {
		entry.id.start_time = 1000 + i;
		quarantine__resume(&quarantine, &entry, 7);
	}
	cr_expect_eq(quarantine__count(&quarantine, 7), QUARANTINE_MAX);
	end(one);
}
