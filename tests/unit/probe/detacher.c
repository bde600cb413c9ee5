// SPDX-License-Identifier: Apache-2.0
/* A link is a descriptor; the other end of a pipe tells when it is closed. */
#include "probe/detacher.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define N 50

static struct detacher *detacher;
static int ends[N][PROBE_EVENT_COUNT];

static void set_up(void)
{
	cr_assert_eq(detacher__new(&detacher), 0);
}

TestSuite(detacher, .init = set_up);

static struct detachment make(size_t index, pid_t pid, bool gives_slot)
{
	struct detachment detachment = {.pid = pid, .gives_slot = gives_slot, .slot = index};

	for (int event = 0; event < PROBE_EVENT_COUNT; event++) {
		int fds[2];

		cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
		ends[index][event] = fds[0];
		detachment.links[event] = (struct probe_link){.attached = true, .fd = fds[1]};
	}
	return detachment;
}

static bool is_closed(int end)
{
	struct pollfd poll_fd = {.fd = end};

	return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLHUP;
}

static size_t n_closed(size_t n)
{
	size_t closed = 0;

	for (size_t i = 0; i < n; i++)
		for (int event = 0; event < PROBE_EVENT_COUNT; event++)
			closed += is_closed(ends[i][event]);
	return closed;
}

Test(detacher, all_are_gone_after_a_wait)
{
	struct detachment detachments[N];

	for (size_t i = 0; i < N; i++)
		detachments[i] = make(i, 7 + (pid_t)i, false);
	cr_expect_eq(n_closed(N), 0);
	for (size_t i = 0; i < N; i++)
		detacher__take(detacher, &detachments[i]);
	detacher__wait(detacher, 0);
	cr_expect_eq(n_closed(N), N * PROBE_EVENT_COUNT);
	detacher__free(detacher);
}

Test(detacher, all_are_gone_when_it_is_freed)
{
	for (size_t i = 0; i < N; i++) {
		struct detachment detachment = make(i, 7, true);

		detacher__take(detacher, &detachment);
	}
	detacher__free(detacher);
	cr_expect_eq(n_closed(N), N * PROBE_EVENT_COUNT);
}

Test(detacher, one_process_can_be_waited_for)
{
	struct detachment mine = make(0, 7, false), other = make(1, 8, false);

	detacher__take(detacher, &mine);
	detacher__take(detacher, &other);
	detacher__wait(detacher, 7);
	cr_expect_eq(n_closed(1), PROBE_EVENT_COUNT);
	detacher__wait(detacher, 9); /* of whom there are none */
	detacher__free(detacher);
}

Test(detacher, slots_come_back_once_and_only_when_all_links_are_gone)
{
	bool seen[N] = {false};
	size_t slot, n = 0;

	for (size_t i = 0; i < N; i++) {
		struct detachment detachment = make(i, 7, i % 2);

		detacher__take(detacher, &detachment);
		while (detacher__slot(detacher, &slot)) {
			for (int event = 0; event < PROBE_EVENT_COUNT; event++)
				cr_expect(is_closed(ends[slot][event]));
			cr_expect(!seen[slot] && slot % 2);
			seen[slot] = true;
			n++;
		}
	}
	detacher__wait(detacher, 0);
	while (detacher__slot(detacher, &slot))
		n++;
	cr_expect_eq(n, N / 2);
	cr_expect_not(detacher__slot(detacher, &slot));
	detacher__free(detacher);
}

Test(detacher, without_links_the_slot_comes_back_at_once)
{
	struct detachment nothing = {.pid = 7, .gives_slot = true, .slot = 3};
	size_t slot = 0;

	detacher__take(detacher, &nothing);
	detacher__wait(detacher, 7);
	cr_expect(detacher__slot(detacher, &slot));
	cr_expect_eq(slot, 3);
	detacher__free(detacher);
}
