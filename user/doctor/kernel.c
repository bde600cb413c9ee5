// SPDX-License-Identifier: Apache-2.0
/* What the kernel has, what this run may do, and whether it works when tried. */
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "host/process_events.h"
#include "probe/calibrate.h"
#include "probe/libbpf_text.h"
#include "probe/probes.h"
#include "doctor/parts.h"

#define KERNEL	    "kernel"
#define PERMISSIONS "permissions"
#define TRIED	    "tried"

/* Since Linux 5.11 memory of BPF maps counts for the cgroup (kernel/bpf/syscall.c). */
#define CGROUP_MEMORY_MAJOR 5
#define CGROUP_MEMORY_MINOR 11

/* --- kernel -------------------------------------------------------------------------------------- */

struct feature {
	const char *name;
	bool there;
	const char *found;
	const char *missing;
	const char *advice;
};

static void add_feature(struct doctor_report *report, const struct doctor_facts *facts,
			const struct feature *feature)
{
	if (!doctor_facts__may_load(facts))
		doctor__problem(report, KERNEL, feature->name, 0, "run gleakd doctor as root",
				"cannot be found out without CAP_BPF and CAP_PERFMON");
	else if (feature->there)
		doctor__ok(report, KERNEL, feature->name, "%s", feature->found);
	else
		doctor__problem(report, KERNEL, feature->name, -EOPNOTSUPP, feature->advice, "%s",
				feature->missing);
}

static void add_uprobes(struct doctor_report *report, const struct doctor_facts *facts)
{
	if (facts->features.uprobe_multi)
		doctor__ok(report, KERNEL, "uprobes",
			   "uprobe_multi links, whose filter means the process");
	else if (!doctor_facts__may_load(facts))
		doctor__problem(report, KERNEL, "uprobes", 0, "run gleakd doctor as root",
				"cannot be found out without CAP_BPF and CAP_PERFMON");
	else if (facts->features.uprobe_pmu)
		doctor__problem(report, KERNEL, "uprobes", 0,
				"nothing has to be done; Linux 6.10 and newer do without "
				"CAP_SYS_ADMIN, and detach faster",
				"only as perf events, which need CAP_SYS_ADMIN");
	else
		doctor__problem(report, KERNEL, "uprobes", -EOPNOTSUPP,
				"use a kernel with CONFIG_UPROBE_EVENTS, and mount /sys where "
				"gleakd runs; --mode census works without",
				"none");
}

void doctor_part__kernel(struct doctor_report *report, const struct doctor_facts *facts)
{
	const struct feature ring_buffer = {
		.name = "ring_buffer",
		.there = facts->features.ring_buffer,
		.found = "there is one",
		.missing = "no BPF ring buffer, which came with Linux 5.8",
		.advice = "use a newer kernel, with CONFIG_BPF_SYSCALL; --mode census works "
			  "without",
	};
	const struct feature attach_cookie = {
		.name = "attach_cookie",
		.there = facts->features.attach_cookie,
		.found = "uprobes have one",
		.missing = "no attach cookies for uprobes, which came with Linux 5.15",
		.advice = "use a newer kernel, with CONFIG_BPF_EVENTS; --mode census works without",
	};

	if (facts->features.btf)
		doctor__ok(report, KERNEL, "btf", "/sys/kernel/btf/vmlinux can be read");
	else
		doctor__problem(report, KERNEL, "btf", -EOPNOTSUPP,
				"use a kernel with CONFIG_DEBUG_INFO_BTF, and mount /sys where "
				"gleakd runs; --mode census works without",
				"/sys/kernel/btf/vmlinux cannot be read");
	add_feature(report, facts, &ring_buffer);
	add_feature(report, facts, &attach_cookie);
	add_uprobes(report, facts);
	doctor__ok(
		report, KERNEL, "nop5",
		"never probed: kernels may turn a probe there into a system call, which a program "
		"with syscall user dispatch would die of");
}

/* --- permissions --------------------------------------------------------------------------------- */

