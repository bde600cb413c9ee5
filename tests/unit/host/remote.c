// SPDX-License-Identifier: Apache-2.0
/* The process backend reads this very process: that needs no permission. */
#include "host/remote.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u

static struct remote *open_self(void)
{
	struct remote *remote;
	struct failure failure = {""};

	cr_assert_eq(remote__open_process(getpid(), &remote, &failure), 0, "%s", failure.text);
	return remote;
}

/* @n pages of which the byte i of page p is (p + i); those with hole(p) are unmapped. */
static uint8_t *map_pages(size_t n, bool (*hole)(size_t page))
{
	uint8_t *base =
		mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq((void *)base, MAP_FAILED);
	for (size_t i = 0; i < n * PAGE; i++)
		base[i] = (uint8_t)(i / PAGE + i);
	for (size_t p = 0; hole && p < n; p++) {
		if (hole(p))
			cr_assert_eq(munmap(base + p * PAGE, PAGE), 0);
	}
	return base;
}

static struct remote_span *make_spans(size_t n, uint32_t size, size_t buffer_stride)
{
	struct remote_span *spans = calloc(n, sizeof(*spans));
	uint8_t *buffers = calloc(n, buffer_stride);

	cr_assert(spans && buffers);
	for (size_t i = 0; i < n; i++)
		spans[i] = (struct remote_span){
			.buffer = buffers + i * buffer_stride, .size = size, .result = 12345};
	return spans;
}

static void free_spans(struct remote_span *spans)
{
	free(spans[0].buffer);
	free(spans);
}

/* --- process ------------------------------------------------------------------------------------ */

Test(remote_process, reads_and_counts)
{
	struct remote *remote = open_self();
	uint64_t word = 0x1122334455667788, value = 0;
	char text[] = "all of it", copy[sizeof(text)] = "";

	cr_assert_eq(remote__calls(remote), 0);
	cr_assert_eq(remote__read(remote, (uintptr_t)text, copy, sizeof(text)), 0);
	cr_assert_str_eq(copy, "all of it");
	cr_assert_eq(remote__read_u64(remote, (uintptr_t)&word, &value), 0);
	cr_assert_eq(value, word);
	cr_assert_eq(remote__calls(remote), 2);
	cr_assert_eq(remote__bytes_read(remote), sizeof(text) + 8);
	cr_assert_eq(remote__read(remote, 1, copy, 0), 0, "nothing is always readable");
	remote__free(remote);
}

static bool third(size_t page)
{
	return page == 17 * 3 + 2;
}

static bool second(size_t page)
{
	return page == 1;
}

Test(remote_process, read_is_all_or_nothing)
{
	uint8_t *base = map_pages(2, second);
	struct remote *remote = open_self();
	uint8_t buffer[64];
	uint64_t value = 7;

	cr_assert_eq(remote__read(remote, (uintptr_t)base + PAGE - 64, buffer, 64), 0);
	cr_assert_eq(remote__read(remote, (uintptr_t)base + PAGE - 63, buffer, 64), -EFAULT);
	cr_assert_eq(remote__read(remote, (uintptr_t)base + PAGE, buffer, 1), -EFAULT);
	cr_assert_eq(remote__read_u64(remote, (uintptr_t)base + PAGE - 7, &value), -EFAULT);
	cr_assert_eq(value, 7, "outputs stay untouched on failure");
	cr_assert_eq(remote__read(remote, UINT64_MAX - 3, buffer, 8), -EFAULT, "wraps");
	cr_assert_eq(remote__read(remote, UINT64_MAX, buffer, 1), -EFAULT);
	remote__free(remote);
}

static bool every_seventh(size_t page)
{
	return page % 7 == 3;
}

/* Every span, with holes between, in contiguous buffers or not. */
static void check_spans(size_t n, size_t buffer_stride)
{
	uint8_t *base = map_pages(n, every_seventh);
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(n, 24, buffer_stride);

	for (size_t i = 0; i < n; i++)
		spans[i].address = (uintptr_t)base + i * PAGE + i % 100;
	cr_assert_eq(remote__read_spans(remote, spans, n), 0);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *got = spans[i].buffer;

		cr_assert_eq(spans[i].result, every_seventh(i) ? -EFAULT : 0, "span %zu", i);
		for (size_t b = 0; !spans[i].result && b < 24; b++)
			cr_assert_eq(got[b], (uint8_t)(i + i * PAGE + i % 100 + b), "span %zu", i);
	}
	free_spans(spans);
	remote__free(remote);
}

