// SPDX-License-Identifier: Apache-2.0
/*
 * Two passes. The first identifies the file of every process, which opens nothing; then processes
 * are sorted by file. The second goes through them file by file: each file is opened once, however
 * many processes run it, and only one is open at a time. Files that are no Go programs, nearly all
 * of them, are dismissed after a few reads.
 */
#include "discover/process_scan.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "host/capability.h"
#include "host/image_file.h"
#include "host/pids.h"
#include "discover/go_file.h"
#include "discover/goroutine_count.h"

/* A process and its file, between the passes. */
struct candidate {
	pid_t pid;
	struct image_file file;
};

struct process_scan {
	const char *proc_root;
	uint64_t boottime_ns;
	struct process_list list;
	struct listed_process *processes;
	size_t n, size;
};

/* --- the list ------------------------------------------------------------------------------------ */

/* All strings of the list are owned by it. */
static void process_release(struct listed_process *process)
{
	free((char *)process->user);
	free((char *)process->comm);
	free((char *)process->exe);
	free((char *)process->go_version);
	free((char *)process->module);
	free((char *)process->module_version);
	free((char *)process->reason);
}

void process_scan__free(struct process_scan *scan)
{
	if (!scan)
		return;
	for (size_t i = 0; i < scan->n; i++)
		process_release(&scan->processes[i]);
	free(scan->processes);
	free(scan);
}

/* The name of @uid, to free(); "" when it has none. Processes of one user tend to come in a row. */
static char *user_name(const struct process_scan *scan, uid_t uid)
{
	const struct listed_process *last = scan->n ? &scan->processes[scan->n - 1] : NULL;
	const struct passwd *entry;

	if (last && last->uid == uid)
		return strdup(last->user);
	entry = getpwuid(uid);
	return strdup(entry ? entry->pw_name : "");
}

/* What was found out about one process beyond its file. */
struct finding {
	struct process_info info;
	struct execution execution;
	bool supported, counted;
	uint64_t goroutines;
	const char *reason;
};

static int add(struct process_scan *scan, const struct go_file *file, const struct finding *finding)
{
	uint64_t uptime = process_id__uptime_ns(finding->info.id, scan->boottime_ns);
	struct listed_process process = {
		.pid = finding->info.id.pid,
		.uid = finding->info.uid,
		.user = user_name(scan, finding->info.uid),
		.comm = strdup(finding->info.comm),
		.exe = strdup(finding->info.exe),
		.uptime_seconds = (double)uptime / (double)NSEC_PER_SEC,
		.execution = finding->execution,
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
	    !process.module || !process.module_version || !process.reason ||
	    !array__reserve(scan->processes, scan->size, scan->n + 1)) {
		process_release(&process);
		return -ENOMEM;
	}
	scan->processes[scan->n++] = process;
	return 0;
}

/* --- one file and its processes ------------------------------------------------------------------ */