static const char *missing_to_load(const struct doctor_facts *facts)
{
	if (doctor_facts__may(facts, CAP_BPF))
		return "CAP_PERFMON is";
	if (doctor_facts__may(facts, CAP_PERFMON))
		return "CAP_BPF is";
	return "CAP_BPF and CAP_PERFMON are";
}

static void add_probe_permission(struct doctor_report *report, const struct doctor_facts *facts)
{
	if (!facts->host_users)
		doctor__problem(report, PERMISSIONS, "probes", -EPERM,
				"run gleakd outside of the user namespace (a container without "
				"user remapping)",
				"this is a user namespace, in which capabilities do not allow "
				"probes");
	else if (!doctor_facts__may_load(facts))
		doctor__problem(report, PERMISSIONS, "probes", -EPERM,
				"run gleakd as root, or give it these (AmbientCapabilities= in a "
				"systemd unit); --mode census works without",
				"%s missing", missing_to_load(facts));
	else if (doctor_facts__may(facts, CAP_SYS_ADMIN))
		doctor__ok(report, PERMISSIONS, "probes", "CAP_SYS_ADMIN%s",
			   facts->features.uprobe_multi ?
				   "; this kernel needs only CAP_BPF and CAP_PERFMON" :
				   "");
	else if (!facts->features.uprobe_multi)
		doctor__problem(report, PERMISSIONS, "probes", -EPERM,
				"run gleakd as root, or give it CAP_SYS_ADMIN; --mode census works "
				"without",
				"CAP_SYS_ADMIN is missing, which this kernel's uprobes need");
	else
		doctor__ok(report, PERMISSIONS, "probes", "CAP_BPF and CAP_PERFMON");
}

static void add_memlock(struct doctor_report *report, const struct doctor_facts *facts)
{
	bool by_cgroup =
		facts->major > CGROUP_MEMORY_MAJOR ||
		(facts->major == CGROUP_MEMORY_MAJOR && facts->minor >= CGROUP_MEMORY_MINOR);

	if (by_cgroup)
		doctor__ok(report, PERMISSIONS, "memlock",
			   "does not matter: memory of BPF counts for the control group");
	else if (doctor_facts__may(facts, CAP_SYS_RESOURCE) ||
		 facts->memlock >= 4 * (uint64_t)PROBES_DEFAULT_RING_BYTES)
		doctor__ok(report, PERMISSIONS, "memlock", "enough memory may be locked");
	else
		doctor__problem(report, PERMISSIONS, "memlock", -EPERM,
				"set LimitMEMLOCK=infinity in the systemd unit, or give gleakd "
				"CAP_SYS_RESOURCE",
				"only %" PRIu64 " bytes may be locked, and BPF before Linux 5.11 "
				"locks its memory",
				facts->memlock);
}

void doctor_part__permissions(struct doctor_report *report, const struct doctor_facts *facts)
{
	add_probe_permission(report, facts);
	if (doctor_facts__may(facts, CAP_SYS_PTRACE) && facts->host_users)
		doctor__ok(report, PERMISSIONS, "memory_of_others", "CAP_SYS_PTRACE");
	else if (doctor_facts__may(facts, CAP_SYS_PTRACE))
		doctor__problem(report, PERMISSIONS, "memory_of_others", 0,
				"run gleakd outside of the user namespace to watch others",
				"CAP_SYS_PTRACE, but only for processes of this user namespace");
	else
		doctor__problem(report, PERMISSIONS, "memory_of_others", -EPERM,
				"run gleakd as root, or give it CAP_SYS_PTRACE",
				"CAP_SYS_PTRACE is missing: processes of other users, and those "
				"with more capabilities than gleakd, cannot be watched");
	if (doctor_facts__may(facts, CAP_DAC_READ_SEARCH) ||
	    doctor_facts__may(facts, CAP_DAC_OVERRIDE))
		doctor__ok(report, PERMISSIONS, "files_of_others", "%s",
			   doctor_facts__may(facts, CAP_DAC_READ_SEARCH) ? "CAP_DAC_READ_SEARCH" :
									   "CAP_DAC_OVERRIDE");
	else
		doctor__problem(report, PERMISSIONS, "files_of_others", 0,
				"give gleakd CAP_DAC_READ_SEARCH if such programs are to be "
				"watched",
				"CAP_DAC_READ_SEARCH is missing: programs whose file only their "
				"owner may read cannot be watched");
	if (doctor_facts__may(facts, CAP_CHECKPOINT_RESTORE) ||
	    doctor_facts__may(facts, CAP_SYS_ADMIN))
		doctor__ok(report, PERMISSIONS, "removed_files", "%s",
			   doctor_facts__may(facts, CAP_CHECKPOINT_RESTORE) ?
				   "CAP_CHECKPOINT_RESTORE" :
				   "CAP_SYS_ADMIN");
	else
		doctor__problem(
			report, PERMISSIONS, "removed_files", 0,
			"give gleakd CAP_CHECKPOINT_RESTORE if such libraries are to be "
			"watched",
			"CAP_CHECKPOINT_RESTORE is missing: Go libraries and plugins that "
			"were replaced or removed since they were loaded cannot be watched");
	add_memlock(report, facts);
}

