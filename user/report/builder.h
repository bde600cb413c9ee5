/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_BUILDER_H
#define GLEAKD_REPORT_BUILDER_H

/*
 * Turns numbers into the neutral report: program counters into frames, sites into what a human calls
 * one place. The builder owns everything the report points to, until the next build.
 */
#include "base/common.h"
#include "base/held.h"
#include "output/report.h"
#include "naming/allow_list.h"
#include "naming/source_tree.h"
#include "session/session.h"

struct report_builder;
struct discovery_counts;

/* What only the run that reports knows of itself. */
struct report_notes {
	const struct discovery_counts *discovery; /* NULL: the processes were named */
	uint64_t cycle_ns;			  /* these as in struct report_self */
	uint32_t interval_stretch;
	uint64_t process_events_lost, textfile_errors, state_errors, reports_left_out;
	struct loop_hold held;
};

int report_builder__new(uint64_t min_age_ns, struct report_builder **ret_builder) __must_check;
void report_builder__free(struct report_builder *builder);

/* report_builder__set_allow - known cases are suppressed; @allow (NULL: none) is borrowed. */
void report_builder__set_allow(struct report_builder *builder, struct allow_list *allow);

/* report_builder__set_allocations - how they are told; places by bytes in use otherwise. */
void report_builder__set_allocations(struct report_builder *builder,
				     const struct report_alloc_choice *choice);

/* Where evidence is kept, and of what. What is returned outlives the report. */
struct report_evidence_ops {
	const char *(*folder)(void *ctx, const struct runtime_id *id,
			      const char *site); /* NULL: nowhere */
	/* Of a report that is whole otherwise, at most @max; returns how many. */
	size_t (*triggers)(void *ctx, const struct runtime_id *id,
			   const struct report_target *target, uint64_t now_ns,
			   struct report_trigger *triggers, size_t max);
};

/* report_builder__set_evidence - @ops lasts. */
void report_builder__set_evidence(struct report_builder *builder,
				  const struct report_evidence_ops *ops, void *ctx);

/*
 * report_builder__show_heap - what looks at heaps have found is told, whatever they were made for; else what
 * heaps consist of is told unless somebody asked what is open.
 */
void report_builder__show_heap(struct report_builder *builder);

/* report_builder__set_source - lines of sites are read there; @tree (NULL: none) is borrowed. */
void report_builder__set_source(struct report_builder *builder, const struct source_tree *tree);

void report_builder__set_group(struct report_builder *builder, enum report_group group);

/* report_builder__note - for the reports to come; copied. */
void report_builder__note(struct report_builder *builder, const struct report_notes *notes);

/*
 * report_builder__build - the state of all targets of @session at @now_ns (monotonic).
 * The report is valid until the next call or free.
 * -ENOMEM leaves the builder usable.
 */
int report_builder__build(struct report_builder *builder, struct session *session, uint64_t now_ns,
			  uint64_t realtime_ns, enum report_end end,
			  const struct report **ret_report) __must_check;

#endif /* GLEAKD_REPORT_BUILDER_H */
