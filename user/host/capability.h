/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CAPABILITY_H
#define GLEAKD_HOST_CAPABILITY_H

/* What this process may do: effective capabilities from /proc/self/status. */
#include "base/common.h"

/* capability__has - whether CAP_* number @cap (linux/capability.h) is effective. */
bool capability__has(int cap);

/*
 * capability__missing - names of those of @caps that are not effective, as "CAP_BPF, CAP_PERFMON".
 * @out is "" when none is missing. Returns their number.
 */
size_t capability__missing(const int *caps, size_t n_caps, char *out, size_t out_size);

/*
 * capability__effective - the CapEff line of @status_path as a bit set, 1 << CAP_* number.
 * Errors: -EPROTO no such line, or whatever opening and reading said.
 */
int capability__effective(const char *status_path, uint64_t *ret_set) __must_check;

/* capability__name - "CAP_BPF"; NULL for a number this program has no use for. */
const char *capability__name(int cap);

#endif /* GLEAKD_HOST_CAPABILITY_H */