static bool same_file(const struct image_file *a, const struct image_file *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static bool still_runs(const struct process_scan *scan, const struct candidate *candidate)
{
	struct image_file now;

	return !image_file__identify(scan->proc_root, candidate->pid, &now) &&
	       same_file(&now, &candidate->file);
}

/* -EIO and kin are the misfortune of that file; running out of memory is ours. */
static int is_fatal(int err)
{
	return err == -ENOMEM;
}

/* Errors are those of a process that has ended. */
static void look_at_execution(const struct process_scan *scan, pid_t pid,
			      struct execution *execution)
{
	if (!execution__read(scan->proc_root, pid, execution) &&
	    execution->state == EXECUTION_RUNNING &&
	    execution__is_frozen(scan->proc_root, CGROUP_ROOT, pid))
		execution->state = EXECUTION_FROZEN;
}

/* Adds @candidate, which runs the Go program @file, unless it has ended by now. */
static int examine(struct process_scan *scan, const struct candidate *candidate,
		   struct go_file *file)
{
	struct finding finding = {.reason = file->reason.text};
	struct failure failure = {""};
	int err = process__read(scan->proc_root, candidate->pid, &finding.info, NULL);

	if (err)
		return 0;
	look_at_execution(scan, candidate->pid, &finding.execution);
	if (file->binary) {
		err = goroutine_count__take(scan->proc_root, candidate->pid, file->binary,
					    &file->symbolizer, &finding.goroutines, &failure);
		if (is_fatal(err))
			return err;
		finding.counted = !err;
		finding.supported = !err || err == -E2BIG;
		finding.reason = failure.text;
	}
	if (!still_runs(scan, candidate) || !process__same(scan->proc_root, finding.info.id))
		return 0;
	return add(scan, file, &finding);
}

/* The file of the first of @n candidates that still runs it; -ESRCH when none does. */
static int open_group(struct process_scan *scan, const struct candidate *group, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int fd = process__open_exe(scan->proc_root, group[i].pid, NULL);
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
static int examine_group(struct process_scan *scan, const struct candidate *group, size_t n)
{
	int fd __cleanup_close = -1;
	struct go_file file;
	int err;

	if (image_file__may_block(scan->proc_root, group->pid, &group->file)) {
		scan->list.not_opened += n;
		return 0;
	}
	fd = open_group(scan, group, n);
	if (fd < 0) {
		scan->list.not_readable += fd == -ESRCH ? 0 : n;
		return 0;
	}
	err = go_file__read(fd, &file);
	if (err) {
		scan->list.not_readable += n;
		return is_fatal(err) ? err : 0;
	}
	for (size_t i = 0; i < n && file.is_go && !err; i++)
		err = examine(scan, &group[i], &file);
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
	const struct listed_process *x = a, *y = b;

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
static bool is_user_process(const struct process_scan *scan, pid_t pid)
{
	struct process_info info;

	return !process__read(scan->proc_root, pid, &info, NULL) && !info.kernel_thread;
}

/* The first pass: returns how many of @pids have a file that can be looked at, first in @found. */
static size_t identify(struct process_scan *scan, const pid_t *pids, size_t n,
		       struct candidate *found)
{
	struct process_list *list = &scan->list;
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++) {
		struct candidate *candidate = &found[n_found];
		int err = image_file__identify(scan->proc_root, pids[i], &candidate->file);

		candidate->pid = pids[i];
		if (!err) {
			list->looked_at++;
			n_found++;
		} else if (err != -ESRCH && is_user_process(scan, pids[i])) {
			list->looked_at++;
			list->not_readable++;
		}
	}
	return n_found;
}

static int examine_all(struct process_scan *scan, struct candidate *found, size_t n)
{
	int err = 0;

	if (n)
		qsort(found, n, sizeof(*found), compare_candidates);
	for (size_t i = 0, end; i < n && !err; i = end) {
		for (end = i + 1; end < n && same_file(&found[i].file, &found[end].file);)
			end++;
		err = examine_group(scan, &found[i], end - i);
	}
	return err;
}

static int take(struct process_scan *scan, struct failure *failure)
{
	__cleanup_free struct candidate *found = NULL;
	__cleanup_free pid_t *pids = NULL;
	size_t n;
	int err = pids__read(scan->proc_root, &pids, &n);

	if (err)
		return failure__set(failure, err, "cannot read %s: %s", scan->proc_root,
				    strerror(-err));
	found = calloc(max_of(n, (size_t)1), sizeof(*found));
	err = found ? examine_all(scan, found, identify(scan, pids, n, found)) : -ENOMEM;
	if (err)
		return failure__set(failure, err, "out of memory while looking at %zu processes",
				    n);
	return 0;
}

int process_scan__take(const char *proc_root, struct process_scan **ret_scan,
		       struct failure *failure)
{
	struct process_scan *scan = calloc(1, sizeof(*scan));
	int err;

	if (!scan)
		return failure__set(failure, -ENOMEM, "out of memory");
	scan->proc_root = proc_root;
	scan->boottime_ns = process_id__boottime_ns();
	scan->list.realtime_ns = clock__realtime_ns();
	scan->list.privileged = capability__has(CAP_SYS_PTRACE);
	err = take(scan, failure);
	if (err) {
		process_scan__free(scan);
		return err;
	}
	if (scan->n)
		qsort(scan->processes, scan->n, sizeof(*scan->processes), compare_processes);
	scan->list.processes = scan->processes;
	scan->list.n_processes = scan->n;
	*ret_scan = scan;
	return 0;
}

const struct process_list *process_scan__list(const struct process_scan *scan)
{
	return &scan->list;
}
