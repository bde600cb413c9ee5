/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef GLEAKD_BPF_PROCESS_ABI_H
#define GLEAKD_BPF_PROCESS_ABI_H

/*
 * What bpf/processes.bpf.c and host/process_events agree on. The rules are those of abi.h, but the
 * two have nothing in common: these programs are an object of their own, and gleakd works without
 * it.
 */
enum gl_process_event_kind {
	GL_PROCESS_EXEC = 1, /* a process runs another program from now on */
	GL_PROCESS_EXIT = 2, /* its last thread is ending */
};

struct gl_process_event {
	__u32 kind;    /* enum gl_process_event_kind */
	__u32 pid;     /* of the process, in gleakd's pid namespace */
	__u64 time_ns; /* CLOCK_MONOTONIC */
};

_Static_assert(sizeof(struct gl_process_event) == 16, "gl_process_event is part of the ABI");

#endif /* GLEAKD_BPF_PROCESS_ABI_H */
