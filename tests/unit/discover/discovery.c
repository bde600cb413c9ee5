// SPDX-License-Identifier: Apache-2.0
/* On trees made by fake_proc.c; times are seconds of a clock that only goes on when told to. */
#include "discover/discovery.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "discovery_steps.h"
#include "fake_proc.h"

#define SELF 4

/* Who is attached, by pid, and what was done. */
static bool attached[20000];
static int n_attached, n_detached, answer;
static enum discovery_state last_state;
static char last_reason[640], last_unit[CGROUP_UNIT_SIZE];
static int n_changed;

static uint64_t boot_seconds; /* now, on the clock of start times */

static uint64_t boottime(void)
{
	return boot_seconds * NSEC_PER_SEC;
}

static int attach(void *ctx, pid_t pid, const struct process_origin *origin,
		  struct failure *failure)
{
	cr_assert_eq(ctx, (void *)&attached);
	n_attached++;
	snprintf(last_unit, sizeof(last_unit), "%s", origin->unit);
	if (answer)
		return failure__set(failure, answer, "attach says %d", answer);
	cr_assert_not(attached[pid], "%d is attached already", pid);
	attached[pid] = true;
	return 0;
}

static void detach(void *ctx, pid_t pid)
{
	cr_assert_eq(ctx, (void *)&attached);
	cr_assert(attached[pid], "%d is not attached", pid);
	attached[pid] = false;
	n_detached++;
}

static void changed(void *ctx __maybe_unused, pid_t pid __maybe_unused, enum discovery_state state,
		    const char *reason)
{
	n_changed++;
	last_state = state;
	snprintf(last_reason, sizeof(last_reason), "%s", reason);
}

static const struct discovery_ops ops = {.attach = attach, .detach = detach, .changed = changed};

static void begin(struct discovery_options options)
{
	struct failure failure = {""};

	options.proc_root = fake_proc__root();
	options.self = SELF;
	options.boottime = boottime;
	if (!options.min_age_ns)
		options.min_age_ns = DISCOVERY_DEFAULT_MIN_AGE;
	cr_assert_eq(discovery__new(&options, &ops, &attached, &d, &failure), 0, "%s",
		     failure.text);
}

static void make(void)
{
	fake_proc__make();
	fake_exe__put("server", FAKE_GO);
	fake_exe__put("shell", FAKE_C);
	boot_seconds = 1000;
}

static void unmake(void)
{
	discovery__free(d);
	fake_proc__remove();
}

TestSuite(discovery, .init = make, .fini = unmake);

static void put(int pid, const char *exe)
{
	fake_process__put(&(struct fake_process){.pid = pid, .exe = exe, .start_seconds = 1});
}

/* --- beginning and end of processes -------------------------------------------------------------- */

Test(discovery, first_sweep_finds_go_programs)
{
	begin((struct discovery_options){0});
	put(1, "shell");
	put(2, NULL);
	put(3, "server");
	put(SELF, "server");
	put(5, "shell");
	sweep(10);
	cr_expect_eq(n_attached, 0, "a sweep attaches nothing");
	cr_expect_eq(discovery__next_ns(d), at(10));
	tick(10);
	cr_expect(attached[3]);
	cr_expect_eq(n_attached, 1);
	cr_expect_eq(counts().seen, 3, "neither the kernel's thread nor gleakd");
	cr_expect_eq(counts().rejected, 2);
	cr_expect_eq(counts().opened, 2, "each file once");
	cr_expect_eq(counts().found_by_sweep, 0);
	cr_expect_eq(counts().states[DISCOVERY_ATTACHED], 1);
	cr_expect_eq(last_state, DISCOVERY_ATTACHED);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX);
}

