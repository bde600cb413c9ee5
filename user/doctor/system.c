// SPDX-License-Identifier: Apache-2.0
/* How the host is set up, and what runs on it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "doctor/parts.h"

#define SYSTEM	  "system"
#define PROCESSES "processes"

/* include/linux/proc_ns.h: PROC_PID_INIT_INO, the inode of the first pid namespace. */
#define HOST_PID_NAMESPACE 0xeffffffcu

/* security/yama/yama_lsm.c: YAMA_SCOPE_NO_ATTACH. */
#define PTRACE_SCOPE_NOBODY 3

#define MAX_EXAMPLES 3

/* The first line of a small file; false when there is none. */
static bool read_line(const char *root, const char *name, char *line, size_t size)
{
	char path[PATH_MAX];
	FILE *file __cleanup_fclose = NULL;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "re");
	if (!file || !fgets(line, (int)size, file))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static bool read_number(const char *root, const char *name, long *ret_number)
{
	char line[32], *end;
	long number;

	if (!read_line(root, name, line, sizeof(line)))
		return false;
	number = strtol(line, &end, 10);
	if (end == line)
		return false;
	*ret_number = number;
	return true;
}

/* --- what may restrict us ------------------------------------------------------------------------ */

/* The active one of "none [integrity] confidentiality" (security/lockdown/lockdown.c). */
static void add_lockdown(struct doctor_report *report, const struct doctor_facts *facts)
{
	char line[80];

	if (!read_line(facts->sys_root, "kernel/security/lockdown", line, sizeof(line)))
		doctor__ok(report, SYSTEM, "lockdown", "none");
	else if (strstr(line, "[confidentiality]"))
		doctor__problem(report, SYSTEM, "lockdown", 0,
				"if probes fail, boot with lockdown=integrity, or watch with "
				"--mode census",
				"confidentiality: the kernel may refuse BPF programs that read "
				"memory");
	else
		doctor__ok(report, SYSTEM, "lockdown", "%s",
			   strstr(line, "[integrity]") ? "integrity, which allows what is needed" :
							 "none");
}

static void add_sysctls(struct doctor_report *report, const struct doctor_facts *facts)
{
	bool matters = !facts->features.uprobe_multi && !doctor_facts__may(facts, CAP_SYS_ADMIN);
	long value;

	if (!read_number(facts->proc_root, "sys/kernel/unprivileged_bpf_disabled", &value))
		doctor__ok(report, SYSTEM, "unprivileged_bpf_disabled", "not there");
	else
		doctor__ok(report, SYSTEM, "unprivileged_bpf_disabled",
			   "%ld; probes need CAP_BPF in any case", value);
	if (!read_number(facts->proc_root, "sys/kernel/perf_event_paranoid", &value))
		doctor__ok(report, SYSTEM, "perf_event_paranoid", "not there");
	else if (value > 2 && matters)
		doctor__problem(report, SYSTEM, "perf_event_paranoid", 0,
				"run gleakd as root, or set kernel.perf_event_paranoid=2",
				"%ld, which keeps uprobes by perf events from others than root",
				value);
	else
		doctor__ok(report, SYSTEM, "perf_event_paranoid", "%ld, which is no hindrance here",
			   value);
}

static void add_ptrace_scope(struct doctor_report *report, const struct doctor_facts *facts)
{
	long value;

	if (!read_number(facts->proc_root, "sys/kernel/yama/ptrace_scope", &value))
		doctor__ok(report, SYSTEM, "ptrace_scope", "no Yama");
	else if (value >= PTRACE_SCOPE_NOBODY)
		doctor__problem(report, SYSTEM, "ptrace_scope", -EPERM,
				"set kernel.yama.ptrace_scope to 2 or less in /etc/sysctl.d and "
				"boot: it cannot be lowered on a running system",
				"%ld: nobody may read the memory of other processes", value);
	else if (value && !doctor_facts__may(facts, CAP_SYS_PTRACE))
		doctor__problem(report, SYSTEM, "ptrace_scope", 0,
				"run gleakd as root, or give it CAP_SYS_PTRACE",
				"%ld: without CAP_SYS_PTRACE not even processes of the same user "
				"can be watched",
				value);
	else
		doctor__ok(report, SYSTEM, "ptrace_scope", "%ld, which is no hindrance here",
			   value);
}

