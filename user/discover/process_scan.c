// SPDX-License-Identifier: Apache-2.0
/*
 * Two passes. The first identifies the file of every process, which opens nothing, and finds the
 * libraries with Go in them; then both are sorted by file. The second goes through them file by file:
 * each file is opened once, however many processes run it or have it mapped, and only one is open at a
 * time. Files that are no Go programs, nearly all of them, are dismissed after a few reads.
 */
#include "discover/process_scan.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "host/access.h"
#include "host/capability.h"
#include "host/exe_claim.h"
#include "host/image_file.h"
#include "host/pids.h"
#include "discover/exe_cache.h"
#include "discover/go_file.h"
#include "discover/goroutine_count.h"
#include "discover/runtimes.h"

/* A process and its file, or a library of it, between the passes. */
struct candidate {
	pid_t pid;
	struct image_file file;	     /* all 0: it cannot be told which; these come last */
	struct runtime_place *place; /* of a library; NULL: the executable */
};

struct candidates {
	struct candidate *list;
	size_t n, size;
};

struct process_scan {
	const char *proc_root;
	uint64_t boottime_ns;
	struct process_list list;
	struct listed_process *processes;
	size_t n, size;
	struct exe_cache *files; /* that were looked at for Go */
};

/* --- the list ------------------------------------------------------------------------------------ */

/* All strings of the list are owned by it. */
static void process_release(struct listed_process *process)
{
	free((char *)process->user);
	free((char *)process->comm);
	free((char *)process->exe);
	free((char *)process->runtime_file);
	free((char *)process->exe_claimant);
	free((char *)process->build_id);
	free((char *)process->go_version);
	free((char *)process->module);
	free((char *)process->main_path);
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
	exe_cache__free(scan->files);
	free(scan);
}

/* The name of @uid, to free(); "" when it has none. Processes of one user tend to come in a row. */
static char *user_name(const struct process_scan *scan, uid_t uid)
{
	const struct listed_process *last = scan->n ? &scan->processes[scan->n - 1] : NULL;
	char name[LOGIN_NAME_MAX];
	ssize_t length;

	if (last && last->uid == uid)
		return strdup(last->user);
	length = access__user_name(uid, name, sizeof(name));
	return strndup(name, length < 0 ? 0 : (size_t)length);
}

