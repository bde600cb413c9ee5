// SPDX-License-Identifier: Apache-2.0
/*
 * Two passes. The first identifies the file of every process, which opens nothing; then processes
 * are sorted by file. The second goes through them file by file: each file is opened once, however
 * many processes run it, and only one is open at a time. Files that are no Go programs, nearly all
 * of them, are dismissed after a few reads.
 */
#include "session/inventory.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "host/capability.h"
#include "host/image_file.h"
#include "host/process_list.h"
#include "session/go_file.h"
#include "session/head_count.h"

/* A process and its file, between the passes. */
struct candidate {
	pid_t pid;
	struct image_file file;
};

struct inventory {
	const char *proc_root;
	uint64_t boottime_ns;
	struct list list;
	struct list_process *processes;
	size_t n, size;
};

/* --- the list ------------------------------------------------------------------------------------ */

/* All strings of the list are owned by it. */
static void process_release(struct list_process *process)
{
	free((char *)process->user);
	free((char *)process->comm);
	free((char *)process->exe);
	free((char *)process->go_version);
	free((char *)process->module);
	free((char *)process->module_version);
	free((char *)process->reason);
}

void inventory__free(struct inventory *inventory)
{
	if (!inventory)
		return;
	for (size_t i = 0; i < inventory->n; i++)
		process_release(&inventory->processes[i]);
	free(inventory->processes);
	free(inventory);
}

/* The name of @uid, to free(); "" when it has none. Processes of one user tend to come in a row. */
static char *user_name(const struct inventory *inventory, uid_t uid)
{
	const struct list_process *last =
		inventory->n ? &inventory->processes[inventory->n - 1] : NULL;
	const struct passwd *entry;

	if (last && last->uid == uid)
		return strdup(last->user);
	entry = getpwuid(uid);
	return strdup(entry ? entry->pw_name : "");
}

static int grow(struct inventory *inventory)
{
	size_t size = max_of(inventory->size * 2, (size_t)16);
	struct list_process *processes;

	if (inventory->n < inventory->size)
		return 0;
	processes = reallocarray(inventory->processes, size, sizeof(*processes));
	if (!processes)
		return -ENOMEM;
	inventory->processes = processes;
	inventory->size = size;
	return 0;
}

/* What was found out about one process beyond its file. */
struct finding {
	struct process_info info;
	bool supported, counted;
	uint64_t goroutines;
	const char *reason;
};

static int add(struct inventory *inventory, const struct go_file *file,
	       const struct finding *finding)
{
	uint64_t uptime = process_list__uptime_ns(finding->info.id, inventory->boottime_ns);
	struct list_process process = {
		.pid = finding->info.id.pid,
		.uid = finding->info.uid,
		.user = user_name(inventory, finding->info.uid),
		.comm = strdup(finding->info.comm),
		.exe = strdup(finding->info.exe),
		.uptime_seconds = (double)uptime / (double)NSEC_PER_SEC,
		.counted = finding->counted,
		.goroutines = finding->goroutines,
		.go_version = strdup(file->go_version),
		.module = strdup(file->module),
		.module_version = strdup(file->module_version),
		.build = file->build,
		.supported = finding->supported,
		.reason = strdup(finding->reason),
	};

	if (!process.user || !process.comm || !process.exe || !process.go_version ||
	    !process.module || !process.module_version || !process.reason || grow(inventory)) {
		process_release(&process);
		return -ENOMEM;
	}
	inventory->processes[inventory->n++] = process;
	return 0;
}

/* --- one file and its processes ------------------------------------------------------------------ */

static bool same_file(const struct image_file *a, const struct image_file *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static bool still_runs(const struct inventory *inventory, const struct candidate *candidate)
{
	struct image_file now;

	return !image_file__identify(inventory->proc_root, candidate->pid, &now) &&
	       same_file(&now, &candidate->file);
}

/* -EIO and kin are the misfortune of that file; running out of memory is ours. */
static int is_fatal(int err)
{
	return err == -ENOMEM;
}

/* Adds @candidate, which runs the Go program @file, unless it has ended by now. */
static int examine(struct inventory *inventory, const struct candidate *candidate,
		   struct go_file *file)
{
	struct finding finding = {.reason = file->reason.text};
	struct failure failure = {""};
	int err = process__read(inventory->proc_root, candidate->pid, &finding.info, NULL);

	if (err)
		return 0;
	if (file->binary) {
		err = head_count__take(inventory->proc_root, candidate->pid, file->binary,
				       &file->symbolizer, &finding.goroutines, &failure);
		if (is_fatal(err))
			return err;
		finding.counted = !err;
		finding.supported = !err || err == -E2BIG;
		finding.reason = failure.text;
	}
	if (!still_runs(inventory, candidate) ||
	    !process__same(inventory->proc_root, finding.info.id))
		return 0;
	return add(inventory, file, &finding);
}

/* The file of the first of @n candidates that still runs it; -ESRCH when none does. */
static int open_group(struct inventory *inventory, const struct candidate *group, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int fd = process__open_exe(inventory->proc_root, group[i].pid, NULL);
		struct stat opened;

		if (fd == -ESRCH)
			continue;
		if (fd < 0)
			return fd;
		if (!fstat(fd, &opened) && opened.st_dev == group[i].file.device &&
		    opened.st_ino == group[i].file.inode)
			return fd;
		close(fd);
	}
	return -ESRCH;
}