/* The options of the last mount on /proc, which is the one that shows. */
static bool find_proc_mount(const char *proc_root, char *options, size_t size)
{
	char path[PATH_MAX], line[1024], where[128];
	FILE *file __cleanup_fclose = NULL;
	bool found = false;

	snprintf(path, sizeof(path), "%s/self/mountinfo", proc_root);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		const char *type = strstr(line, " - proc ");

		if (!type || sscanf(line, "%*d %*d %*s %*s %127s", where) != 1 ||
		    strcmp(where, "/proc") != 0)
			continue;
		snprintf(options, size, "%s", type);
		found = true;
	}
	return found;
}

static void add_hidepid(struct doctor_report *report, const struct doctor_facts *facts)
{
	char options[512];
	const char *hidepid;

	if (!find_proc_mount(facts->proc_root, options, sizeof(options))) {
		doctor__problem(report, SYSTEM, "proc", 0, "mount /proc where gleakd runs",
				"no proc file system is mounted on /proc");
		return;
	}
	hidepid = strstr(options, "hidepid=");
	if (!hidepid || !strncmp(hidepid, "hidepid=0", 9) || !strncmp(hidepid, "hidepid=off", 11))
		doctor__ok(report, SYSTEM, "proc", "mounted, without hidepid");
	else if (doctor_facts__may(facts, CAP_SYS_PTRACE))
		doctor__ok(report, SYSTEM, "proc",
			   "mounted with hidepid, which CAP_SYS_PTRACE overrides");
	else
		doctor__problem(report, SYSTEM, "proc", 0,
				"run gleakd as root, or give it CAP_SYS_PTRACE",
				"mounted with hidepid: processes of other users do not show");
}

/* --- what is around us --------------------------------------------------------------------------- */

/* True when @proc_root belongs to another pid namespace: its numbers would not be ours. */
static bool proc_is_foreign(const char *proc_root)
{
	char path[PATH_MAX], self[16] = "";
	ssize_t n;

	snprintf(path, sizeof(path), "%s/self", proc_root);
	n = readlink(path, self, sizeof(self) - 1);
	if (n < 0)
		return errno == ENOENT; /* as for a process that this /proc cannot show */
	return strtol(self, NULL, 10) != getpid();
}

static void add_pid_namespace(struct doctor_report *report, const struct doctor_facts *facts)
{
	char path[PATH_MAX], text[64] = "";
	unsigned int inode = 0;

	if (proc_is_foreign(facts->proc_root)) {
		doctor__problem(report, SYSTEM, "pid_namespace", -EINVAL,
				"mount a /proc of gleakd's own pid namespace (unshare "
				"--mount-proc), or run gleakd in that of the host",
				"/proc shows another pid namespace than that in which gleakd runs");
		return;
	}
	snprintf(path, sizeof(path), "%s/self/ns/pid", facts->proc_root);
	if (readlink(path, text, sizeof(text) - 1) < 0 || sscanf(text, "pid:[%u]", &inode) != 1)
		doctor__problem(report, SYSTEM, "pid_namespace", 0, "mount /proc where gleakd runs",
				"not known");
	else if (inode == HOST_PID_NAMESPACE)
		doctor__ok(report, SYSTEM, "pid_namespace", "that of the host: all processes show");
	else
		doctor__problem(report, SYSTEM, "pid_namespace", 0,
				"to watch the whole host, run gleakd in its pid namespace "
				"(hostPID: true, docker run --pid=host)",
				"not that of the host: only processes of this container show");
}

/* Lines of /proc/self/cgroup: "0::/path" is version 2, "4:memory:/path" version 1. */
static void add_cgroup(struct doctor_report *report, const struct doctor_facts *facts)
{
	FILE *file __cleanup_fclose = NULL;
	bool v1 = false, v2 = false;
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/self/cgroup", facts->proc_root);
	file = fopen(path, "re");
	while (file && getline(&line, &size, file) > 0) {
		v2 |= !strncmp(line, "0::", 3);
		v1 |= strncmp(line, "0::", 3) != 0;
	}
	free(line);
	if (v2)
		doctor__ok(report, SYSTEM, "cgroup", "version 2%s", v1 ? ", beside version 1" : "");
	else if (v1)
		doctor__ok(report, SYSTEM, "cgroup", "version 1");
	else
		doctor__problem(report, SYSTEM, "cgroup", 0,
				"nothing has to be done, unless units and containers matter",
				"no control groups: units and containers of processes are not "
				"known");
}