Test(remote_process, spans_after_a_bad_one_are_read)
{
	check_spans(3001, 24);
}

Test(remote_process, spans_with_scattered_buffers)
{
	check_spans(3001, 40);
}

Test(remote_process, good_spans_cost_one_call_per_1024)
{
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(4096, 8, 8);
	uint64_t word = 99;

	for (size_t i = 0; i < 4096; i++)
		spans[i].address = (uintptr_t)&word;
	cr_assert_eq(remote__read_spans(remote, spans, 4096), 0);
	cr_assert_eq(remote__calls(remote), 4);
	cr_assert_eq(remote__bytes_read(remote), 4096 * 8);
	free_spans(spans);
	remote__free(remote);
}

Test(remote_process, unreadable_spans_cost_one_call_each)
{
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(5000, 8, 8);

	for (size_t i = 0; i < 5000; i++)
		spans[i].address = 16 + 8 * i;
	cr_assert_eq(remote__read_spans(remote, spans, 5000), 0);
	for (size_t i = 0; i < 5000; i++)
		cr_assert_eq(spans[i].result, -EFAULT);
	cr_assert_leq(remote__calls(remote), 5000);
	free_spans(spans);
	remote__free(remote);
}

Test(remote_process, few_bad_spans_cost_few_calls)
{
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(50000, 8, 8);
	uint64_t word = 5;

	for (size_t i = 0; i < 50000; i++)
		spans[i].address = i % 5000 == 17 ? 16 : (uintptr_t)&word;
	cr_assert_eq(remote__read_spans(remote, spans, 50000), 0);
	for (size_t i = 0; i < 50000; i++)
		cr_assert_eq(spans[i].result, i % 5000 == 17 ? -EFAULT : 0);
	/* 49 without bad spans; each of the ten costs its own and one or two shorter ones. */
	cr_assert_leq(remote__calls(remote), 80);
	free_spans(spans);
	remote__free(remote);
}

Test(remote_process, span_over_the_edge_is_bad_as_a_whole)
{
	uint8_t *base = map_pages(3, second);
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(4, 32, 32);

	spans[0].address = (uintptr_t)base;
	spans[1].address = (uintptr_t)base + PAGE - 8;
	spans[2].address = (uintptr_t)base + 2 * PAGE;
	spans[3].address = (uintptr_t)base + 2 * PAGE - 8;
	cr_assert_eq(remote__read_spans(remote, spans, 4), 0);
	cr_assert_eq(spans[0].result, 0);
	cr_assert_eq(spans[1].result, -EFAULT);
	cr_assert_eq(spans[2].result, 0);
	cr_assert_eq(*(uint8_t *)spans[2].buffer, 2);
	cr_assert_eq(spans[3].result, -EFAULT);
	free_spans(spans);
	remote__free(remote);
}

/* What is between them is read with them, and goes nowhere. */
Test(remote_process, spans_near_one_another_are_one_range)
{
	uint8_t *base = map_pages(2, NULL);
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(5, 16, 32);
	uint8_t *buffers = spans[0].buffer;
	const uint32_t at[] = {8, 24, 1064, 2105, PAGE - 8};
	const uint32_t dropped = 1024;

	for (size_t i = 0; i < 5; i++)
		spans[i].address = (uintptr_t)base + at[i];
	cr_assert_eq(remote__read_spans(remote, spans, 5), 0);
	for (size_t i = 0; i < 5 * 32; i++)
		cr_assert_eq(buffers[i], i % 32 < 16 ? base[at[i / 32] + i % 32] : 0, "%zu", i);
	cr_assert_eq(remote__calls(remote), 1);
	cr_assert_eq(remote__bytes_read(remote), 5 * 16 + dropped);
	free_spans(spans);
	remote__free(remote);
}

