// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Tells which processes execute a program and which end, from two tracepoints of the scheduler.
 * Nothing here knows of Go. Forks are not told: a forked process that keeps running its parent's
 * program is found by a sweep through /proc.
 *
 * The task that executes or ends hits the tracepoint itself (fs/exec.c exec_binprm, kernel/exit.c
 * do_exit), so the programs read the current task and not the arguments, which differ between
 * kernels.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "process_abi.h"

/* include/linux/pid_namespace.h */
#define MAX_PID_NS_LEVEL 32

/* The size is set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} gl_process_events SEC(".maps");

/* Inode of the pid namespace whose pids are reported. */
const volatile __u32 gl_pid_ns_inode = 0;

/*
 * The programs wake the reader when the ring buffer holds this many unread bytes; for fewer it
 * looks by itself.
 */
const volatile __u64 gl_process_wakeup_bytes = 0;

/* Records that found no room. */
__u64 gl_process_lost = 0;

/*
 * The pid of @task's process in that namespace; 0 when it is not visible there. A process has one
 * pid for each namespace around it, outermost first; nearly always the first is wanted.
 * (bpf_get_ns_current_pid_tgid() knows the innermost only.)
 */
static __always_inline __u32 process_number(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 deepest = BPF_CORE_READ(pid, level);
	struct upid *number = pid->numbers;

	for (__u32 level = 0; level <= MAX_PID_NS_LEVEL && level <= deepest; level++) {
		if (BPF_CORE_READ(number, ns, ns.inum) == gl_pid_ns_inode)
			return (__u32)BPF_CORE_READ(number, nr);
		/* CO-RE relocates fields, not elements of an array. */
		number = (void *)number + bpf_core_type_size(struct upid);
	}
	return 0;
}

static __always_inline void tell(struct task_struct *task, enum gl_process_event_kind kind)
{
	__u32 pid = process_number(task);
	struct gl_process_event *event;
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!pid)
		return;
	event = bpf_ringbuf_reserve(&gl_process_events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&gl_process_lost, 1);
		return;
	}
	event->kind = kind;
	event->pid = pid;
	event->time_ns = bpf_ktime_get_ns();
	if (bpf_ringbuf_query(&gl_process_events, BPF_RB_AVAIL_DATA) >= gl_process_wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	bpf_ringbuf_submit(event, flags);
}

SEC("raw_tp/sched_process_exec")
int gl_process_exec(void *ctx)
{
	(void)ctx;
	tell((void *)bpf_get_current_task(), GL_PROCESS_EXEC);
	return 0;
}

/*
 * Runs for every thread that ends. The last thread ends the process; it need not be the main one.
 * When several threads end at the same time, more than one may find itself the last, and the end is
 * told more than once.
 */
SEC("raw_tp/sched_process_exit")
int gl_process_exit(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	(void)ctx;
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		tell(task, GL_PROCESS_EXIT);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
