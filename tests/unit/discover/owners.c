// SPDX-License-Identifier: Apache-2.0
/* Who gets the places for targets when there are not enough. */
#include "discover/owners.h"

#include <criterion/criterion.h>

#include "discover/discovery.h"
#include "discovery_steps.h"
#include "fake_proc.h"

static bool attached[100];
static int n_attached, n_detached;

static uint64_t boottime(void)
{
	return 1000 * NSEC_PER_SEC;
}

static int attach(void *ctx __maybe_unused, pid_t pid,
		  const struct process_origin *origin __maybe_unused,
		  struct failure *failure __maybe_unused)
{
	n_attached++;
	attached[pid] = true;
	return 0;
}

static void detach(void *ctx __maybe_unused, pid_t pid)
{
	n_detached++;
	attached[pid] = false;
}

static const struct discovery_ops ops = {.attach = attach, .detach = detach};

static void make(void)
{
	const struct discovery_options options = {
		.min_age_ns = DISCOVERY_DEFAULT_MIN_AGE,
		.max_targets = 6,
		.boottime = boottime,
		.proc_root = (fake_proc__make(), fake_proc__root()),
	};
	struct failure failure = {""};

	fake_exe__put("server", FAKE_GO);
	cr_assert_eq(discovery__new(&options, &ops, NULL, &d, &failure), 0, "%s", failure.text);
}

static void unmake(void)
{
	discovery__free(d);
	fake_proc__remove();
}

TestSuite(owners, .init = make, .fini = unmake);

static void put_of(int pid, unsigned int uid)
{
	const struct fake_process process = {.pid = pid, .exe = "server", .uid = uid};

	fake_process__put(&process);
}

/* A user with many targets makes room for those of users with fewer, down to as many as they have. */
Test(owners, places_are_divided_among_users)
{
	for (int pid = 10; pid < 18; pid++)
		put_of(pid, 1000);
	sweep(10);
	tick(10);
	cr_expect_eq(n_attached, 6);
	for (int pid = 20; pid < 28; pid++)
		put_of(pid, 1001);
	sweep(20);
	tick(23);
	cr_expect_eq(counts().states[DISCOVERY_ATTACHED], 6);
	cr_expect_eq(n_detached, 3);
	cr_expect_eq(counts().states[DISCOVERY_PAUSED], 10);
	/* One of root's, which makes room for nobody. */
	put_of(30, 0);
	sweep(30);
	tick(33);
	cr_expect(attached[30]);
	cr_expect_eq(n_detached, 4);
	for (int i = 4; i < 10; i++)
		tick(10 * i);
	cr_expect(attached[30]);
	cr_expect_leq(n_detached, 5, "they are not ousted to and fro: %d", n_detached);
	/* What was ousted comes in again when there is room. */
	for (int pid = 20; pid < 28; pid++) {
		fake_process__remove(pid);
		discovery__exit(d, pid, at(100));
	}
	tick(110);
	tick(120);
	n_attached = 0;
	for (int pid = 10; pid < 18; pid++)
		n_attached += attached[pid];
	cr_expect_eq(n_attached, 5);
}

Test(owners, who_yields)
{
	struct owners owners = {0};
	uid_t owner = 0;

	cr_expect_not(owners__who_yields(&owners, 1000, &owner));
	owners__add(&owners, 0);
	owners__add(&owners, 0);
	owners__add(&owners, 1000);
	cr_expect_not(owners__who_yields(&owners, 1001, &owner), "the last one of somebody");
	cr_expect_not(owners__who_yields(&owners, 0, &owner), "the last one of somebody");
	owners__add(&owners, 1000);
	cr_expect(owners__who_yields(&owners, 1001, &owner));
	cr_expect_eq(owner, 1000);
	cr_expect_not(owners__who_yields(&owners, 1000, &owner), "his own");
	owners__add(&owners, 1001);
	cr_expect_not(owners__who_yields(&owners, 1001, &owner), "he would have more");
	cr_expect(owners__who_yields(&owners, 0, &owner));
	owners__remove(&owners, 1000);
	owners__remove(&owners, 1000);
	owners__remove(&owners, 1000);
	cr_expect_not(owners__who_yields(&owners, 0, &owner));
	owners__clear(&owners);
}
