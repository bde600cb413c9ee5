/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CAPABILITY_H
#define GLEAKD_HOST_CAPABILITY_H

/*
 * The capabilities that this process has, from /proc/self/status, and giving up those that it does
 * not need.
 */
#include "base/common.h"
#include "base/failure.h"

/* capability__all - those that are effective, as a bit set: 1 << CAP_* number. */
uint64_t capability__all(void);

/*
 * capability__set_agent - another process acts for this one (host/access.h): from now on what is asked here
 * is asked about its capabilities, which are @set.
 */
void capability__set_agent(uint64_t set);

/* capability__has - whether CAP_* number @cap (linux/capability.h) is effective. */
bool capability__has(int cap);

/*
 * capability__missing - names of those of @caps that are not effective, as "CAP_BPF, CAP_PERFMON".
 * @out is "" when none is missing. Returns their number.
 */
size_t capability__missing(const int *caps, size_t n_caps, char *out, size_t out_size);

/*
 * capability__advice - what the user can do about missing capabilities, as the end of a sentence.
 * It does not advise root to use sudo: a container or a service keeps the capabilities from root.
 */
const char *capability__advice(void);

/*
 * capability__refused - set @failure to -EACCES: the kernel does not let this process read @what
 * ("the executable of process 7"). Names those of @caps that are missing or, when none is, other
 * possible reasons. Returns -EACCES.
 */
int capability__refused(const char *what, const int *caps, size_t n_caps, struct failure *failure);

/*
 * capability__effective - the CapEff line of @status_path as a bit set, 1 << CAP_* number.
 * Errors: -EPROTO no such line, or whatever opening and reading said.
 */
int capability__effective(const char *status_path, uint64_t *ret_set) __must_check;

/* capability__name - "CAP_BPF"; NULL for a number this program has no use for. */
const char *capability__name(int cap);

/* capability__names - of a set of capabilities, "CAP_BPF, CAP_PERFMON"; "none" of none. */
void capability__names(uint64_t set, char *out, size_t out_size);

/*
 * capability__writable - whether files can be made in @folder without CAP_DAC_OVERRIDE: root owns it,
 * say. False also where there is no such folder.
 */
bool capability__writable(const char *folder);

struct capability_use {
	bool probes;	   /* not only censuses */
	bool uprobe_multi; /* of probe/kernel.h; older uprobes need CAP_SYS_ADMIN */
	bool comes_first; /* for moments in which a program waits, or pays, for gleakd (priority.h) */
	bool write_anywhere; /* a file is to be written in a folder that is not capability__writable() */
};

/* capability__needed - the set for watching other users' processes like this. */
uint64_t capability__needed(const struct capability_use *use);

/*
 * capability__keep - give up, for good, all capabilities but those in @set: also for what this
 * process executes, and for programs that would give some. Nothing is gained: what is missing stays
 * missing. For the calling thread, so to be called while there is only one.
 * @ret_kept: what is left, also in the case of an error.
 * Errors: those of prctl(2) and capset(2), and -EPERM when the kernel did not do as it said.
 */
int capability__keep(uint64_t set, uint64_t *ret_kept, struct failure *failure) __must_check;

#endif /* GLEAKD_HOST_CAPABILITY_H */