Test(discovery, exec_is_looked_at_when_it_is_old_enough)
{
	begin((struct discovery_options){0});
	sweep(10);
	put(7, "server");
	discovery__exec(d, 7, at(20));
	cr_expect_eq(discovery__next_ns(d), at(22));
	tick(21.9);
	cr_expect_eq(counts().looked_at, 0);
	sweep(21.9);
	cr_expect_eq(counts().looked_at, 0, "nor by a sweep");
	tick(22);
	cr_expect(attached[7]);
	cr_expect_eq(counts().found_by_sweep, 0);
	discovery__exec(d, SELF, at(23));
	discovery__exec(d, 0, at(23));
	discovery__exec(d, -1, at(23));
	cr_expect_eq(counts().seen, 1);
}

Test(discovery, exit_detaches_once_proc_agrees)
{
	begin((struct discovery_options){0});
	put(7, "server");
	sweep(10);
	tick(10);
	discovery__exit(d, 7, at(20));
	cr_expect(attached[7], "it is still there: on its way out, or it was about another");
	cr_expect_eq(discovery__next_ns(d), at(20.1));
	fake_process__put(&(struct fake_process){
		.pid = 7, .exe = "server", .start_seconds = 1, .zombie = true});
	tick(20.05);
	cr_expect(attached[7], "not due yet");
	tick(20.1);
	cr_expect_not(attached[7]);
	cr_expect_eq(counts().states[DISCOVERY_ATTACHED], 0);
	discovery__exit(d, 7, at(21));
	cr_expect_eq(n_detached, 1, "told twice");
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX);
}

Test(discovery, exit_of_somebody_else_changes_nothing)
{
	begin((struct discovery_options){0});
	put(7, "server");
	sweep(10);
	tick(10);
	discovery__exit(d, 7, at(20));
	discovery__exit(d, 7, at(20.01));
	for (double seconds = 20; seconds < 100; seconds += 0.1)
		tick(seconds);
	cr_expect(attached[7]);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX, "and is not asked about for ever");
	fake_process__remove(7);
	discovery__exit(d, 7, at(100));
	cr_expect_not(attached[7], "the next exit is believed at once");
}

Test(discovery, exit_that_was_lost_is_found_by_the_sweep)
{
	begin((struct discovery_options){0});
	put(7, "server");
	put(8, "shell");
	sweep(10);
	tick(10);
	fake_process__remove(7);
	fake_process__remove(8);
	sweep(20);
	cr_expect_not(attached[7]);
	cr_expect_eq(n_detached, 1);
}

Test(discovery, exec_that_was_lost_is_found_by_the_sweep)
{
	begin((struct discovery_options){0});
	sweep(10);
	put(7, "server");
	put(8, "shell");
	sweep(20);
	cr_expect_eq(discovery__next_ns(d), at(22), "it may be between fork and exec");
	tick(22);
	cr_expect(attached[7]);
	cr_expect_eq(counts().found_by_sweep, 2);
	sweep(30);
	cr_expect_eq(counts().found_by_sweep, 2);
	cr_expect_eq(counts().seen, 2);
}

Test(discovery, short_lived_processes_cost_nothing)
{
	begin((struct discovery_options){0});
	sweep(10);
	for (int i = 0; i < 10000; i++) {
		double now = 10 + i / 1000.0;

		put(7, "server");
		discovery__exec(d, 100 + i, at(now));
		if (i % 100 == 0)
			sweep(now);
		tick(now);
		discovery__exit(d, 100 + i, at(now + 0.1));
	}
	fake_process__remove(7);
	sweep(30);
	tick(30);
	cr_expect_eq(counts().opened, 1, "of process 7, which stays");
	cr_expect_eq(n_attached, 1);
}

/* --- identity ------------------------------------------------------------------------------------ */

Test(discovery, reuse_of_a_pid_by_the_same_program)
{
	begin((struct discovery_options){0});
	put(7, "server");
	sweep(10);
	tick(10);
	fake_process__put(&(struct fake_process){.pid = 7, .exe = "server", .start_seconds = 500});
	sweep(20);
	cr_expect_not(attached[7], "what is there now was never attached to");
	tick(22);
	cr_expect(attached[7]);
	cr_expect_eq(n_attached, 2);
	cr_expect(counts().opened == 1 && counts().seen == 2);
}

