// SPDX-License-Identifier: Apache-2.0
#include "doctor/doctor.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "host/capability.h"
#include "doctor/parts.h"
#include "discover/process_scan.h"

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

static void look_at_processes(const struct doctor_facts *facts, struct doctor_report *report)
{
	struct failure failure = {""};
	struct process_scan *scan;
	int err = process_scan__take(facts->proc_root, &scan, &failure);

	if (err) {
		doctor__problem(report, "processes", "go_processes", err,
				"mount /proc where gleakd runs", "%s", failure.text);
		return;
	}
	doctor_part__processes(report, facts, process_scan__list(scan));
	process_scan__free(scan);
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
	look_at_processes(&facts, report);
	report->exit_code = doctor__exit_code(report);
}
