// SPDX-License-Identifier: Apache-2.0
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/run.h"
#include "host/access.h"
#include "host/access_guard.h"
#include "host/capability.h"
#include "doctor/parts.h"
#include "discover/process_scan.h"

#define PROCESSES "processes"

/* A thousand files are looked at in a second; who does not answer takes two of each user's three tries. */
#define PROCESSES_PATIENCE_MS 15000

/* For what somebody made that leads around in circles: of the largest executables it is a small part. */
#define MAX_ADDRESS_SPACE (8ULL << 30)

/* include/linux/proc_ns.h: PROC_USER_INIT_INO, the inode of the first user namespace. */
#define HOST_USER_NAMESPACE 0xeffffffdu

static bool in_host_users(void)
{
	struct stat namespace;

	return stat("/proc/self/ns/user", &namespace) || namespace.st_ino == HOST_USER_NAMESPACE;
}

static void gather(const struct doctor_options *options, struct doctor_report *report,
		   struct doctor_facts *facts)
{
	struct rlimit memlock = {0};
	struct utsname name = {0};

	*facts = (struct doctor_facts){
		.proc_root = options->proc_root,
		.sys_root = options->sys_root,
		.host_users = in_host_users(),
	};
	(void)uname(&name);
	if (sscanf(name.release, "%d.%d", &facts->major, &facts->minor) != 2)
		facts->major = facts->minor = 0;
	snprintf(report->kernel, sizeof(report->kernel), "%s", name.release);
	snprintf(report->machine, sizeof(report->machine), "%s", name.machine);
	if (!getrlimit(RLIMIT_MEMLOCK, &memlock))
		facts->memlock = memlock.rlim_cur;
	/* Without it nothing is permitted, which is what will be said. */
	if (capability__effective("/proc/self/status", &facts->capabilities))
		facts->capabilities = 0;
	kernel__probe(&facts->features);
}

/* --- processes, in a child ------------------------------------------------------------------------ */

static const char *const process_checks[] = {"executables", "fuse", "go_processes", "unanswered"};

/* What the child's worker says, which has read what others wrote, and is not to be trusted. */
struct told {
	size_t n;
	struct told_item {
		size_t check; /* of process_checks[] */
		enum doctor_status status;
		int err;
		char found[DOCTOR_TEXT];
		char advice[DOCTOR_TEXT];
	} items[ARRAY_SIZE(process_checks)];
};

struct look {
	const struct doctor_facts *facts;
	struct told *told;
};

static void add_unanswered(struct doctor_report *report)
{
	struct quarantine_entry entries[QUARANTINE_MAX];
	size_t n = access__quarantined(entries, QUARANTINE_MAX);
	char pids[QUARANTINE_MAX * 12] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(pids + strlen(pids), sizeof(pids) - strlen(pids), "%s%d", i ? ", " : "",
			 entries[i].id.pid);
	if (n)
		doctor__problem(report, PROCESSES, "unanswered", 0,
				"see what they run, and have mapped: it is on a file system whose "
				"server does not answer (FUSE, NFS); others are watched all the "
				"same",
				"%zu could not be looked at within %d s: pid %.300s", n,
				(int)(ACCESS_GUARD_DEADLINE_NS / NSEC_PER_SEC), pids);
}

static void tell(struct told *told, const struct doctor_report *report)
{
	for (size_t i = 0; i < report->n_items && told->n < ARRAY_SIZE(told->items); i++) {
		const struct doctor_item *item = &report->items[i];
		struct told_item *to = &told->items[told->n++];

		while (to->check < ARRAY_SIZE(process_checks) &&
		       strcmp(process_checks[to->check], item->name) != 0)
			to->check++;
		to->status = item->status;
		to->err = item->err;
		memcpy(to->found, item->found, sizeof(to->found));
		memcpy(to->advice, item->advice, sizeof(to->advice));
	}
}

static void take(struct doctor_report *report, const struct told *told)
{
	for (size_t i = 0; i < told->n && i < ARRAY_SIZE(told->items); i++) {
		struct told_item item = told->items[i];

		item.found[sizeof(item.found) - 1] = item.advice[sizeof(item.advice) - 1] = '\0';
		if (item.check >= ARRAY_SIZE(process_checks))
			continue;
		if (item.status == DOCTOR_OK)
			doctor__ok(report, PROCESSES, process_checks[item.check], "%s", item.found);
		else
			doctor__problem(report, PROCESSES, process_checks[item.check], item.err,
					item.advice, "%s", item.found);
	}
}