Test(discovery, reuse_told_by_events)
{
	begin((struct discovery_options){0});
	put(7, "server");
	sweep(10);
	tick(10);
	fake_process__put(&(struct fake_process){.pid = 7, .exe = "shell", .start_seconds = 500});
	discovery__exit(d, 7, at(20));
	cr_expect_not(attached[7]);
	discovery__exec(d, 7, at(20.001));
	tick(23);
	cr_expect_eq(n_attached, 1);
	cr_expect_eq(counts().rejected, 1);
}

Test(discovery, exec_into_another_program_and_back)
{
	begin((struct discovery_options){0});
	put(7, "server");
	sweep(10);
	tick(10);
	put(7, "shell");
	discovery__exec(d, 7, at(20));
	cr_expect_not(attached[7]);
	tick(22);
	cr_expect_eq(n_attached, 1);
	put(7, "server");
	sweep(30); /* this one nobody told */
	tick(32);
	cr_expect(attached[7]);
	put(7, "shell");
	sweep(40);
	cr_expect_not(attached[7]);
	tick(42);
	cr_expect_eq(n_attached, 2);
}

Test(discovery, exec_that_is_told_late_is_known)
{
	begin((struct discovery_options){0});
	put(7, "server");
	sweep(10);
	tick(10);
	discovery__exec(d, 7, at(9.9));
	cr_expect(attached[7]);
	discovery__exec(d, 7, at(10.1));
	cr_expect_not(attached[7], "the same file again is another life");
	tick(13);
	cr_expect(attached[7]);
}

Test(discovery, upgrade_in_place)
{
	begin((struct discovery_options){0});
	put(7, "server");
	put(8, "shell");
	sweep(10);
	tick(10);
	/* Taking the name away changes the ctime of what the process runs. */
	fake_exe__rename("server", "server.old");
	fake_exe__rename("shell", "shell.old");
	fake_exe__put("server", FAKE_GO);
	put(7, "server.old");
	put(8, "shell.old");
	put(9, "server");
	discovery__exec(d, 9, at(20));
	sweep(21);
	tick(23);
	cr_expect_eq(n_detached, 0, "it still runs what it ran");
	cr_expect(attached[7] && attached[9]);
	cr_expect_eq(counts().opened, 4, "the new file, and the shell's once more");
	cr_expect_eq(counts().states[DISCOVERY_ATTACHED], 2);
}

Test(discovery, file_that_changes_under_its_name)
{
	begin((struct discovery_options){0});
	put(7, "shell");
	sweep(10);
	tick(10);
	put(7, "shell");
	fake_exe__put("shell", FAKE_GO);
	sweep(20);
	tick(22);
	cr_expect(attached[7], "another inode: another program");
}

/* --- files --------------------------------------------------------------------------------------- */

Test(discovery, each_kind_of_file)
{
	begin((struct discovery_options){0});
	fake_exe__put("script", FAKE_SCRIPT);
	fake_exe__put("unknown", FAKE_UNKNOWN);
	fake_exe__put("gccgo", FAKE_GCCGO);
	put(1, "script");
	put(2, "unknown");
	put(3, "gccgo");
	put(4000, "shell");
	answer = -ENOEXEC;
	sweep(10);
	tick(10);
	cr_expect_eq(n_attached, 2, "only an attach can tell what it is");
	cr_expect_eq(counts().rejected, 3, "nothing says that the unknown one is Go");
	cr_expect_eq(counts().states[DISCOVERY_UNSUPPORTED], 1);
	cr_expect_str_eq(last_reason, "attach says -8");
}

