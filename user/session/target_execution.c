// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a target gets to run, and what speaks against probes on it, for as long as it does.
 *
 * A debugger's breakpoint and a probe on one instruction end the process: the one that is taken away last
 * puts the other's breakpoint back, which nobody answers for any more. Debuggers set breakpoints whenever
 * they like, so nothing is attached while a process is traced. Where its code is not that of its file, a
 * probe would go into the middle of something else.
 */
#include <stdio.h>

#include "probe/site_code.h"
#include "session/target_internal.h"

struct tracer {
	pid_t pid; /* 0: nobody */
	char name[sizeof(((struct execution *)0)->tracer_comm) + 24];
	bool first_thread_ended; /* of who is traced */
};

static void find_tracer(const struct target *target, struct tracer *tracer)
{
	struct execution execution;

	*tracer = (struct tracer){0};
	/* An error is that of a process that has ended. */
	if (execution__read(target->options.proc_root, target->process.id.pid, &execution))
		return;
	tracer->pid = execution.tracer;
	tracer->first_thread_ended = execution.first_thread_ended;
	snprintf(tracer->name, sizeof(tracer->name), "%s (pid %d)", execution.tracer_comm,
		 execution.tracer);
}

/* Of the code at one site; true: it speaks against a probe there. */
static bool look_at_site(const struct target *target, const struct probe_site *site, uint64_t bias,
			 const struct tracer *tracer, char *text, size_t size)
{
	switch (site_code__look(site, target->remote, bias)) {
	case SITE_CODE_SAME:
		return false;
	case SITE_CODE_BREAKPOINT:
		/* Without a debugger it is another tracer's probe, and the kernel lets both be there. */
		if (tracer->pid <= 0)
			return false;
		snprintf(
			text, size,
			"%s has a breakpoint on %s+%#x, where a probe would go, and both would kill "
			"the process; no probes until it has let go of it",
			tracer->name, site->function, site->func_offset);
		return true;
	case SITE_CODE_CHANGED:
		snprintf(
			text, size,
			"the process runs other code than its file has at %s+%#x, where a probe would "
			"overwrite it",
			site->function, site->func_offset);
		return true;
	case SITE_CODE_UNREADABLE:
		break;
	}
	snprintf(
		text, size,
		"the code at %s+%#x cannot be read (executable only?), so nobody knows what a probe "
		"would overwrite",
		site->function, site->func_offset);
	return true;
}

/* Of the code at all sites of @plan, in a module that is loaded at @bias. */
static bool look_at_sites(struct target *target, const struct probe_plan *plan, uint64_t bias,
			  unsigned int events, const struct tracer *tracer)
{
	for (int e = 0; e < PROBE_EVENT_COUNT; e++) {
		const struct probe_site *site = &plan->sites[e];

		if (events & 1u << e && site->present &&
		    look_at_site(target, site, bias, tracer, target->hindrance,
				 sizeof(target->hindrance)))
			return true;
	}
	return false;
}

/* The kernel finds the process that a probe is for by its first thread (kernel/trace/bpf_trace.c). */
static bool has_lost_first_thread(const struct target *target, const struct tracer *tracer,
				  char *text, size_t size)
{
	pid_t pid = target->process.id.pid;

	/* It may be that the others have ended as well. */
	if (!tracer->first_thread_ended || process__task(target->options.proc_root, pid) == pid)
		return false;
	snprintf(text, size,
		 "its first thread has ended, by which the kernel would find it for a probe");
	return true;
}

static bool is_traced(const struct tracer *tracer, char *text, size_t size)
{
	if (tracer->pid <= 0)
		return false;
	snprintf(text, size,
		 "%s traces the process, and a breakpoint and a probe on one instruction would "
		 "kill it; no probes until it has let go of it",
		 tracer->name);
	return true;
}

bool target_hindrance__look(struct target *target, unsigned int events)
{
	const size_t size = sizeof(target->hindrance);
	size_t n = target->probes ? module_probes__count(target->probes) : 0;
	struct tracer tracer;

	find_tracer(target, &tracer);
	if (has_lost_first_thread(target, &tracer, target->hindrance, size))
		return true;
	if (!n && look_at_sites(target, &target->plan, target->load_bias, events, &tracer))
		return true;
	for (size_t i = 0; i < n; i++) {
		const struct module_probe *probe = module_probes__at(target->probes, i);

		if (look_at_sites(target, &probe->plan, probe->bias, events, &tracer))
			return true;
	}
	target->hindrance[0] = '\0';
	return is_traced(&tracer, target->hindrance, size);
}

bool target_hindrance__of_allocations(const struct target *target, const struct alloc_plan *plan,
				      uint64_t bias, char *text, size_t size)
{
	struct tracer tracer;

	find_tracer(target, &tracer);
	if (has_lost_first_thread(target, &tracer, text, size))
		return true;
	for (size_t i = 0; i < plan->n; i++) {
		if (look_at_site(target, &plan->sites[i].site, bias, &tracer, text, size))
			return true;
	}
	return is_traced(&tracer, text, size);
}

void target_execution__note(struct target *target)
{
	struct execution execution;
	pid_t pid = target->process.id.pid;
	uint64_t cpu_ns;

	target->threads = 0;
	if (execution__read(target->options.proc_root, pid, &execution))
		return;
	target->threads = execution.threads;
	if (process__cpu_ns(pid, &cpu_ns))
		return;
	/* Who traces it may stop it for moments only. */
	if (cpu_ns != target->executed_ns)
		execution.state = EXECUTION_RUNNING;
	else if (execution.state == EXECUTION_RUNNING &&
		 execution__is_frozen(target->options.proc_root, CGROUP_ROOT, pid))
		execution.state = EXECUTION_FROZEN;
	target->execution = execution;
	target->executed_ns = cpu_ns;
}

const struct execution *target__execution(const struct target *target)
{
	return &target->execution;
}
