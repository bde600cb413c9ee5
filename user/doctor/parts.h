/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DOCTOR_PARTS_H
#define GLEAKD_DOCTOR_PARTS_H

/* The groups of checks. Private to doctor/ and its tests. */
#include "discover/process_list.h"
#include "probe/kernel.h"
#include "doctor/doctor.h"

/* What is known before anything is tried. */
struct doctor_facts {
	const char *proc_root, *sys_root;
	struct kernel_features features;
	uint64_t capabilities; /* effective, 1 << CAP_* number */
	bool host_users;  /* in the first user namespace: elsewhere capabilities count for little */
	int major, minor; /* of the kernel */
	uint64_t memlock; /* RLIMIT_MEMLOCK, bytes */
};

/* doctor__ok, doctor__problem - add an item. @err: 0 warns, negative errno fails. */
void doctor__ok(struct doctor_report *report, const char *group, const char *name,
		const char *found, ...) __printf_fmt(4, 5);
void doctor__problem(struct doctor_report *report, const char *group, const char *name, int err,
		     const char *advice, const char *found, ...) __printf_fmt(6, 7);

bool doctor_facts__may(const struct doctor_facts *facts, int cap);

/* Whether programs may be loaded at all. */
bool doctor_facts__may_load(const struct doctor_facts *facts);

void doctor_part__kernel(struct doctor_report *report, const struct doctor_facts *facts);
void doctor_part__permissions(struct doctor_report *report, const struct doctor_facts *facts);
void doctor_part__system(struct doctor_report *report, const struct doctor_facts *facts);
void doctor_part__tried(struct doctor_report *report, const struct doctor_facts *facts);
void doctor_part__processes(struct doctor_report *report, const struct doctor_facts *facts,
			    const struct process_list *list);
void doctor_part__files(struct doctor_report *report, const char *textfile,
			const char *state_directory);

/* doctor__exit_code - from what failed; lack of permission first, it may be why the rest fails. */
int doctor__exit_code(const struct doctor_report *report);

#endif /* GLEAKD_DOCTOR_PARTS_H */
