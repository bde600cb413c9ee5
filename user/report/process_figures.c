// SPDX-License-Identifier: Apache-2.0
#include "report/process_figures.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/text.h"
#include "broker/run.h"
#include "host/access.h"
#include "host/bpf_usage.h"
#include "host/self_usage.h"
#include "session/allocs/target_allocs.h"
#include "session/heap/target_heap.h"
#include "session/resources/target_openings.h"

static void choose_group(enum report_group group, const struct process_origin *origin, char *pid,
			 struct report_target *report)
{
	report->group = text__base_name(report->exe);
	report->claims.group = report->claims.exe;
	switch (group) {
	case REPORT_GROUP_EXE:
		break;
	case REPORT_GROUP_COMM:
		report->group = report->comm;
		report->claims.group = origin->comm_claimant;
		break;
	case REPORT_GROUP_UNIT:
		if (*report->unit) {
			report->group = report->unit;
			report->claims.group = report->claims.unit;
		}
		break;
	case REPORT_GROUP_CONTAINER:
		if (*report->container_id) {
			report->group = report->container_id;
			report->claims.group = report->claims.container_id;
		}
		break;
	case REPORT_GROUP_PID:
		snprintf(pid, REPORT_PID_TEXT, "%d", report->pid);
		report->group = pid;
		report->claims.group = "";
		break;
	}
}

static const char *claimed(const struct process_origin *origin, const char *name, size_t at)
{
	return *name ? cgroup__claimed(origin, at) : "";
}

static void fill_origin(const struct process_origin *origin, struct report_target *report)
{
	report->unit = origin->unit;
	report->container_id = origin->container_id;
	report->pod_uid = origin->pod_uid;
	report->cgroup = origin->cgroup;
	report->claims = (struct report_claims){
		.exe = origin->exe_claimant,
		.unit = claimed(origin, origin->unit, origin->unit_at),
		.container_id = claimed(origin, origin->container_id, origin->container_at),
		.pod_uid = claimed(origin, origin->pod_uid, origin->pod_at),
		.cgroup = claimed(origin, origin->cgroup, strlen(origin->cgroup)),
		.exe_elsewhere = origin->exe_elsewhere,
	};
}

/* For metrics: whom it is counted with, and what was counted. */
void report_metrics__fill_target(const struct target *target, enum report_group group,
				 char pid[REPORT_PID_TEXT], struct report_target *report)
{
	fill_origin(target__origin(target), report);
	report->start_time_seconds = target__started_seconds(target);
	report->execution = *target__execution(target);
	target__hits(target, report->probe_hits);
	report->probe_ns = target__probe_ns(target) + target_allocs__cost_ns(target) +
			   target_openings__cost_ns(target);
	report->overhead = target__governor(target)->overhead;
	report->overhead_max = target__max_overhead(target);
	report->cost = governor__cost(target__governor(target));
	report->dearer = target__governor(target)->dearer;
	report->mode_changes = target__governor(target)->changes;
	report->remote_reads = remote__calls(target__remote(target));
	report->remote_bytes = remote__bytes_read(target__remote(target));
	choose_group(group, target__origin(target), pid, report);
}

void report_metrics__fill_memory(struct target *target, uint64_t now_ns,
				 struct report_target *report)
{
	report->counters_known = target_heap__counters(target, now_ns, &report->counters);
	report->heap_scanned = target_heap__figures(target) != NULL;
	if (target__state(target) != TARGET_LIVE ||
	    process__resident(PROC_ROOT, report->pid, &report->resident_bytes))
		report->resident_bytes = 0;
}

/* Of the cheapest kind that traps, and of a single step. */
static void fill_probe_costs(const struct calibration *calibration, struct report_self *self)
{
	if (!calibration)
		return;
	self->emulated_hit_ns = calibration->ns[CALIBRATION_CALL];
	self->single_step_hit_ns = calibration->ns[CALIBRATION_SINGLE_STEP];
}

static void fill_quarantine(struct report_self *self)
{
	struct quarantine_entry entries[QUARANTINE_MAX];
	uint64_t now_ns = clock__monotonic_ns();

	_Static_assert(QUARANTINE_MAX <= REPORT_MAX_QUARANTINED, "all fit");
	self->quarantined = access__quarantined(entries, QUARANTINE_MAX);
	for (size_t i = 0; i < self->quarantined; i++)
		self->quarantine[i] = (struct report_quarantined){
			.pid = entries[i].id.pid,
			.owner = entries[i].owner,
			.left_ns = entries[i].until_ns - min_of(entries[i].until_ns, now_ns),
		};
}

static void fill_descriptors(struct report_self *self)
{
	struct bpf_usage usage = bpf_usage__read(PROC_ROOT, -1);
	struct access_usage agent;
	struct rlimit limit;

	access__usage(&agent, true);
	self->bpf_bytes = usage.bytes + agent.bpf_bytes;
	self->bpf_links = usage.links;
	fill_quarantine(self);
	self->missed_deadlines = agent.missed_deadlines;
	self->open_fds = usage.fds;
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur != RLIM_INFINITY)
		self->max_fds = limit.rlim_cur;
}

/* Since it was first asked: what was before nobody has watched. */
static uint64_t suspended_ns(void)
{
	static bool asked;
	static uint64_t first_ns;
	uint64_t now_ns = clock__suspended_ns();

	if (!asked)
		first_ns = now_ns;
	asked = true;
	/* The two clocks are read one after the other. */
	return now_ns - first_ns >= NSEC_PER_SEC && now_ns > first_ns ? now_ns - first_ns : 0;
}

void report_metrics__fill_self(const struct session *session, struct report *report, bool discovers)
{
	struct self_usage usage = self_usage__read(PROC_ROOT);
	struct report_self *self = &report->self;

	self->suspended_ns = suspended_ns();
	self->events_received = session__events(session);
	self->slowed_targets = 0;
	for (size_t i = 0; i < session__n_targets(session); i++)
		self->slowed_targets += target__stretch(session__target(session, i)) > 1;
	self->events_malformed = session__malformed(session);
	fill_probe_costs(session__calibration(session), self);
	self->cpu_seconds = usage.cpu_seconds;
	self->resident_bytes = usage.resident_bytes;
	self->worker_restarts = broker__restarts();
	fill_descriptors(self);
	if (discovers)
		return;
	self->attach_attempts = self->processes_seen = report->n_targets;
	for (size_t i = 0; i < report->n_targets; i++)
		self->targets[REPORT_ATTACHED] += !report->targets[i].exited_target;
}

void report_metrics__fill_goroutines(const struct goroutine_list *list,
				     struct report_target *report)
{
	if (!list)
		return;
	report->goroutines_listed = true;
	report->goroutine_list = goroutine_list__list(list, &report->n_goroutine_list);
	report->unreadable += goroutine_list__labels_unread(list);
	report->totals.refused += goroutine_list__refused(list);
}
