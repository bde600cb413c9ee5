// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/exposition.h"
#include "output/prometheus/textfile_parts.h"

static void put_count(FILE *out, const char *name, enum exposition_type type, const char *help,
		      uint64_t value)
{
	exposition__family(out, name, type, help);
	exposition__count(out, name, NULL, 0, value);
}

static void put_number(FILE *out, const char *name, enum exposition_type type, const char *help,
		       double value)
{
	exposition__family(out, name, type, help);
	exposition__number(out, name, NULL, 0, value > 0 ? value : 0);
}

/* What @by says which one is. */
struct part {
	const char *label;
	uint64_t value;
};

static void put_parts(FILE *out, const char *name, enum exposition_type type, const char *help,
		      const char *by, const struct part *parts, size_t n)
{
	exposition__family(out, name, type, help);
	for (size_t i = 0; i < n; i++)
		exposition__count(out, name, EXPOSITION_LABELS({by, parts[i].label}),
				  parts[i].value);
}

static void put_targets(FILE *out, const struct report_self *self)
{
	const struct part states[] = {
		{"attached", self->targets[REPORT_ATTACHED]},
		{"unsupported", self->targets[REPORT_UNSUPPORTED]},
		{"failed", self->targets[REPORT_FAILED]},
		{"paused", self->targets[REPORT_PAUSED]},
	};

	put_parts(out, "gleakd_targets", EXPOSITION_GAUGE,
		  "Go processes, by whether they are watched.", "state", states,
		  ARRAY_SIZE(states));
	put_count(out, "gleakd_attach_attempts_total", EXPOSITION_COUNTER,
		  "Attempts to watch a process.", self->attach_attempts);
	put_count(out, "gleakd_attach_failures_total", EXPOSITION_COUNTER,
		  "Attempts to watch a process that failed.", self->attach_failures);
	put_count(out, "gleakd_processes_seen_total", EXPOSITION_COUNTER,
		  "Processes that were looked at.", self->processes_seen);
	put_count(out, "gleakd_processes_rejected_total", EXPOSITION_COUNTER,
		  "Processes that turned out not to be Go programs, or not to be selected.",
		  self->processes_rejected);
}

static void put_events(FILE *out, const struct metrics *metrics, const struct report_self *self)
{
	struct part hits[PROBE_EVENT_COUNT];
	const struct part dropped[] = {
		{"kernel", metrics->all.n[GROUP_LOST]},
		{"malformed", self->events_malformed},
	};

	for (int event = 0; event < PROBE_EVENT_COUNT; event++)
		hits[event] = (struct part){probe_event__name((enum probe_event)event),
					    metrics->all.n[GROUP_HITS + event]};
	put_parts(out, "gleakd_probe_hits_total", EXPOSITION_COUNTER,
		  "Times that a probe ran in a watched process.", "probe", hits, ARRAY_SIZE(hits));
	put_count(out, "gleakd_events_received_total", EXPOSITION_COUNTER,
		  "Events that reached gleakd.", self->events_received);
	put_parts(out, "gleakd_events_dropped_total", EXPOSITION_COUNTER,
		  "Events that did not: no room in a kernel buffer, or not understood.", "where",
		  dropped, ARRAY_SIZE(dropped));
}

