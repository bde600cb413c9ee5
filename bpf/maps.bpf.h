/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef GLEAKD_BPF_MAPS_BPF_H
#define GLEAKD_BPF_MAPS_BPF_H

/* Everything that the programs share with user space, apart from the records themselves. */

/* Records to the daemon. The size is set before loading; see PROBES_DEFAULT_RING_BYTES. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} gl_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GL_MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct gl_target);
} gl_targets SEC(".maps");

/*
 * Written only when a record is lost, so one counter for all CPUs is enough. User space has it mapped: it looks
 * many times a second, at all targets.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, 1u << 10); /* BPF_F_MMAPABLE of include/uapi/linux/bpf.h, Linux 5.5 */
	__uint(max_entries, GL_MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct gl_losses);
} gl_losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GL_MAX_TARGETS);
	__type(key, __u32);
	__type(value, struct gl_paces);
} gl_paces SEC(".maps");

/* The programs wake gleakd when the ring buffer holds this many unread bytes. */
const volatile __u64 gl_wakeup_bytes = 0;

#endif /* GLEAKD_BPF_MAPS_BPF_H */
