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
#include "host/access.h"
#include "host/access_guard.h"
#include "host/capability.h"
#include "doctor/parts.h"
#include "discover/process_scan.h"

#define PROCESSES "processes"

/* A thousand files are looked at in a second; who does not answer takes two of each user's three tries. */
#define PROCESSES_PATIENCE_MS 15000

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

static void look_at_processes(const struct doctor_facts *facts, struct doctor_report *report)
{
	struct failure failure = {""};
	struct process_scan *scan;
	int err = process_scan__take(facts->proc_root, &scan, &failure);

	if (err) {
		doctor__problem(report, PROCESSES, "go_processes", err,
				"mount /proc where gleakd runs", "%s", failure.text);
		return;
	}
	doctor_part__processes(report, facts, process_scan__list(scan));
	process_scan__free(scan);
	add_unanswered(report);
}

/* It holds nothing open that others wait for the end of, should it never get to its own. */
static _Noreturn void be_child(const struct doctor_facts *facts, struct doctor_report *report,
			       int until)
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
	access__use(access_guard__ops());
	look_at_processes(facts, report);
	_exit(0);
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
	struct doctor_report *told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool done = false;
	int ends[2];
	pid_t pid;

	if (told != MAP_FAILED && !pipe2(ends, O_CLOEXEC)) {
		*told = *report;
		pid = fork();
		if (!pid)
			be_child(facts, told, ends[1]);
		close(ends[1]);
		done = pid > 0 && wait_for(pid, ends[0]);
		close(ends[0]);
	}
	if (done)
		*report = *told;
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
