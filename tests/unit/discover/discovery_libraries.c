// SPDX-License-Identifier: Apache-2.0
/* Go in libraries of processes made by fake_proc.c. */
#include "discover/discovery.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discover/runtimes.h"
#include "discovery_steps.h"
#include "fake_proc.h"

static bool attached[16];
static int n_attached, n_detached, n_refreshed;
static int answer, refresh_answer;
static char last_reason[640];

static int attach(void *ctx __maybe_unused, pid_t pid,
		  const struct process_origin *origin __maybe_unused, struct failure *failure)
{
	n_attached++;
	if (answer < 0)
		return failure__set(failure, answer, "attach says %d", answer);
	cr_assert_not(attached[pid], "%d is attached already", pid);
	attached[pid] = true;
	return answer;
}

static int refresh(void *ctx __maybe_unused, pid_t pid)
{
	cr_assert(attached[pid], "%d is not attached", pid);
	n_refreshed++;
	return refresh_answer;
}

static void detach(void *ctx __maybe_unused, pid_t pid)
{
	attached[pid] = false;
	n_detached++;
}

static void changed(void *ctx __maybe_unused, pid_t pid __maybe_unused,
		    enum discovery_state state __maybe_unused, const char *reason)
{
	snprintf(last_reason, sizeof(last_reason), "%s", reason);
}

static const struct discovery_ops ops = {.attach = attach,
					 .refresh = refresh,
					 .detach = detach,
					 .changed = changed};

/* The processes have all been there for long. */
static uint64_t boottime(void)
{
	return 1000 * NSEC_PER_SEC;
}

static void begin(struct discovery_options options)
{
	struct failure failure = {""};

	options.proc_root = fake_proc__root();
	options.boottime = boottime;
	options.min_age_ns = DISCOVERY_DEFAULT_MIN_AGE;
	cr_assert_eq(discovery__new(&options, &ops, NULL, &d, &failure), 0, "%s", failure.text);
}

static void make(void)
{
	fake_proc__make();
	fake_exe__put("server", FAKE_GO);
	fake_exe__put("shell", FAKE_C);
}

static void unmake(void)
{
	discovery__free(d);
	fake_proc__remove();
}

TestSuite(discovery_libraries, .init = make, .fini = unmake);

static void put_mapped(int pid, const char *exe, const char *library, unsigned long code)
{
	fake_process__put(&(struct fake_process){.pid = pid,
						 .exe = exe,
						 .start_seconds = 1,
						 .libraries = {"libc.so", library},
						 .code = code});
}

static void put_library_files(void)
{
	fake_exe__put("libc.so", FAKE_C);
	fake_exe__put("libgo.so", FAKE_GO);
}

Test(discovery_libraries, go_in_a_library_of_another_program)
{
	begin((struct discovery_options){0});
	put_library_files();
	put_mapped(7, "shell", "libgo.so", 100);
	put_mapped(8, "shell", NULL, 100);
	put_mapped(9, "shell", "libgo.so", 100);
	sweep(10);
	tick(10);
	cr_expect(attached[7] && attached[9]);
	cr_expect_eq(n_attached, 2);
	cr_expect_eq(counts().opened, 3, "each file once: the shell and both libraries");
	cr_expect_eq(counts().rejected, 1);
	sweep(40);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX, "nothing has changed");
}

Test(discovery_libraries, libraries_of_what_is_not_wanted_are_not_looked_at)
{
	const char *only[] = {"exe:*other*"};

	begin((struct discovery_options){.select = {.only = {only, 1}}});
	put_library_files();
	put_mapped(7, "shell", "libgo.so", 100);
	sweep(10);
	tick(10);
	cr_expect_eq(n_attached, 0);
	cr_expect_eq(counts().opened, 1, "the executable alone");
	put_mapped(7, "shell", "libgo.so", 200);
	sweep(40);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX);
}

