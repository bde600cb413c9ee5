/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_KERNEL_H
#define GLEAKD_PROBE_KERNEL_H

/* What the running kernel can do, found out by trying and never by comparing versions. */
#include "base/common.h"
#include "base/failure.h"

#define KERNEL_UPROBE_PMU "/sys/bus/event_source/devices/uprobe/type"

struct kernel_features {
	bool btf;	    /* /sys/kernel/btf/vmlinux is readable */
	bool ring_buffer;   /* BPF_MAP_TYPE_RINGBUF */
	bool attach_cookie; /* bpf_get_attach_cookie() for uprobes */
	bool uprobe_pmu;    /* perf-event uprobes: /sys/bus/event_source/devices/uprobe */
	bool uprobe_multi;  /* uprobe_multi links whose pid filter means the process */
};

/*
 * kernel__probe - fill @ret_features. Never fails: a feature that cannot be tried counts as
 * missing.
 */
void kernel__probe(struct kernel_features *ret_features);

/*
 * kernel__check - whether probes can work at all. Errors: -EOPNOTSUPP (no BTF, no ring buffer, no
 * cookies, no uprobes), -EPERM (the failure names the missing capability). Each says what to do about it.
 */
int kernel__check(const struct kernel_features *features, struct failure *failure) __must_check;

#endif /* GLEAKD_PROBE_KERNEL_H */