/* Calibrated costs are left out until they are known: 0 would say that probes are free. */
static void put_cost(FILE *out, const struct metrics *metrics, const struct report_self *self)
{
	const struct part kinds[] = {
		{"emulated", self->emulated_hit_ns},
		{"single_step", self->single_step_hit_ns},
	};
	bool any = false;

	put_number(out, "gleakd_probe_overhead_seconds_total", EXPOSITION_COUNTER,
		   "CPU time that probes took from all watched processes.",
		   report__seconds(metrics->all.n[GROUP_PROBE_NS]));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!kinds[i].value)
			continue;
		if (!any)
			exposition__family(out, "gleakd_probe_cost_seconds", EXPOSITION_GAUGE,
					   "Calibrated cost of one probe hit on this machine.");
		any = true;
		exposition__number(out, "gleakd_probe_cost_seconds",
				   EXPOSITION_LABELS({"kind", kinds[i].label}),
				   report__seconds(kinds[i].value));
	}
	put_number(out, "gleakd_process_cpu_seconds_total", EXPOSITION_COUNTER,
		   "CPU time that gleakd itself used.", self->cpu_seconds);
	put_count(out, "gleakd_process_resident_memory_bytes", EXPOSITION_GAUGE,
		  "Memory that gleakd itself occupies.", self->resident_bytes);
	put_count(out, "gleakd_process_open_fds", EXPOSITION_GAUGE,
		  "Descriptors that gleakd itself has open.", self->open_fds);
	if (self->max_fds)
		put_count(out, "gleakd_process_max_fds", EXPOSITION_GAUGE,
			  "Descriptors that gleakd itself may have open.", self->max_fds);
	put_count(out, "gleakd_bpf_memory_bytes", EXPOSITION_GAUGE,
		  "Kernel memory of gleakd's BPF maps and programs.", self->bpf_bytes);
	put_count(out, "gleakd_bpf_links", EXPOSITION_GAUGE,
		  "Probes, and sets of them, that gleakd has attached.", self->bpf_links);
	put_count(out, "gleakd_remote_reads_total", EXPOSITION_COUNTER,
		  "Reads of watched processes' memory.", metrics->all.n[GROUP_REMOTE_READS]);
	put_count(out, "gleakd_remote_read_bytes_total", EXPOSITION_COUNTER,
		  "Bytes read from watched processes' memory.", metrics->all.n[GROUP_REMOTE_BYTES]);
	put_number(out, "gleakd_cycle_duration_seconds", EXPOSITION_GAUGE,
		   "How long the last round over all watched processes took.",
		   report__seconds(self->cycle_ns));
	put_number(out, "gleakd_longest_hold_seconds", EXPOSITION_GAUGE,
		   "The longest piece of work of gleakd's loop since the last report.",
		   report__seconds(self->held.ns));
	put_count(out, "gleakd_interval_stretch", EXPOSITION_GAUGE,
		  "One round every so many intervals: more than 1 to keep gleakd's own budget.",
		  max_of(self->interval_stretch, 1u));
	put_count(out, "gleakd_slowed_targets", EXPOSITION_GAUGE,
		  "Processes looked at less often than others: they cost more than their share.",
		  self->slowed_targets);
	put_count(out, "gleakd_quarantined_processes", EXPOSITION_GAUGE,
		  "Processes left alone for a while: to look at them took longer than a deadline.",
		  self->quarantined);
	put_count(out, "gleakd_missed_deadlines_total", EXPOSITION_COUNTER,
		  "Times that a process's file or memory could not be read within a deadline.",
		  self->missed_deadlines);
}

static void put_failures(FILE *out, const struct report_self *self)
{
	put_count(out, "gleakd_process_events_lost_total", EXPOSITION_COUNTER,
		  "Starts and ends of processes that were not told; a look through /proc follows.",
		  self->process_events_lost);
	put_count(out, "gleakd_textfile_write_errors_total", EXPOSITION_COUNTER,
		  "Times that these metrics could not be written.", self->textfile_errors);
	put_count(out, "gleakd_state_save_errors_total", EXPOSITION_COUNTER,
		  "Times that the state could not be saved.", self->state_errors);
	put_count(out, "gleakd_reports_left_out_total", EXPOSITION_COUNTER,
		  "Reports that were not written: who reads standard output did not keep up.",
		  self->reports_left_out);
	put_count(out, "gleakd_worker_restarts_total", EXPOSITION_COUNTER,
		  "Times that gleakd's worker process crashed or was killed, and was replaced.",
		  self->worker_restarts);
}

void textfile_part__self(FILE *out, const struct metrics *metrics, const struct report *report)
{
	const struct report_self *self = &report->self;

	if (self->start_time_seconds)
		put_count(out, "gleakd_start_time_seconds", EXPOSITION_GAUGE,
			  "When gleakd was started.", self->start_time_seconds);
	put_number(out, "gleakd_last_write_timestamp_seconds", EXPOSITION_GAUGE,
		   "When these metrics were written.", report__seconds(report->realtime_ns));
	put_targets(out, self);
	put_events(out, metrics, self);
	put_cost(out, metrics, self);
	put_failures(out, self);
}