/* On either side of a page that is not there, and into it. */
Test(remote_process, gaps_and_holes)
{
	uint8_t *base = map_pages(3, second);
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(6, 16, 32);
	const uint32_t at[] = {PAGE - 200, PAGE - 100, PAGE + 50,
			       PAGE + 100, 2 * PAGE,   2 * PAGE + 99};
	const int result[] = {0, 0, -EFAULT, -EFAULT, 0, 0};

	for (size_t i = 0; i < 6; i++)
		spans[i].address = (uintptr_t)base + at[i];
	cr_assert_eq(remote__read_spans(remote, spans, 6), 0);
	for (size_t i = 0; i < 6; i++) {
		cr_assert_eq(spans[i].result, result[i], "span %zu", i);
		if (!result[i])
			cr_assert_arr_eq(spans[i].buffer, base + at[i], 16);
	}
	free_spans(spans);
	remote__free(remote);
}

/* As many ranges here as the kernel takes, with the gaps. */
Test(remote_process, many_gaps)
{
	uint8_t *base = map_pages(16, NULL);
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(3000, 8, 16);

	for (size_t i = 0; i < 3000; i++)
		spans[i].address = (uintptr_t)base + 20 * i;
	cr_assert_eq(remote__read_spans(remote, spans, 3000), 0);
	for (size_t i = 0; i < 3000; i++) {
		cr_assert_eq(spans[i].result, 0);
		cr_assert_arr_eq(spans[i].buffer, base + 20 * i, 8, "span %zu", i);
	}
	cr_assert_leq(remote__calls(remote), 6);
	free_spans(spans);
	remote__free(remote);
}

Test(remote_process, large_spans_are_copied_one_by_one)
{
	uint8_t *base = map_pages(300, third);
	struct remote *remote = open_self();
	struct remote_span *spans = make_spans(100, 3 * PAGE, 3 * PAGE);

	for (size_t i = 0; i < 100; i++)
		spans[i].address = (uintptr_t)base + 3 * i * PAGE;
	cr_assert_eq(remote__copy_spans(remote, spans, 100), 0);
	for (size_t i = 0; i < 100; i++) {
		cr_assert_eq(spans[i].result, i == 17 ? -EFAULT : 0, "span %zu", i);
		if (i != 17)
			cr_assert_arr_eq(spans[i].buffer, base + 3 * i * PAGE, 3 * PAGE);
	}
	cr_assert_leq(remote__calls(remote), 4);
	free_spans(spans);
	remote__free(remote);
}

Test(remote_process, empty_and_wrapping_spans_need_no_call)
{
	struct remote *remote = open_self();
	uint64_t word = 3, got = 0;
	struct remote_span spans[] = {
		{.address = 0, .buffer = NULL, .size = 0, .result = 1},
		{.address = UINT64_MAX - 2, .buffer = &got, .size = 8, .result = 1},
		{.address = (uintptr_t)&word, .buffer = &got, .size = 8, .result = 1},
		{.address = 5, .buffer = NULL, .size = 0, .result = 1},
	};

	cr_assert_eq(remote__read_spans(remote, spans, 4), 0);
	cr_assert_eq(spans[0].result, 0);
	cr_assert_eq(spans[1].result, -EFAULT);
	cr_assert_eq(spans[2].result, 0);
	cr_assert_eq(got, 3);
	cr_assert_eq(spans[3].result, 0);
	cr_assert_eq(remote__calls(remote), 1);
	cr_assert_eq(remote__read_spans(remote, spans, 2), 0);
	cr_assert_eq(remote__read_spans(remote, NULL, 0), 0);
	cr_assert_eq(remote__calls(remote), 1);
	remote__free(remote);
}

