// SPDX-License-Identifier: Apache-2.0
#include "session/checkup.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "host/capability.h"
#include "session/checkup_parts.h"
#include "session/inventory.h"

/* include/linux/proc_ns.h: PROC_USER_INIT_INO, the inode of the first user namespace. */
#define HOST_USER_NAMESPACE 0xeffffffdu

static bool in_host_users(void)
{
	struct stat namespace;

	return stat("/proc/self/ns/user", &namespace) || namespace.st_ino == HOST_USER_NAMESPACE;
}

static void gather(const struct checkup_options *options, struct checkup_report *report,
		   struct checkup_facts *facts)
{
	struct rlimit memlock = {0};
	struct utsname name = {0};

	*facts = (struct checkup_facts){
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

static void look_at_processes(const char *proc_root, struct checkup_report *report)
{
	struct failure failure = {""};
	struct inventory *inventory;
	int err = inventory__take(proc_root, &inventory, &failure);

	if (err) {
		checkup__problem(report, "processes", "go_processes", err,
				 "mount /proc where gleakd runs", "%s", failure.text);
		return;
	}
	checkup_part__processes(report, inventory__list(inventory));
	inventory__free(inventory);
}

/*
 * Files come first: looking at them takes a process of its own, which is to inherit no descriptor of
 * BPF, should its file system never let it go.
 */
void checkup__run(const struct checkup_options *options, struct checkup_report *report)
{
	struct checkup_facts facts;

	*report = (struct checkup_report){
		.realtime_ns = clock__realtime_ns(),
		.version = options->version,
		.revision = options->revision,
	};
	checkup_part__files(report, options->textfile, options->state_directory);
	gather(options, report, &facts);
	checkup_part__kernel(report, &facts);
	checkup_part__permissions(report, &facts);
	checkup_part__system(report, &facts);
	checkup_part__tried(report, &facts);
	look_at_processes(options->proc_root, report);
	report->exit_code = checkup__exit_code(report);
}