Test(discovery, unsupported_is_remembered_by_file)
{
	begin((struct discovery_options){0});
	answer = -EOPNOTSUPP;
	put(7, "server");
	sweep(10);
	tick(10);
	put(8, "server");
	discovery__exec(d, 8, at(20));
	tick(22);
	cr_expect_eq(n_attached, 1);
	cr_expect_eq(counts().states[DISCOVERY_UNSUPPORTED], 2);
	cr_expect(strstr(last_reason, "process 7"), "%s", last_reason);
	sweep(30);
	tick(1000);
	cr_expect_eq(n_attached, 1);
	cr_expect_eq(n_changed, 2);
	answer = 0;
	fake_exe__put("server", FAKE_GO);
	put(9, "server");
	discovery__exec(d, 9, at(1001));
	tick(1003);
	cr_expect(attached[9], "a new version may do");
}

Test(discovery, file_that_could_hold_us_up)
{
	begin((struct discovery_options){0});
	fake_process__put(&(struct fake_process){.pid = 7, .exe = "server", .on_fuse = true});
	sweep(10);
	tick(10);
	cr_expect_eq(counts().opened, 0);
	cr_expect_eq(counts().may_block, 1);
	cr_expect_eq(n_attached, 0);
}

Test(discovery, files_that_make_room)
{
	struct exe_cache *files;
	char name[24];

	cr_assert_eq(exe_cache__new(8, &files), 0);
	begin((struct discovery_options){.files = files});
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "shell%d", i);
		fake_exe__put(name, FAKE_C);
		put(10 + i, name);
	}
	sweep(10);
	tick(10);
	cr_expect(counts().opened == 20 && counts().files == 8);
	cr_expect_eq(counts().files_evicted, 12);
	sweep(20);
	tick(30);
	cr_expect_eq(counts().opened, 20, "who still runs the same file is not asked again");
	put(50, "shell0");
	discovery__exec(d, 50, at(30));
	tick(32);
	cr_expect_eq(counts().opened, 21);
	exe_cache__free(files);
}

/* --- attaching that fails ------------------------------------------------------------------------ */

Test(discovery, retry_with_longer_and_longer_breaks)
{
	static const double expected[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
	double now = 10;

	begin((struct discovery_options){0});
	answer = -EAGAIN;
	put(7, "server");
	sweep(now);
	tick(now);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		cr_assert_eq(discovery__next_ns(d), at(now + expected[i]), "%zu", i);
		tick(now + expected[i] - 0.001);
		cr_assert_eq(n_attached, (int)i + 1);
		now += expected[i];
		tick(now);
		cr_assert_eq(n_attached, (int)i + 2);
	}
	cr_expect_eq(n_changed, 1, "told once");
	cr_expect_eq(last_state, DISCOVERY_FAILED);
	cr_expect_eq(counts().states[DISCOVERY_FAILED], 1);
	cr_expect_eq(counts().attach_failures, counts().attach_attempts);
	answer = 0;
	tick(now + 300);
	cr_expect(attached[7]);
	cr_expect_eq(last_state, DISCOVERY_ATTACHED);
	cr_expect_eq(counts().states[DISCOVERY_FAILED], 0);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX);
}

Test(discovery, no_room)
{
	begin((struct discovery_options){0});
	answer = -ENOSPC;
	put(7, "server");
	sweep(10);
	tick(10);
	for (uint64_t now = 20; now < 1000; now += 10) {
		cr_expect_eq(counts().states[DISCOVERY_PAUSED], 1);
		cr_assert_eq(discovery__next_ns(d), at(now), "asked for at a steady pace");
		tick(now);
	}
	cr_expect_eq(n_changed, 1, "told once");
	cr_expect_eq(counts().attach_attempts, 0);
	answer = -ESRCH;
	tick(1000);
	cr_expect_eq(counts().states[DISCOVERY_PAUSED], 0, "it has ended");
	cr_expect_eq(counts().attach_failures, 0);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX);
}

