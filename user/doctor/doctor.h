/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DOCTOR_DOCTOR_H
#define GLEAKD_DOCTOR_DOCTOR_H

/*
 * Finds out what works on this host, by trying: the programs are loaded, a probe is brought to an
 * instruction of our own, a file is made where metrics would go. Nothing stays behind, and no other
 * process is touched beyond being looked at.
 */
#include "base/common.h"
#include "output/doctor.h"

struct doctor_options {
	const char *version, *revision; /* of gleakd, for the report */
	const char *proc_root;		/* PROC_ROOT, or a recorded tree */
	const char *sys_root;		/* "/sys", likewise */
	const char *textfile;		/* NULL: look at Debian's directory for it */
	const char *state_directory;
};

/*
 * doctor__run - fill @report. Never fails: what cannot be found out is said there. Takes a second
 * or two, and never longer than a few: a file system that does not answer is not waited for.
 */
void doctor__run(const struct doctor_options *options, struct doctor_report *report);

#endif /* GLEAKD_DOCTOR_DOCTOR_H */