static void add_clock(struct doctor_report *report, const struct doctor_facts *facts)
{
	static const char *const slow[] = {"hpet", "acpi_pm", "jiffies", "refined-jiffies"};
	char name[64];

	if (!read_line(facts->sys_root,
		       "devices/system/clocksource/clocksource0/current_clocksource", name,
		       sizeof(name))) {
		doctor__ok(report, SYSTEM, "clock", "not known");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
		if (strcmp(name, slow[i]) != 0)
			continue;
		doctor__problem(report, SYSTEM, "clock", 0,
				"see in the kernel's log why it does not use the processor's own "
				"clock",
				"%s: reading the time is slow, and each hit of a probe does", name);
		return;
	}
	doctor__ok(report, SYSTEM, "clock", "%s", name);
}

void doctor_part__system(struct doctor_report *report, const struct doctor_facts *facts)
{
	add_lockdown(report, facts);
	add_sysctls(report, facts);
	add_ptrace_scope(report, facts);
	add_hidepid(report, facts);
	add_pid_namespace(report, facts);
	add_cgroup(report, facts);
	add_clock(report, facts);
}

/* --- processes ----------------------------------------------------------------------------------- */

/* What lets gleakd read executables that it may not read now. */
static const char *advice_to_read(const struct doctor_facts *facts)
{
	if (!doctor_facts__may(facts, CAP_SYS_PTRACE))
		return "run gleakd as root, or give it CAP_SYS_PTRACE";
	if (!doctor_facts__may(facts, CAP_DAC_READ_SEARCH) &&
	    !doctor_facts__may(facts, CAP_DAC_OVERRIDE))
		return "give gleakd CAP_DAC_READ_SEARCH, if their modes forbid it";
	return "no capability is missing: they are in another user namespace, or a security module "
	       "or a sandbox is in the way; to watch them run gleakd on the host itself";
}

static void add_readable(struct doctor_report *report, const struct doctor_facts *facts,
			 const struct process_list *list)
{
	if (list->not_readable)
		doctor__problem(report, PROCESSES, "executables", 0, advice_to_read(facts),
				"of %zu processes %zu have an executable that may not be read",
				list->looked_at, list->not_readable);
	else
		doctor__ok(report, PROCESSES, "executables",
			   "those of all %zu processes may be read", list->looked_at);
	if (list->not_opened)
		doctor__problem(report, PROCESSES, "fuse", 0,
				"run what is to be watched from an ordinary file system",
				"%zu processes run from a FUSE file system, which may block its "
				"readers; they are not watched",
				list->not_opened);
}

void doctor_part__processes(struct doctor_report *report, const struct doctor_facts *facts,
			    const struct process_list *list)
{
	char examples[320] = "";
	size_t n = 0;

	add_readable(report, facts, list);
	for (size_t i = 0; i < list->n_processes; i++) {
		const struct listed_process *process = &list->processes[i];
		size_t used = strlen(examples);

		if (process->supported)
			continue;
		if (++n <= MAX_EXAMPLES)
			snprintf(examples + used, sizeof(examples) - used, "%s%d (%s)",
				 used ? ", " : "", process->pid,
				 process->comm ? process->comm : "");
	}
	if (n)
		doctor__problem(report, PROCESSES, "go_processes", 0,
				"see gleakd list for the reasons",
				"%zu, of which %zu cannot be watched: %s%s", list->n_processes, n,
				examples, n > MAX_EXAMPLES ? ", and others" : "");
	else if (list->n_processes)
		doctor__ok(report, PROCESSES, "go_processes", "%zu, all of which can be watched",
			   list->n_processes);
	else
		doctor__ok(report, PROCESSES, "go_processes", "none at present");
}