Test(discovery, limit_of_targets)
{
	begin((struct discovery_options){.max_targets = 2});
	put(7, "server");
	put(8, "server");
	put(9, "server");
	sweep(10);
	tick(10);
	cr_expect_eq(n_attached, 2);
	cr_expect_eq(counts().states[DISCOVERY_PAUSED], 1);
	cr_expect(strstr(last_reason, "2 processes"), "%s", last_reason);
	tick(20);
	cr_expect_eq(n_attached, 2);
	fake_process__remove(7);
	discovery__exit(d, 7, at(21));
	tick(30);
	cr_expect_eq(n_attached, 3);
	cr_expect(attached[9]);
	cr_expect_eq(counts().states[DISCOVERY_PAUSED], 0);
}

Test(discovery, a_tick_attaches_one)
{
	begin((struct discovery_options){0});
	for (int pid = 10; pid < 15; pid++)
		put(pid, "server");
	sweep(10);
	for (int i = 1; i <= 5; i++) {
		cr_expect_eq(discovery__tick(d, at(10)), i < 5);
		cr_expect_eq(n_attached, i);
	}
}

Test(discovery, table_that_is_full)
{
	begin((struct discovery_options){.max_processes = 3});
	for (int pid = 10; pid < 15; pid++)
		put(pid, "shell");
	put(20, "server");
	sweep(10);
	tick(10);
	cr_expect_eq(counts().refused, 3);
	cr_expect_eq(counts().seen, 3);
	fake_process__remove(10);
	sweep(20);
	sweep(30);
	tick(32);
	cr_expect_eq(counts().seen, 4, "who goes makes room");
}

/* --- selection ----------------------------------------------------------------------------------- */

Test(discovery, minimum_age_counts_from_the_start)
{
	begin((struct discovery_options){.min_age_ns = 60 * NSEC_PER_SEC});
	put(7, "server");
	fake_process__put(&(struct fake_process){.pid = 8, .exe = "server", .start_seconds = 990});
	sweep(10);
	tick(10);
	cr_expect(attached[7], "started long ago");
	cr_expect_not(attached[8]);
	cr_expect_eq(discovery__next_ns(d), at(60), "10 of its 60 seconds are over");
	boot_seconds += 50;
	tick(60);
	cr_expect(attached[8]);
}

Test(discovery, selection_by_unit_and_user)
{
	static const char *const units[] = {"shop.service"}, *const excluded[] = {"user:7"};

	begin((struct discovery_options){.select = {.unit = {units, 1}, .exclude = {excluded, 1}}});
	fake_process__put(&(struct fake_process){
		.pid = 10, .exe = "server", .cgroup = "0::/system.slice/shop.service\n"});
	fake_process__put(&(struct fake_process){
		.pid = 11, .exe = "server", .cgroup = "0::/system.slice/shop.service\n", .uid = 7});
	fake_process__put(&(struct fake_process){
		.pid = 12, .exe = "server", .cgroup = "0::/system.slice/other.service\n"});
	put(13, "server");
	sweep(10);
	tick(10);
	cr_expect(attached[10]);
	cr_expect_str_eq(last_unit, "shop.service");
	cr_expect_eq(n_attached, 1);
	cr_expect_eq(counts().rejected, 3);
	/* Another life of a pid may be wanted. */
	fake_process__put(&(struct fake_process){.pid = 12,
						 .exe = "server",
						 .cgroup = "0::/system.slice/shop.service\n",
						 .start_seconds = 500});
	sweep(20);
	tick(22);
	cr_expect(attached[12]);
}

Test(discovery, options_that_make_no_sense)
{
	static const char *const users[] = {"no such user"};
	struct discovery_options options = {.proc_root = "/proc", .select = {.user = {users, 1}}};
	struct discovery *none = NULL;
	struct failure failure = {""};

	cr_expect_eq(discovery__new(&options, &ops, NULL, &none, &failure), -EINVAL);
	cr_expect_null(none);
	cr_expect(strstr(failure.text, "no such user"), "%s", failure.text);
	begin((struct discovery_options){0});
	fake_proc__remove();
	cr_expect_eq(discovery__sweep(d, at(1)), -ENOENT);
}