Test(discovery_libraries, library_that_is_loaded_later)
{
	begin((struct discovery_options){0});
	put_library_files();
	put_mapped(7, "shell", NULL, 100);
	sweep(10);
	tick(10);
	cr_expect_eq(counts().rejected, 1);
	put_mapped(7, "shell", NULL, 200);
	sweep(40);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX, "code of the same files");
	put_mapped(7, "shell", "libgo.so", 200);
	sweep(70);
	cr_expect_eq(discovery__next_ns(d), UINT64_MAX, "how much it is is compared");
	put_mapped(7, "shell", "libgo.so", 300);
	sweep(100);
	cr_expect_eq(n_attached, 0, "a sweep attaches nothing");
	tick(100);
	cr_expect(attached[7]);
	cr_expect_eq(counts().rejected, 1);
}

Test(discovery_libraries, more_libraries_of_what_is_attached)
{
	begin((struct discovery_options){0});
	put_library_files();
	put_mapped(7, "server", NULL, 100);
	sweep(10);
	tick(10);
	cr_expect(attached[7]);
	put_mapped(7, "server", "libgo.so", 200);
	sweep(40);
	cr_expect_eq(n_refreshed, 0);
	tick(40);
	cr_expect_eq(n_refreshed, 1);
	sweep(70);
	tick(70);
	cr_expect_eq(n_refreshed, 1);
	cr_expect_eq(n_attached, 1);
	cr_expect_eq(n_detached, 0);
}

Test(discovery_libraries, what_could_not_be_watched_yet_is_asked_for_again)
{
	begin((struct discovery_options){0});
	put_library_files();
	put_mapped(7, "server", "libgo.so", 100);
	answer = 1;
	refresh_answer = 1;
	sweep(10);
	tick(10);
	cr_expect(attached[7]);
	for (int i = 1; i < 4; i++) {
		sweep(10 + 30 * i);
		tick(10 + 30 * i);
		cr_expect_eq(n_refreshed, i);
	}
	refresh_answer = 0;
	for (int i = 4; i < 7; i++) {
		sweep(10 + 30 * i);
		tick(10 + 30 * i);
	}
	cr_expect_eq(n_refreshed, 4);
}

/* The one who attaches keeps what it has found out about the library. */
Test(discovery_libraries, library_that_cannot_be_watched)
{
	struct exe_cache *files;
	struct runtimes *found;

	cr_assert_eq(exe_cache__new(8, &files), 0);
	begin((struct discovery_options){.files = files});
	put_library_files();
	put_mapped(7, "shell", "libgo.so", 100);
	answer = -EOPNOTSUPP;
	sweep(10);
	tick(10);
	cr_expect_eq(counts().states[DISCOVERY_UNSUPPORTED], 1);
	cr_expect_str_eq(last_reason, "attach says -95");
	cr_assert_eq(runtimes__find(fake_proc__root(), 7, files, &found), 0);
	cr_assert_eq(found->n, 1);
	runtimes__refuse(files, &found->places[0], 7);
	free(found);
	put_mapped(8, "shell", "libgo.so", 100);
	put_mapped(9, "shell", NULL, 100);
	sweep(40);
	tick(50);
	cr_expect_eq(n_attached, 1, "the library is known");
	cr_expect_eq(counts().states[DISCOVERY_UNSUPPORTED], 2);
	cr_expect(strstr(last_reason, "/libgo.so") && strstr(last_reason, "process 7"), "%s",
		  last_reason);
	cr_expect_eq(counts().rejected, 1, "the shell is not to blame");
	exe_cache__free(files);
}

/* What one process has in its memory is no word about others that run the same file. */
Test(discovery_libraries, executable_that_cannot_be_watched_for_its_memory)
{
	fake_exe__put("server", FAKE_GO);
	begin((struct discovery_options){0});
	answer = -ENOTRECOVERABLE;
	fake_process__put(&(struct fake_process){.pid = 7, .exe = "server"});
	sweep(10);
	tick(10);
	cr_expect_eq(counts().states[DISCOVERY_UNSUPPORTED], 1);
	answer = 0;
	fake_process__put(&(struct fake_process){.pid = 8, .exe = "server"});
	sweep(40);
	tick(50);
	cr_expect(attached[8]);
	cr_expect_not(attached[7]);
	cr_expect_eq(counts().states[DISCOVERY_UNSUPPORTED], 1);
}