/* --- tried --------------------------------------------------------------------------------------- */

static bool try_programs(struct doctor_report *report, const struct doctor_facts *facts)
{
	struct failure failure = {""};
	struct probes_options options = {0};
	struct probes *probes;
	int err = probes__new(&options, &facts->features, &probes, &failure);

	if (err) {
		doctor__problem(report, TRIED, "programs", err,
				"see what failed above; if nothing did, a security module or a "
				"lockdown of the kernel is in the way",
				"%s", failure.text);
		return false;
	}
	probes__free(probes);
	doctor__ok(report, TRIED, "programs", "loaded, with a ring buffer of %u KiB",
		   PROBES_DEFAULT_RING_BYTES >> 10);
	return true;
}

static void put_costs(struct doctor_report *report, const struct calibration *calibration,
		      char *text, size_t size)
{
	text[0] = '\0';
	/* A kind of earlier versions, which nothing is probed at any more. */
	report->costs[report->n_costs++] = (struct doctor_cost){.kind = "nop5"};
	for (enum calibration_kind kind = 0; kind < CALIBRATION_KINDS; kind++) {
		size_t used = strlen(text);

		report->costs[report->n_costs++] = (struct doctor_cost){
			.kind = calibration_kind__name(kind),
			.ns = calibration->ns[kind],
		};
		if (calibration->ns[kind])
			snprintf(text + used, size - used, "%s%s %" PRIu64, used ? ", " : "",
				 calibration_kind__name(kind), calibration->ns[kind]);
	}
}

static void try_probe(struct doctor_report *report, const struct doctor_facts *facts)
{
	struct calibration calibration;
	char text[160];
	int err = calibrate__run(&facts->features, &calibration);

	if (err) {
		doctor__problem(report, TRIED, "probe", err,
				"a security module, a lockdown or a seccomp filter may be in the "
				"way: see the kernel's log; --mode census works without",
				"a probe on gleakd itself could not be attached (%s): %s",
				strerror(-err), libbpf_text__get());
		return;
	}
	put_costs(report, &calibration, text, sizeof(text));
	doctor__ok(report, TRIED, "probe",
		   "attached to gleakd itself; ns per hit: %s; after a rest %u %% of that", text,
		   max_of(calibration.cold_percent, 100u));
}

static void ignore_event(void *ctx, const struct process_event *event)
{
	(void)ctx;
	(void)event;
}

static void try_process_events(struct doctor_report *report)
{
	struct process_events *events;
	struct failure failure = {""};

	if (process_events__open(ignore_event, NULL, &events, &failure)) {
		doctor__problem(report, TRIED, "process_events", 0,
				"nothing has to be done; new processes are noticed later", "%s",
				failure.text);
		return;
	}
	process_events__free(events);
	doctor__ok(report, TRIED, "process_events", "the kernel tells of new processes at once");
}

void doctor_part__tried(struct doctor_report *report, const struct doctor_facts *facts)
{
	if (!doctor_facts__may_load(facts)) {
		doctor__problem(report, TRIED, "programs", 0, "see permissions",
				"not tried, for lack of permission");
		return;
	}
	if (try_programs(report, facts))
		try_probe(report, facts);
	try_process_events(report);
}
