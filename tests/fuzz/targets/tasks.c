// SPDX-License-Identifier: Apache-2.0
/*
 * A /proc tree as far as it tells who runs, who waits and who has ended, in which any user's names, namespaces and
 * mounts are. The input is its files in the order of `files`, separated by bytes of 0xff.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/children.h"
#include "host/execution.h"
#include "host/mounts.h"
#include "host/steal.h"
#include "host/task.h"
#include "made_tree.h"

#define PID	  77
#define UNTOUCHED 1009
#define THREAD	  79
#define CHILD	  80
#define MOUNT	  24
#define CHILDREN  2 /* that there can be: PID itself may say that it is one */

static const char *const files[] = {
	"77/status",
	"80/stat",
	"80/status",
	"77/stat",
	"77/task/79/syscall",
	"77/task/79/status",
	"77/task/79/schedstat",
	"77/comm",
	"77/cgroup",
	"shop/cgroup.events",
	"freezer/shop/freezer.state",
	"77/mountinfo",
	"stat",
};

static struct fuzz_region there[ARRAY_SIZE(files)]; /* what is in each */

/* Up to the next separator, NULs included. Most inputs differ from the one before in one file. */
static void put_part(size_t i, struct fuzz_input *input)
{
	const uint8_t *end = input->left ? memchr(input->data, 0xff, input->left) : NULL;
	size_t n = end ? (size_t)(end - input->data) : input->left;

	if (!there[i].data || there[i].size != n || (n && memcmp(there[i].data, input->data, n))) {
		free(there[i].data);
		there[i] = (struct fuzz_region){malloc(n + 1), n};
		fuzz__require(there[i].data != NULL);
		if (n)
			memcpy(there[i].data, input->data, n);
		made_tree__put_bytes(files[i], there[i].data, n);
	}
	input->data += end ? n + 1 : n;
	input->left -= end ? n + 1 : n;
}

static void remove_all(void)
{
	made_tree__remove();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		free(there[i].data);
}

static void check_children(const char *root)
{
	struct ended_child *children = NULL;
	size_t n = 0;
	int err = process__ended_children(root, PID, &children, &n);

	fuzz__require(err <= 0 && n <= CHILDREN && (!err || !n));
	for (size_t i = 0; i < n; i++) {
		fuzz__require(children[i].pid == CHILD || children[i].pid == PID);
		fuzz__require(!i || children[i - 1].number <= children[i].number);
		fuzz__require(ended_children__find(children, n, children[i].number) != NULL);
	}
	fuzz__require(ended_children__keep(root, PID, children, n) == n);
	free(children);
}

static void check_task(const char *root)
{
	struct task_call call = {.number = UNTOUCHED};
	struct task_times times = {.cpu_ns = UNTOUCHED};
	struct process_rest rest;
	uint64_t delay_ns;
	pid_t tid = 0;
	int err = task__find(root, PID, 7, &tid);

	fuzz__require(err ? err < 0 && !tid : tid == THREAD);
	err = process__rest(root, PID, &rest);
	fuzz__require(err ? err < 0 && !rest.n : rest.n == 1 && rest.tids[0] == THREAD);
	fuzz__require(process__rests_since(root, PID, &rest) == !err);
	err = task__call(root, PID, THREAD, &call);
	fuzz__require(!err || (err < 0 && call.number == UNTOUCHED));
	err = task__times(root, PID, THREAD, &times);
	fuzz__require(!err || (err < 0 && times.cpu_ns == UNTOUCHED));
	/* All threads that tell: this one. */
	if (!err && !process__run_delay(root, PID, &delay_ns))
		fuzz__require(delay_ns == times.run_delay_ns);
}

static void check_execution(const char *root)
{
	char text[EXECUTION_TEXT];
	struct execution execution;

	execution__is_frozen(root, root, PID);
	if (execution__read(root, PID, &execution))
		return;
	fuzz__require(memchr(execution.tracer_comm, '\0', sizeof(execution.tracer_comm)));
	for (const char *c = execution.tracer_comm; *c; c++)
		fuzz__require(!iscntrl((unsigned char)*c));
	execution__text(&execution, text);
	fuzz__require(memchr(text, '\0', sizeof(text)));
	fuzz__require(!text[0] == (execution.state == EXECUTION_RUNNING));
}

static void check_mounts(const char *root)
{
	mounts__forget();
	mounts__is_below_fuse(root, PID, "/home/joe/far away/shop");
	mounts__is_fuse(root, PID, MOUNT);
	mounts__forget();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *root;
	struct fuzz_input input = {data, size};
	struct steal steal;
	int descriptor;

	if (!root) {
		fuzz__require(!setenv("TMPDIR", "/dev/shm", 1));
		root = made_tree__new();
		fuzz__require(!atexit(remove_all));
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put_part(i, &input);
	descriptor = fuzz__next_descriptor();
	check_children(root);
	check_task(root);
	check_execution(root);
	check_mounts(root);
	fuzz__require(host__steal(root, &steal) <= 0);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