/* Larger than the kernel transfers in one call; its neighbours are not harmed. */
Test(remote_process, huge_span)
{
	uint32_t size = 3u << 30;
	void *sink = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *base = map_pages(2, second);
	struct remote *remote = open_self();
	uint64_t word = 3, got[2] = {0};
	struct remote_span spans[] = {
		{.address = (uintptr_t)&word, .buffer = &got[0], .size = 8, .result = 1},
		{.address = (uintptr_t)base, .buffer = sink, .size = size, .result = 1},
		{.address = (uintptr_t)&word, .buffer = &got[1], .size = 8, .result = 1},
	};

	cr_assert_neq(sink, MAP_FAILED);
	cr_assert_eq(remote__read_spans(remote, spans, 3), 0);
	cr_assert_eq(spans[0].result, 0);
	cr_assert_eq(spans[1].result, -EFAULT);
	cr_assert_eq(spans[2].result, 0);
	cr_assert(got[0] == 3 && got[1] == 3);
	remote__free(remote);
}

static pid_t fork_child(void)
{
	pid_t child = fork();

	cr_assert_geq(child, 0);
	if (!child) {
		for (;;)
			pause();
	}
	return child;
}

static void wait_for_zombie(pid_t child)
{
	siginfo_t info;

	cr_assert_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
}

Test(remote_process, zombie_and_gone_are_esrch)
{
	struct failure failure = {""};
	struct remote *remote = NULL;
	pid_t child = fork_child();

	kill(child, SIGKILL);
	wait_for_zombie(child);
	cr_assert_eq(remote__open_process(child, &remote, &failure), -ESRCH);
	cr_assert(strstr(failure.text, "has ended"), "%s", failure.text);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	cr_assert_eq(remote__open_process(child, &remote, NULL), -ESRCH);
	cr_assert_eq(remote__open_process(-1, &remote, NULL), -ESRCH);
	cr_assert_null(remote);
}

Test(remote_process, target_ends_between_two_reads)
{
	struct remote *remote;
	static uint64_t word = 3;
	uint64_t value = 0;
	struct remote_span span = {(uintptr_t)&word, &value, 8, 0};
	pid_t child = fork_child();
	int err;

	err = remote__open_process(child, &remote, NULL);
	if (err == -EPERM) {
		kill(child, SIGKILL);
		cr_skip_test("needs to read a child's memory");
	}
	cr_assert_eq(err, 0);
	cr_assert_eq(remote__read_u64(remote, (uintptr_t)&word, &value), 0);
	cr_assert_eq(value, 3);
	kill(child, SIGKILL);
	wait_for_zombie(child);
	cr_assert_eq(remote__read_u64(remote, (uintptr_t)&word, &value), -ESRCH);
	cr_assert_eq(remote__read_spans(remote, &span, 1), -ESRCH);
	waitpid(child, NULL, 0);
	remote__free(remote);
}

/* As an unprivileged user, our parent belongs to somebody else: to root. */
/* A child that says when it has begun to wait, and executes the program of a test or ends. */
static pid_t start_waiting(int *ret_go, int *ret_ready, const char *then)
{
	int go[2], ready[2];
	pid_t pid;

	cr_assert(!pipe(go) && !pipe(ready));
	pid = fork();
	if (!pid) {
		char byte = 0;

		close(go[1]);
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) < 0)
			_exit(1);
		if (then)
			execl(then, then, (char *)NULL); /* waits for the end of its input */
		_exit(0);
	}
	close(go[0]);
	close(ready[1]);
	*ret_go = go[1];
	*ret_ready = ready[0];
	return pid;
}

Test(remote_process, memory_is_another_after_exec)
{
	struct remote *remote, *again;
	int go, ready, status, input[2];
	char byte;
	pid_t pid;

	cr_assert(!pipe(input));
	cr_assert_neq(dup2(input[0], STDIN_FILENO), -1);
	pid = start_waiting(&go, &ready, "/bin/cat");
	cr_assert_eq(read(ready, &byte, 1), 1);
	cr_assert_eq(remote__open_process(pid, &remote, NULL), 0);
	cr_assert_eq(remote__memory(remote), REMOTE_MEMORY_SAME);
	close(go);
	while (remote__memory(remote) == REMOTE_MEMORY_SAME)
		usleep(1000);
	cr_assert_eq(remote__memory(remote), REMOTE_MEMORY_GONE);
	cr_assert_eq(remote__open_process(pid, &again, NULL), 0, "the process goes on");
	cr_assert_eq(remote__memory(again), REMOTE_MEMORY_SAME);
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(remote__memory(again), REMOTE_MEMORY_GONE);
	remote__free(again);
	remote__free(remote);
	close(ready);
}

