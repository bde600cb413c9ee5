// SPDX-License-Identifier: Apache-2.0
/* A child of the test is copied: what it had mapped before, what it wrote, mapped and gave back since. */
#include "host/memory_copy.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/process.h"

#define PAGES 1009
#define NEVER UINT64_MAX

struct child {
	pid_t pid;
	int go, done;
	uint8_t *memory; /* PAGES pages, the same address in child and parent */
	uint8_t *late;	 /* one page that the child maps when it is told to */
	size_t page;
	struct remote *remote;
	struct memory_copy *copy;
};

static void serve(const struct child *child, int go, int done)
{
	char order;

	while (read(go, &order, 1) == 1) {
		if (order == 'w')
			child->memory[17 * child->page] = 99;
		if (order == 'f')
			madvise(child->memory + 19 * child->page, child->page, MADV_DONTNEED);
		if (order == 'm') {
			void *at = mmap(child->late, child->page, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

			if (at == child->late)
				child->late[0] = 77;
		}
		if (write(done, &order, 1) != 1)
			break;
	}
	_exit(0);
}

static void order(struct child *child, char what)
{
	char answer;

	cr_assert_eq(write(child->go, &what, 1), 1);
	cr_assert_eq(read(child->done, &answer, 1), 1);
}

static void start(struct child *child, uint64_t max_bytes)
{
	struct memory_copy_options options = {.proc_root = PROC_ROOT, .max_bytes = max_bytes};
	struct failure failure = {""};
	int go[2], done[2];

	child->page = (size_t)sysconf(_SC_PAGESIZE);
	child->memory = mmap(NULL, (PAGES + 2) * child->page, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(child->memory, MAP_FAILED);
	/* Room for what is mapped later, with a page between that keeps the two apart. */
	child->late = child->memory + (PAGES + 1) * child->page;
	munmap(child->memory + PAGES * child->page, 2 * child->page);
	for (size_t i = 0; i < PAGES; i++)
		child->memory[i * child->page] = (uint8_t)(i % 251);
	cr_assert_eq(pipe(go) | pipe(done), 0);
	child->pid = fork();
	if (child->pid == 0)
		serve(child, go[0], done[1]);
	child->go = go[1];
	child->done = done[0];
	cr_assert_eq(remote__open_process(child->pid, &child->remote, &failure), 0, "%s",
		     failure.text);
	options.pid = child->pid;
	options.remote = child->remote;
	cr_assert_eq(memory_copy__new(&options, &child->copy, &failure), 0, "%s", failure.text);
}

static void finish(struct child *child)
{
	memory_copy__free(child->copy);
	remote__free(child->remote);
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

static int read_byte(struct child *child, const uint8_t *address, uint8_t *ret_byte)
{
	struct remote *then;

	cr_assert_eq(memory_copy__open(child->copy, &then), 0);
	return remote__read(then, (uintptr_t)address, ret_byte, 1);
}

static void expect_byte(struct child *child, size_t page, uint8_t expected)
{
	uint8_t byte = 0;

	cr_expect_eq(read_byte(child, child->memory + page * child->page, &byte), 0);
	cr_expect_eq(byte, expected, "page %zu: %u, not %u", page, byte, expected);
}

Test(memory_copy, every_page_as_it_was)
{
	struct child child;

	start(&child, 0);
	cr_expect_eq(memory_copy__first(child.copy, 0), 0);
	for (size_t i = 0; i < PAGES; i++)
		expect_byte(&child, i, (uint8_t)(i % 251));
	cr_expect_geq(memory_copy__totals(child.copy)->copied_bytes, PAGES * child.page);
	finish(&child);
}

Test(memory_copy, the_second_pass_takes_what_changed)
{
	struct child child;
	uint8_t byte = 0;

	start(&child, 0);
	cr_expect_eq(memory_copy__first(child.copy, 0), 0);
	order(&child, 'w');
	order(&child, 'f');
	order(&child, 'm');
	expect_byte(&child, 17, 17);
	expect_byte(&child, 19, 19);
	cr_expect_eq(read_byte(&child, child.late, &byte), -EFAULT);
	cr_expect_eq(memory_copy__again(child.copy, NEVER), 0);
	expect_byte(&child, 17, 99);
	expect_byte(&child, 18, 18);
	/* Given back: zeros. */
	expect_byte(&child, 19, 0);
	cr_expect_eq(read_byte(&child, child.late, &byte), 0);
	cr_expect_eq(byte, 77);
	finish(&child);
}

Test(memory_copy, in_steps)
{
	struct child child;
	int more, steps = 0;

	start(&child, 0);
	while ((more = memory_copy__first(child.copy, 1)) == 1)
		steps++;
	cr_expect_eq(more, 0);
	cr_expect_gt(steps, 1);
	expect_byte(&child, PAGES - 1, (PAGES - 1) % 251);
	finish(&child);
}

Test(memory_copy, what_is_skipped_is_copied_when_it_is_wanted)
{
	struct child child;

	start(&child, 0);
	/* Not quite page 2, all of 3 and 4, not quite 5. */
	memory_copy__skip(child.copy, (uintptr_t)child.memory + 2 * child.page + 1,
			  4 * child.page - 2);
	cr_expect_eq(memory_copy__first(child.copy, 0), 0);
	expect_byte(&child, 2, 2);
	expect_byte(&child, 3, 0);
	expect_byte(&child, 4, 0);
	expect_byte(&child, 5, 5);
	memory_copy__want(child.copy, (uintptr_t)child.memory + 4 * child.page + 1, 1);
	cr_expect_eq(memory_copy__again(child.copy, NEVER), 0);
	expect_byte(&child, 3, 0);
	expect_byte(&child, 4, 4);
	finish(&child);
}

Test(memory_copy, no_more_than_allowed)
{
	struct child child;

	start(&child, 1 << 20);
	cr_expect_eq(memory_copy__first(child.copy, 0), -E2BIG);
	finish(&child);
}

Test(memory_copy, a_deadline_is_kept)
{
	struct child child;

	start(&child, 0);
	cr_expect_eq(memory_copy__first(child.copy, 0), 0);
	cr_expect_eq(memory_copy__again(child.copy, clock__monotonic_ns()), -ETIME);
	finish(&child);
}

Test(memory_copy, a_process_that_ended)
{
	struct child child;

	start(&child, 0);
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
	cr_expect_eq(memory_copy__first(child.copy, 0), -ESRCH);
	finish(&child);
}
