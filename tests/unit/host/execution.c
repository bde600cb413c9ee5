// SPDX-License-Identifier: Apache-2.0
#include "host/execution.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "made_tree.h"

/* A tree that holds both /proc and the control groups. */
static const char *root;

static void make_root(void)
{
	root = made_tree__new();
}

TestSuite(execution, .init = make_root, .fini = made_tree__remove);

static struct execution read_status(const char *status)
{
	struct execution execution = {0};

	made_tree__put("7/status", status);
	cr_assert_eq(execution__read(root, 7, &execution), 0);
	return execution;
}

#define STATUS(state, tracer)                                                           \
	"Name:\tserver\nUmask:\t0022\nState:\t" state "\nTgid:\t7\nNgid:\t0\nPid:\t7\n" \
	"PPid:\t1\nTracerPid:\t" tracer "\nUid:\t0\t0\t0\t0\n"

Test(execution, states)
{
	cr_expect_eq(read_status(STATUS("S (sleeping)", "0")).state, EXECUTION_RUNNING);
	cr_expect_eq(read_status(STATUS("R (running)", "0")).state, EXECUTION_RUNNING);
	cr_expect_eq(read_status(STATUS("D (disk sleep)", "0")).state, EXECUTION_RUNNING);
	cr_expect_eq(read_status(STATUS("T (stopped)", "0")).state, EXECUTION_STOPPED);
	cr_expect_eq(read_status(STATUS("t (tracing stop)", "9")).state, EXECUTION_TRACED);
}

Test(execution, threads)
{
	struct execution execution = read_status(STATUS("S (sleeping)", "0"));

	cr_expect_eq(execution.threads, 0u, "it does not say");
	cr_expect_not(execution.first_thread_ended);
	execution = read_status(STATUS("Z (zombie)", "0") "Groups:\t0 27 \nThreads:\t7\n");
	cr_expect_eq(execution.threads, 7u);
	cr_expect(execution.first_thread_ended);
	cr_expect(read_status(STATUS("X (dead)", "0")).first_thread_ended);
}

Test(execution, names)
{
	cr_expect_str_eq(execution_state__name(EXECUTION_RUNNING), "running");
	cr_expect_str_eq(execution_state__name(EXECUTION_STOPPED), "stopped");
	cr_expect_str_eq(execution_state__name(EXECUTION_TRACED), "traced");
	cr_expect_str_eq(execution_state__name(EXECUTION_FROZEN), "frozen");
	cr_expect_str_eq(execution_state__name((enum execution_state)9), "unknown");
}

static const char *words_of(enum execution_state state)
{
	static char words[EXECUTION_TEXT];

	execution__text(&(struct execution){.state = state, .tracer = 9, .tracer_comm = "gdb"},
			words);
	return words;
}

Test(execution, words)
{
	cr_expect_str_empty(words_of(EXECUTION_RUNNING));
	cr_expect_str_eq(words_of(EXECUTION_STOPPED), "stopped by a signal");
	cr_expect_str_eq(words_of(EXECUTION_TRACED), "held by gdb (pid 9), which traces it");
	cr_expect_str_eq(words_of(EXECUTION_FROZEN), "frozen with its control group");
	cr_expect_str_empty(words_of((enum execution_state)9));
}

Test(execution, who_traces_it)
{
	struct execution execution = read_status(STATUS("S (sleeping)", "0"));

	cr_expect_eq(execution.tracer, 0);
	cr_expect_str_empty(execution.tracer_comm);
	execution = read_status(STATUS("S (sleeping)", "4711"));
	cr_expect_eq(execution.tracer, 4711);
	cr_expect_str_empty(execution.tracer_comm, "it has ended meanwhile");
	made_tree__put("4711/comm", "gdb\n");
	cr_expect_str_eq(read_status(STATUS("S (sleeping)", "4711")).tracer_comm, "gdb");
	made_tree__put("4711/comm", "a\tb\x1b[31m\n");
	cr_expect_str_eq(read_status(STATUS("S (sleeping)", "4711")).tracer_comm, "a?b?[31m");
}

/* A comm may look like other lines; its newlines are written as two characters. */
Test(execution, a_name_is_no_state)
{
	struct execution execution = read_status(
		"Name:\tx\\nTracerPid:\t5\nUmask:\t0022\nState:\tS (sleeping)\nTracerPid:\t0\n");

	cr_expect_eq(execution.tracer, 0);
}

Test(execution, what_it_refuses)
{
	struct execution execution = {.tracer = 99};

	cr_expect_eq(execution__read(root, 7, &execution), -ESRCH);
	made_tree__put("7/status", "Name:\tserver\n");
	cr_expect_eq(execution__read(root, 7, &execution), -EPROTO);
	made_tree__put("7/status", "");
	cr_expect_eq(execution__read(root, 7, &execution), -EPROTO);
	cr_expect_eq(execution.tracer, 99, "outputs stay untouched on failure");
}

static bool is_frozen(const char *groups)
{
	made_tree__put("7/cgroup", groups);
	return execution__is_frozen(root, root, 7);
}

Test(execution, frozen_by_version_2)
{
	made_tree__put("shop/cgroup.events", "populated 1\nfrozen 0\n");
	cr_expect_not(is_frozen("0::/shop\n"));
	made_tree__put("shop/cgroup.events", "populated 1\nfrozen 1\n");
	cr_expect(is_frozen("0::/shop\n"));
	cr_expect(is_frozen("0::/shop"), "without the last newline");
	cr_expect_not(is_frozen("0::/\n"), "the root has no such file");
}

Test(execution, frozen_by_version_2_beside_version_1)
{
	made_tree__put("unified/shop/cgroup.events", "populated 1\nfrozen 1\n");
	cr_expect(is_frozen("12:cpu,cpuacct:/\n0::/shop\n"));
}

Test(execution, frozen_by_version_1)
{
	made_tree__put("freezer/shop/freezer.state", "THAWED\n");
	cr_expect_not(is_frozen("6:freezer:/shop\n0::/\n"));
	made_tree__put("freezer/shop/freezer.state", "FROZEN\n");
	cr_expect(is_frozen("6:freezer:/shop\n0::/\n"));
	cr_expect(is_frozen("9:name=systemd:/x\n6:cpu,freezer:/shop\n0::/\n"));
	cr_expect_not(is_frozen("6:cpu:/shop\n0::/\n"), "another controller's group");
}

Test(execution, groups_that_cannot_be_seen)
{
	char *text = malloc(128 << 10);

	cr_assert_not_null(text);
	made_tree__put("shop/cgroup.events", "populated 1\nfrozen 1\n");
	cr_expect_not(execution__is_frozen(root, root, 7), "no such file");
	cr_expect_not(is_frozen(""));
	cr_expect_not(is_frozen("\n\n:\n::\n0:\n0::\n0::x\n"));
	cr_expect_not(is_frozen("0::/x/../shop\n"), "of another namespace");
	memset(text, 'x', (128 << 10) - 1);
	memcpy(text, "0::/", 4);
	text[(128 << 10) - 1] = '\0';
	cr_expect_not(is_frozen(text));
	free(text);
}
