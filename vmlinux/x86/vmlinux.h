/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef GLEAKD_VMLINUX_X86_H
#define GLEAKD_VMLINUX_X86_H

/*
 * The few kernel types that the BPF programs use, reduced from the BTF of an x86-64 kernel; how is
 * in vmlinux/README.md. Structs carry preserve_access_index: libbpf moves every access to where
 * the running kernel has the field, so only the fields that are read are listed.
 */
typedef signed char __s8;
typedef unsigned char __u8;
typedef short int __s16;
typedef short unsigned int __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long int __s64;
typedef long long unsigned int __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum {
	false = 0,
	true = 1,
};

enum bpf_map_type {
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

enum {
	BPF_RB_AVAIL_DATA = 0,
};

enum {
	BPF_F_USER_STACK = 256,
};

struct pt_regs {
	long unsigned int r14;
	long unsigned int r8;
	long unsigned int bp;
	long unsigned int bx;
	long unsigned int ax;
	long unsigned int cx;
	long unsigned int si;
	long unsigned int di;
	long unsigned int flags;
	long unsigned int sp;
} __attribute__((preserve_access_index));

/*
 * Of a task, what bpf/processes.bpf.c reads: whether the last thread of its process is ending
 * (signal->live), and its number in each pid namespace it is in.
 */
typedef struct {
	int counter;
} atomic_t;

struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct pid_namespace {
	struct ns_common ns;
} __attribute__((preserve_access_index));

struct upid {
	int nr;
	struct pid_namespace *ns;
} __attribute__((preserve_access_index));

struct pid {
	unsigned int level;
	struct upid numbers[1];
} __attribute__((preserve_access_index));

struct signal_struct {
	atomic_t live;
} __attribute__((preserve_access_index));

struct task_struct {
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct signal_struct *signal;
} __attribute__((preserve_access_index));

#endif /* GLEAKD_VMLINUX_X86_H */
