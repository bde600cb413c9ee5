// SPDX-License-Identifier: Apache-2.0
/* Memory belongs to what was executed when it was opened; a child of the test executes another program. */
#include "host/access.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/access_guard.h"

static const char here[] = "what is here is there";
static uint8_t stack[64 << 10] __attribute__((aligned(16)));
static int go[2], gone[2]; /* pipes: to the child; closed when it has executed */
static pid_t child;

/* Keeps the address space of its parent in use after that has got another. */
static int stay(void *nothing)
{
	(void)nothing;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(0, ~0u, 0);
	return pause();
}

static void begin(bool keeps_memory)
{
	char byte;

	cr_assert(!pipe2(go, O_CLOEXEC) && !pipe2(gone, O_CLOEXEC));
	child = fork();
	cr_assert_geq(child, 0);
	if (child) {
		close(gone[1]);
		/* It has made whom it makes. */
		cr_assert_eq(read(gone[0], &byte, 1), 1);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (keeps_memory && clone(stay, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL) < 0)
		_exit(1);
	if (write(gone[1], "m", 1) != 1 || read(go[0], &byte, 1) != 1)
		_exit(1);
	execlp("sleep", "sleep", "60", (char *)NULL);
	_exit(1);
}

static void end(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	access__use(&access_direct);
}

/* Returns where it has memory after that. */
static uint64_t execute_another(void)
{
	char byte, path[64];
	uint64_t start = 0;
	FILE *maps;

	cr_assert_eq(write(go[1], "g", 1), 1);
	cr_assert_eq(read(gone[0], &byte, 1), 0, "it has executed");
	snprintf(path, sizeof(path), "/proc/%d/maps", child);
	maps = fopen(path, "re");
	cr_assert_not_null(maps);
	cr_assert_eq(fscanf(maps, "%" SCNx64, &start), 1);
	fclose(maps);
	return start;
}

static ssize_t read_at(struct access_memory *memory, uint64_t address)
{
	char text[sizeof(here)] = "";
	const struct iovec local = {.iov_base = text, .iov_len = sizeof(text)};
	const struct iovec foreign = {.iov_base = (void *)(uintptr_t)address,
				      .iov_len = sizeof(text)};
	ssize_t n = access__read_memory(memory, &local, 1, &foreign, 1);

	if (n > 0 && address == (uintptr_t)here)
		cr_expect_str_eq(text, here);
	return n;
}

static void of_the_first_program_alone(bool keeps_memory)
{
	struct access_memory *memory;
	uint64_t there;

	begin(keeps_memory);
	cr_assert_eq(access__open_memory(child, &memory), 0);
	cr_expect_eq(access__memory_in_use(memory), 1);
	cr_expect_eq(read_at(memory, (uintptr_t)here), (ssize_t)sizeof(here));
	there = execute_another();
	cr_expect_eq(access__memory_in_use(memory), keeps_memory);
	cr_expect_eq(read_at(memory, there), -ESRCH);
	access__close_memory(memory);
	cr_assert_eq(access__open_memory(child, &memory), 0);
	cr_expect_eq(read_at(memory, there), (ssize_t)sizeof(here), "of the second one");
	access__close_memory(memory);
	end();
}

TestSuite(access, .timeout = 60);

Test(access, memory_is_of_what_was_executed)
{
	of_the_first_program_alone(false);
}

Test(access, memory_is_of_what_was_executed_also_where_somebody_keeps_it)
{
	of_the_first_program_alone(true);
}

Test(access, a_helper_does_the_same)
{
	access__use(access_guard__ops());
	of_the_first_program_alone(true);
	cr_expect_eq(access_guard__counts().missed, 0);
}

/* The next one has another part: whoever was left behind may write to its own at any time. */
Test(access, a_helper_leaves_what_it_reads_in_what_was_lent)
{
	const size_t size = (size_t)ACCESS_GUARD_WINDOWS * ACCESS_GUARD_MEMORY_MAX;
	uint8_t *windows = mmap(NULL, size, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const struct iovec foreign = {.iov_base = (void *)(uintptr_t)here, .iov_len = sizeof(here)};
	struct iovec local = {.iov_len = sizeof(here)};
	struct access_memory *memory;

	cr_assert_neq(windows, MAP_FAILED);
	access__use(access_guard__ops());
	cr_expect_null(access_guard__window(), "nothing was lent");
	access_guard__lend(windows);
	begin(false);
	cr_assert_eq(access__open_memory(child, &memory), 0);
	local.iov_base = access_guard__window();
	cr_assert_eq(local.iov_base, windows);
	cr_expect_eq(access__read_memory(memory, &local, 1, &foreign, 1), (ssize_t)sizeof(here));
	cr_expect_str_eq((const char *)windows, here);
	/* To elsewhere it is copied. */
	cr_expect_eq(read_at(memory, (uintptr_t)here), (ssize_t)sizeof(here));
	access_guard__renew();
	cr_expect_eq(access_guard__window(), windows, "of one that has ended it is free again");
	access__close_memory(memory);
	end();
	access_guard__lend(NULL);
	munmap(windows, size);
}

Test(access, a_file_that_anybody_may_read)
{
	char text[256] = "", path[64];
	struct access_ops asks = access_direct;

	asks.read = NULL;
	asks.asks_another = true;
	access__use(&asks);
	snprintf(path, sizeof(path), "/proc/%d/status", getpid());
	cr_expect_gt(access__read_public(path, text, sizeof(text) - 1), 0, "nobody is asked");
	cr_expect_eq(strncmp(text, "Name:", 5), 0, "%s", text);
	asks.read = access_direct.read;
	cr_expect_eq(access__read_public("/proc/0/status", text, sizeof(text)), -ENOENT);
	access__use(&access_direct);
}

Test(access, a_helper_reads_the_mappings_at_once)
{
	char path[64], text[64] = "";
	int fd;

	access__use(access_guard__ops());
	begin(false);
	snprintf(path, sizeof(path), "/proc/%d/maps", child);
	fd = access__open(path, O_RDONLY);
	cr_assert_geq(fd, 0);
	/* What is read is of that moment. */
	execute_another();
	cr_expect_gt(read(fd, text, sizeof(text)), 0);
	cr_expect_neq(lseek(fd, 0, SEEK_END), 0, "it is a copy");
	close(fd);
	end();
}