/* All of @group run the same file. */
static int examine_group(struct inventory *inventory, const struct candidate *group, size_t n)
{
	int fd __cleanup_close = -1;
	struct go_file file;
	int err;

	if (image_file__may_block(inventory->proc_root, group->pid, &group->file)) {
		inventory->list.not_opened += n;
		return 0;
	}
	fd = open_group(inventory, group, n);
	if (fd < 0) {
		inventory->list.not_readable += fd == -ESRCH ? 0 : n;
		return 0;
	}
	err = go_file__read(fd, &file);
	if (err) {
		inventory->list.not_readable += n;
		return is_fatal(err) ? err : 0;
	}
	for (size_t i = 0; i < n && file.is_go && !err; i++)
		err = examine(inventory, &group[i], &file);
	go_file__release(&file);
	return err;
}

/* --- all of them --------------------------------------------------------------------------------- */

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->file.device != y->file.device)
		return x->file.device < y->file.device ? -1 : 1;
	if (x->file.inode != y->file.inode)
		return x->file.inode < y->file.inode ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Most goroutines first, those that could not be counted last. */
static int compare_processes(const void *a, const void *b)
{
	const struct list_process *x = a, *y = b;

	if (x->counted != y->counted)
		return x->counted ? -1 : 1;
	if (x->goroutines != y->goroutines)
		return x->goroutines > y->goroutines ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/*
 * Whether @pid, whose executable may not be looked at, has one: a kernel thread has none, and that
 * can be seen without permission.
 */
static bool is_user_process(const struct inventory *inventory, pid_t pid)
{
	struct process_info info;

	return !process__read(inventory->proc_root, pid, &info, NULL) && !info.kernel_thread;
}

/* The first pass: returns how many of @pids have a file that can be looked at, first in @found. */
static size_t identify(struct inventory *inventory, const pid_t *pids, size_t n,
		       struct candidate *found)
{
	struct list *list = &inventory->list;
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++) {
		struct candidate *candidate = &found[n_found];
		int err = image_file__identify(inventory->proc_root, pids[i], &candidate->file);

		candidate->pid = pids[i];
		if (!err) {
			list->looked_at++;
			n_found++;
		} else if (err != -ESRCH && is_user_process(inventory, pids[i])) {
			list->looked_at++;
			list->not_readable++;
		}
	}
	return n_found;
}

static int examine_all(struct inventory *inventory, struct candidate *found, size_t n)
{
	int err = 0;

	if (n)
		qsort(found, n, sizeof(*found), compare_candidates);
	for (size_t i = 0, end; i < n && !err; i = end) {
		for (end = i + 1; end < n && same_file(&found[i].file, &found[end].file);)
			end++;
		err = examine_group(inventory, &found[i], end - i);
	}
	return err;
}

static int take(struct inventory *inventory, struct failure *failure)
{
	__cleanup_free struct candidate *found = NULL;
	__cleanup_free pid_t *pids = NULL;
	size_t n;
	int err = process_list__pids(inventory->proc_root, &pids, &n);

	if (err)
		return failure__set(failure, err, "cannot read %s: %s", inventory->proc_root,
				    strerror(-err));
	found = calloc(max_of(n, (size_t)1), sizeof(*found));
	err = found ? examine_all(inventory, found, identify(inventory, pids, n, found)) : -ENOMEM;
	if (err)
		return failure__set(failure, err, "out of memory while looking at %zu processes",
				    n);
	return 0;
}

int inventory__take(const char *proc_root, struct inventory **ret_inventory,
		    struct failure *failure)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));
	int err;

	if (!inventory)
		return failure__set(failure, -ENOMEM, "out of memory");
	inventory->proc_root = proc_root;
	inventory->boottime_ns = process_list__boottime_ns();
	inventory->list.realtime_ns = clock__realtime_ns();
	inventory->list.privileged = capability__has(CAP_SYS_PTRACE);
	err = take(inventory, failure);
	if (err) {
		inventory__free(inventory);
		return err;
	}
	if (inventory->n)
		qsort(inventory->processes, inventory->n, sizeof(*inventory->processes),
		      compare_processes);
	inventory->list.processes = inventory->processes;
	inventory->list.n_processes = inventory->n;
	*ret_inventory = inventory;
	return 0;
}

const struct list *inventory__list(const struct inventory *inventory)
{
	return &inventory->list;
}