/* What was found out about one process beyond its file. */
struct finding {
	struct process_info info;
	const struct runtime_place *place;
	struct execution execution;
	const struct process_origin *origin;
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
		.exe_claimant = strdup(finding->origin->exe_claimant),
		.exe_elsewhere = finding->origin->exe_elsewhere,
		.runtime_file =
			strdup(finding->place ? finding->place->mapped.path : finding->info.exe),
		.build_id = strdup(file->binary ? go_binary__build_id(file->binary) : ""),
		.uptime_seconds = (double)uptime / (double)NSEC_PER_SEC,
		.execution = finding->execution,
		.counted = finding->counted,
		.goroutines = finding->goroutines,
		.go_version = strdup(file->go_version),
		.module = strdup(file->module),
		.main_path = strdup(file->main_path),
		.module_version = strdup(file->module_version),
		.build = file->build,
		.supported = finding->supported,
		.reason = strdup(finding->reason),
	};

	/* A library has no interpreter of its own. */
	if (finding->place)
		process.build.statically_linked = FACT_NO;
	if (!process.user || !process.comm || !process.exe || !process.exe_claimant ||
	    !process.runtime_file || !process.build_id || !process.go_version || !process.module ||
	    !process.main_path || !process.module_version || !process.reason ||
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

	if (candidate->place)
		return true;
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

/* Plugins belong to the runtime of their program, which is in the list already, or cannot be. */
static bool is_plugin(const struct process_scan *scan, const struct candidate *candidate,
		      const struct go_file *file)
{
	if (!candidate->place)
		return false;
	if (file->binary)
		return go_binary__build_info(file->binary)->plugin;
	for (size_t i = 0; i < scan->n; i++) {
		const struct listed_process *process = &scan->processes[i];

		if (process->pid == candidate->pid && !strcmp(process->exe, process->runtime_file))
			return true;
	}
	return false;
}

static int count_goroutines(const struct process_scan *scan, const struct candidate *candidate,
			    struct go_file *file, uint64_t *ret_goroutines, struct failure *failure)
{
	return goroutine_count__take(scan->proc_root, candidate->pid, candidate->place,
				     file->binary, &file->symbolizer, ret_goroutines, failure);
}

/*
 * Where its memory is not as that of another process of the file, at which the file was looked with before, one of the
 * two may be lying: nobody's memory is a word about others. @fd: of the file.
 */
static int count_by_itself(const struct process_scan *scan, const struct candidate *candidate,
			   int fd, uint64_t *ret_goroutines, struct failure *failure)
{
	struct go_file own;
	int err = go_file__read(fd, &own);

	if (err)
		return failure__set(failure, err, "its file cannot be read: %s", strerror(-err));
	err = own.binary ? count_goroutines(scan, candidate, &own, ret_goroutines, failure) :
			   -EOPNOTSUPP;
	go_file__release(&own);
	return err;
}

/* Adds @candidate, which has the Go program @file, open as @fd, unless it has ended by now. */
static int examine(struct process_scan *scan, const struct candidate *candidate,
		   struct go_file *file, int fd)
{
	struct process_origin origin = {0};
	struct finding finding = {
		.place = candidate->place, .origin = &origin, .reason = file->reason.text};
	struct failure failure = {""};
	int err = process__read(scan->proc_root, candidate->pid, &finding.info, NULL);

	if (err || is_plugin(scan, candidate, file))
		return 0;
	look_at_execution(scan, candidate->pid, &finding.execution);
	(void)!cgroup__read(scan->proc_root, candidate->pid, &origin);
	exe_claim__find(scan->proc_root, candidate->pid, finding.info.uid, &origin);
	if (file->binary) {
		bool bound = go_binary__is_bound(file->binary);

		err = count_goroutines(scan, candidate, file, &finding.goroutines, &failure);
		if (err == -EOPNOTSUPP && bound)
			err = count_by_itself(scan, candidate, fd, &finding.goroutines, &failure);
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

static int open_executable(struct process_scan *scan, const struct candidate *candidate)
{
	int fd = process__open_exe(scan->proc_root, candidate->pid, NULL);
	struct stat opened;

	if (fd < 0)
		return fd;
	if (!fstat(fd, &opened) && opened.st_dev == candidate->file.device &&
	    opened.st_ino == candidate->file.inode)
		return fd;
	close(fd);
	return -ESRCH;
}

/* The file of the first of @n candidates that still has it; -ESRCH when none does. */
static int open_group(struct process_scan *scan, const struct candidate *group, size_t n,
		      struct failure *failure)
{
	int fd = -ESRCH;

	for (size_t i = 0; i < n && fd == -ESRCH; i++)
		fd = group[i].place ? mapped_file__open(scan->proc_root, group[i].pid,
							&group[i].place->mapped, failure) :
				      open_executable(scan, &group[i]);
	return fd;
}

/* Nobody knows whether executables that may not be read are Go's; of a library memory has told. */
static int leave_out(struct process_scan *scan, const struct candidate *group, size_t n,
		     const struct failure *failure)
{
	struct go_file file = {.reason = *failure};
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (group[i].place)
			err = examine(scan, &group[i], &file, -1);
		else
			scan->list.not_readable++;
	}
	return err;
}

/* All of @group have the same file. */
static int examine_group(struct process_scan *scan, const struct candidate *group, size_t n)
{
	struct failure failure = {""};
	int fd __cleanup_close = -1;
	struct go_file file;
	int err;

	if (!group->place && image_file__may_block(scan->proc_root, group->pid, &group->file)) {
		scan->list.not_opened += n;
		return 0;
	}
	fd = open_group(scan, group, n, &failure);
	if (fd < 0)
		return fd == -ESRCH ? 0 : leave_out(scan, group, n, &failure);
	err = go_file__read(fd, &file);
	if (err) {
		failure__set(&failure, err, "its file cannot be read: %s", strerror(-err));
		return is_fatal(err) ? err : leave_out(scan, group, n, &failure);
	}
	for (size_t i = 0; i < n && file.is_go && !err; i++)
		err = examine(scan, &group[i], &file, fd);
	go_file__release(&file);
	return err;
}

/* --- all of them --------------------------------------------------------------------------------- */

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (!x->file.inode != !y->file.inode)
		return x->file.inode ? -1 : 1;
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

static int add_candidate(struct candidates *found, pid_t pid, const struct image_file *file,
			 const struct runtime_place *place)
{
	struct candidate candidate = {.pid = pid, .file = *file};

	if (!array__reserve(found->list, found->size, found->n + 1))
		return -ENOMEM;
	if (place) {
		candidate.place = malloc(sizeof(*place));
		if (!candidate.place)
			return -ENOMEM;
		*candidate.place = *place;
	}
	found->list[found->n++] = candidate;
	return 0;
}

static bool same_place(const struct runtime_place *a, const struct runtime_place *b)
{
	return a->mapped.inode == b->mapped.inode && a->mapped.major == b->mapped.major &&
	       a->mapped.minor == b->mapped.minor;
}

/* A file is mapped in several pieces at most; the first has the beginning of the code. */
static int add_libraries(struct process_scan *scan, pid_t pid, struct candidates *found)
{
	struct runtimes *runtimes;
	int err = runtimes__find(scan->proc_root, pid, scan->files, &runtimes);

	if (err)
		return is_fatal(err) ? err : 0;
	for (size_t i = 0; i < runtimes->n && !err; i++) {
		const struct runtime_place *place = &runtimes->places[i];

		if (!i || !same_place(place, place - 1))
			err = add_candidate(found, pid, &place->file.file, place);
	}
	free(runtimes);
	return err;
}

/* The first pass: what of @pids can be looked at. */
static int identify(struct process_scan *scan, const pid_t *pids, size_t n,
		    struct candidates *found)
{
	struct process_list *list = &scan->list;
	int result = 0;

	for (size_t i = 0; i < n && !result; i++) {
		struct image_file file;
		int err = image_file__identify(scan->proc_root, pids[i], &file);

		if (!err) {
			list->looked_at++;
			result = add_candidate(found, pids[i], &file, NULL);
			if (!result)
				result = add_libraries(scan, pids[i], found);
		} else if (err != -ESRCH && is_user_process(scan, pids[i])) {
			list->looked_at++;
			list->not_readable++;
		}
	}
	return result;
}

/* Candidates of one file that cannot be told which it is are a group each. */
static int examine_all(struct process_scan *scan, struct candidates *found)
{
	struct candidate *list = found->list;
	int err = 0;

	if (found->n)
		qsort(list, found->n, sizeof(*list), compare_candidates);
	for (size_t i = 0, end; i < found->n && !err; i = end) {
		for (end = i + 1; end < found->n && list[i].file.inode &&
				  same_file(&list[i].file, &list[end].file);)
			end++;
		err = examine_group(scan, &list[i], end - i);
	}
	return err;
}

static void free_candidates(struct candidates *found)
{
	for (size_t i = 0; i < found->n; i++)
		free(found->list[i].place);
	free(found->list);
}

static int take(struct process_scan *scan, struct failure *failure)
{
	struct candidates found = {.n = 0};
	__cleanup_free pid_t *pids = NULL;
	size_t n;
	int err = pids__read(scan->proc_root, &pids, &n);

	if (err)
		return failure__set(failure, err, "cannot read %s: %s", scan->proc_root,
				    strerror(-err));
	err = exe_cache__new(EXE_CACHE_MAX, &scan->files);
	if (!err)
		err = identify(scan, pids, n, &found);
	if (!err)
		err = examine_all(scan, &found);
	free_candidates(&found);
	if (err)
		return failure__set(failure, err, "out of memory while looking at %zu processes",
				    n);
	return 0;
}

/* Those with libraries are few: looked for once more, they cost less than to sort all. */
static void mark_others(struct process_scan *scan)
{
	for (size_t i = 0; i < scan->n; i++) {
		if (!strcmp(scan->processes[i].exe, scan->processes[i].runtime_file))
			continue;
		for (size_t k = 0; k < scan->n; k++) {
			if (scan->processes[k].pid != scan->processes[i].pid || k == i)
				continue;
			scan->processes[max_of(i, k)].another = true;
		}
	}
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
	mark_others(scan);
	scan->list.processes = scan->processes;
	scan->list.n_processes = scan->n;
	*ret_scan = scan;
	return 0;
}

const struct process_list *process_scan__list(const struct process_scan *scan)
{
	return &scan->list;
}
