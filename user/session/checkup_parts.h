/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_CHECKUP_PARTS_H
#define GLEAKD_SESSION_CHECKUP_PARTS_H

/* The groups of checks. Private to checkup*.c and its tests. */
#include "output/list.h"
#include "probe/kernel.h"
#include "session/checkup.h"

/* What is known before anything is tried. */
struct checkup_facts {
	const char *proc_root, *sys_root;
	struct kernel_features features;
	uint64_t capabilities; /* effective, 1 << CAP_* number */
	bool host_users;  /* in the first user namespace: elsewhere capabilities count for little */
	int major, minor; /* of the kernel */
	uint64_t memlock; /* RLIMIT_MEMLOCK, bytes */
};

/* checkup__ok, checkup__problem - add an item. @err: 0 warns, negative errno fails. */
void checkup__ok(struct checkup_report *report, const char *group, const char *name,
		 const char *found, ...) __printf_fmt(4, 5);
void checkup__problem(struct checkup_report *report, const char *group, const char *name, int err,
		      const char *advice, const char *found, ...) __printf_fmt(6, 7);

bool checkup_facts__may(const struct checkup_facts *facts, int cap);

/* Whether programs may be loaded at all. */
bool checkup_facts__may_load(const struct checkup_facts *facts);

void checkup_part__kernel(struct checkup_report *report, const struct checkup_facts *facts);
void checkup_part__permissions(struct checkup_report *report, const struct checkup_facts *facts);
void checkup_part__system(struct checkup_report *report, const struct checkup_facts *facts);
void checkup_part__tried(struct checkup_report *report, const struct checkup_facts *facts);
void checkup_part__processes(struct checkup_report *report, const struct list *list);
void checkup_part__files(struct checkup_report *report, const char *textfile,
			 const char *state_directory);

/* checkup__exit_code - from what failed; lack of permission first, it may be why the rest fails. */
int checkup__exit_code(const struct checkup_report *report);

#endif /* GLEAKD_SESSION_CHECKUP_PARTS_H */