/* In the worker. */
static int look_at_processes(void *ctx)
{
	const struct look *look = ctx;
	struct doctor_report report = {.n_items = 0};
	struct failure failure = {""};
	struct process_scan *scan;
	int err = process_scan__take(look->facts->proc_root, &scan, &failure);

	if (err) {
		doctor__problem(&report, PROCESSES, "go_processes", err,
				"mount /proc where gleakd runs", "%s", failure.text);
	} else {
		doctor_part__processes(&report, look->facts, process_scan__list(scan));
		process_scan__free(scan);
		add_unanswered(&report);
	}
	tell(look->told, &report);
	return 0;
}

/* What looking at processes takes, which was given up already. */
static uint64_t give_up(void *ctx __maybe_unused, bool probes __maybe_unused,
			bool uprobe_multi __maybe_unused)
{
	return capability__all();
}

/* As every other command: who looks has no privileges, and asks who has. */
static int look_by_worker(struct look *look)
{
	const struct capability_use census = {.probes = false};
	const struct broker_files files = {.in = {NULL}};
	const char *const readable[] = {look->facts->proc_root, "/sys/fs/cgroup",
					"/sys/devices/system/cpu"};
	const struct broker_options options = {
		.server = {.files = &files, .give_up = give_up},
		.sandbox =
			{
				.readable = readable,
				.n_readable = ARRAY_SIZE(readable),
				.max_address_space = MAX_ADDRESS_SPACE,
			},
	};
	struct failure failure = {""};
	uint64_t kept;

	/* It was ours before: what cannot be given up is no reason not to look. */
	(void)!capability__keep(capability__needed(&census), &kept, &failure);
	return broker__run(&options, look_at_processes, look);
}

/* It holds nothing open that others wait for the end of, should it never get to its own. */
static _Noreturn void be_child(struct look *look, int until)
{
	int nothing = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int standard = 0; standard <= STDERR_FILENO; standard++) {
		if (nothing < 0 || dup2(nothing, standard) < 0)
			_exit(1);
	}
	if (until != STDERR_FILENO + 1 && dup2(until, STDERR_FILENO + 1) < 0)
		_exit(1);
	close_range(STDERR_FILENO + 2, ~0u, 0);
	_exit(look_by_worker(look));
}

/* Whether the child came to its end; one that a file system holds is left behind as it is. */
static bool wait_for(pid_t pid, int end)
{
	struct pollfd closed = {.fd = end, .events = POLLIN};
	uint64_t until_ns = clock__monotonic_ns() + PROCESSES_PATIENCE_MS * NSEC_PER_MSEC;
	int n, status = 1;

	do {
		uint64_t now_ns = clock__monotonic_ns();

		n = poll(&closed, 1,
			 now_ns < until_ns ? (int)((until_ns - now_ns) / NSEC_PER_MSEC) + 1 : 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		kill(pid, SIGKILL);
	return waitpid(pid, &status, n > 0 ? 0 : WNOHANG) == pid && n > 0 && !status;
}

/*
 * What others run may be on a file system that does not answer, and what is opened in time may be held up when it is
 * read: it is a child that looks.
 */
static void add_processes(const struct doctor_facts *facts, struct doctor_report *report)
{
	struct told *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct look look = {.facts = facts, .told = told};
	bool done = false;
	int ends[2];
	pid_t pid;

	if (told != MAP_FAILED && !pipe2(ends, O_CLOEXEC)) {
		pid = fork();
		if (!pid)
			be_child(&look, ends[1]);
		close(ends[1]);
		done = pid > 0 && wait_for(pid, ends[0]);
		close(ends[0]);
	}
	if (done && told->n)
		take(report, told);
	else
		doctor__problem(report, PROCESSES, "go_processes", 0,
				"see gleakd list: it names the process whose file cannot be read",
				"not known: to look at all processes took longer than %d s; one of "
				"them may run from a file system whose server does not answer",
				PROCESSES_PATIENCE_MS / 1000);
	if (told != MAP_FAILED)
		munmap(told, sizeof(*told));
}

/*
 * Files come first: looking at them takes a process of its own, which is to inherit no descriptor of
 * BPF, should its file system never let it go.
 */
void doctor__run(const struct doctor_options *options, struct doctor_report *report)
{
	struct doctor_facts facts;

	*report = (struct doctor_report){
		.realtime_ns = clock__realtime_ns(),
		.version = options->version,
		.revision = options->revision,
	};
	doctor_part__files(report, options->textfile, options->state_directory);
	gather(options, report, &facts);
	doctor_part__kernel(report, &facts);
	doctor_part__permissions(report, &facts);
	doctor_part__system(report, &facts);
	doctor_part__tried(report, &facts);
	add_processes(&facts, report);
	report->exit_code = doctor__exit_code(report);
}
