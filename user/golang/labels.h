/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_LABELS_H
#define GLEAKD_GOLANG_LABELS_H

/*
 * Profiler labels of a goroutine (runtime/pprof Do, SetGoroutineLabels), read from a live process.
 * g.labels points to a set that is never changed once a goroutine has it, but that the garbage
 * collector may free when no goroutine has it any more. So after reading a set check that g.labels is
 * still the same: otherwise what was read may be anything.
 */
#include "base/common.h"
#include "host/remote.h"

#define GO_LABELS_MAX	  64  /* of one set; more are left out */
#define GO_LABEL_MAX_TEXT 256 /* bytes of a key or a value; longer ones are cut */

/* Both end in NUL and hold any other bytes; a NUL in the original is 0xff here, no UTF-8 either. */
struct go_label {
	const char *key;
	const char *value;
};

/* One block of memory, to free(). */
struct go_labels {
	bool cut; /* labels were left out or shortened */
	size_t n;
	struct go_label items[]; /* by key */
};

/*
 * go_labels__read - the set at @address, as Go 1.@minor keeps it. Errors: -EFAULT unreadable,
 * -EPROTO what is there is no set of labels, -ESRCH the process is gone, -ENOMEM.
 */
int go_labels__read(struct remote *remote, int minor, uint64_t address,
		    struct go_labels **ret_labels) __must_check;

#endif /* GLEAKD_GOLANG_LABELS_H */