Test(remote_process, denial_names_the_capability)
{
	pid_t child;
	int status;

	if (geteuid())
		cr_skip_test("needs root, to become somebody else");
	child = fork();
	if (!child) {
		struct failure failure = {""};
		struct remote *remote = NULL;
		int err;

		if (setgid(65534) || setuid(65534))
			_exit(10);
		err = remote__open_process(getppid(), &remote, &failure);
		if (err != -EPERM || remote)
			_exit(11);
		if (!strstr(failure.text, "CAP_SYS_PTRACE") || !strstr(failure.text, "sudo"))
			_exit(12);
		_exit(failure__exit_code(err));
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 4);
}

/* --- image -------------------------------------------------------------------------------------- */

Test(remote_image, reads_over_adjacent_ranges)
{
	const struct remote_range ranges[] = {
		{0x2000, "world", 5},
		{0x1ffb, "hello", 5},
		{0x9000, "x", 1},
	};
	struct remote *remote;
	char got[11] = "";

	cr_assert_eq(remote__open_image(ranges, 3, &remote), 0);
	cr_assert_eq(remote__read(remote, 0x1ffb, got, 10), 0);
	cr_assert_str_eq(got, "helloworld");
	cr_assert_eq(remote__read(remote, 0x1ffb, got, 11), -EFAULT);
	cr_assert_eq(remote__read(remote, 0x1ffa, got, 2), -EFAULT);
	cr_assert_eq(remote__read(remote, 0x9000, got, 1), 0);
	cr_assert_eq(remote__read(remote, 0x9001, got, 1), -EFAULT);
	cr_assert_eq(remote__calls(remote), 5);
	remote__free(remote);
}

Test(remote_image, memory_is_the_same_until_replaced)
{
	uint8_t byte;
	struct remote_span span = {0, &byte, 1, 0};
	struct remote *remote;

	cr_assert_eq(remote__open_image(NULL, 0, &remote), 0);
	cr_expect_eq(remote__memory(remote), REMOTE_MEMORY_SAME);
	remote__replace_image(remote);
	cr_expect_eq(remote__memory(remote), REMOTE_MEMORY_GONE);
	cr_expect_eq(remote__read(remote, 0, &byte, 1), -ESRCH, "nor can it be read");
	cr_expect_eq(remote__read_spans(remote, &span, 1), -ESRCH);
	remote__free(remote);
}

Test(remote_image, top_of_the_address_space)
{
	const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	const struct remote_range range = {UINT64_MAX - 7, bytes, 8};
	struct remote *remote;
	uint64_t value = 0;

	cr_assert_eq(remote__open_image(&range, 1, &remote), 0);
	cr_assert_eq(remote__read_u64(remote, UINT64_MAX - 7, &value), 0);
	cr_assert_eq(value, 0x0807060504030201);
	cr_assert_eq(remote__read_u64(remote, UINT64_MAX - 6, &value), -EFAULT);
	remote__free(remote);
}

Test(remote_image, spans_and_no_ranges)
{
	const struct remote_range range = {64, "abcdefgh", 8};
	char got[3] = "";
	struct remote_span spans[] = {
		{60, got, 8, 1},
		{66, got, 2, 1},
		{0, NULL, 0, 1},
	};
	struct remote *remote, *empty;

	cr_assert_eq(remote__open_image(&range, 1, &remote), 0);
	cr_assert_eq(remote__read_spans(remote, spans, 3), 0);
	cr_assert_eq(spans[0].result, -EFAULT);
	cr_assert_eq(spans[1].result, 0);
	cr_assert_str_eq(got, "cd");
	cr_assert_eq(spans[2].result, 0);
	remote__free(remote);
	cr_assert_eq(remote__open_image(NULL, 0, &empty), 0);
	cr_assert_eq(remote__read(empty, 0, got, 1), -EFAULT);
	remote__free(empty);
	remote__free(NULL);
}
