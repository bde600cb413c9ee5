// SPDX-License-Identifier: Apache-2.0
#include "host/process_programs.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <sys/stat.h>
#include <unistd.h>

#include "processes.skel.h"

#include "host/process_events.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/*
 * libbpf prints to stderr what it is not allowed to do or cannot do. That is expected here, and not
 * worth a message.
 */
static int load_quietly(struct processes_bpf *skeleton)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err = processes_bpf__load(skeleton);

	if (!err)
		err = processes_bpf__attach(skeleton);
	libbpf_set_print(print);
	return err;
}

/* Makes the programs record the pids of our own pid namespace. */
static int configure(struct processes_bpf *skeleton)
{
	struct stat namespace;

	if (stat("/proc/self/ns/pid", &namespace))
		return -errno;
	skeleton->rodata->gl_pid_ns_inode = (__u32) namespace.st_ino;
	skeleton->rodata->gl_process_wakeup_bytes = PROCESS_EVENTS_RING_BYTES / 4;
	return bpf_map__set_max_entries(skeleton->maps.gl_process_events,
					PROCESS_EVENTS_RING_BYTES);
}

/* The descriptors hold what they stand for, whatever becomes of the skeleton. */
static int take_over(const struct processes_bpf *skeleton, struct process_programs *programs)
{
	const int fds[PROCESS_PROGRAM_FDS] = {
		[PROCESS_PROGRAM_RING] = bpf_map__fd(skeleton->maps.gl_process_events),
		[PROCESS_PROGRAM_COUNTERS] = bpf_map__fd(skeleton->maps.bss),
		[PROCESS_PROGRAM_EXEC] = bpf_link__fd(skeleton->links.gl_process_exec),
		[PROCESS_PROGRAM_EXIT] = bpf_link__fd(skeleton->links.gl_process_exit),
	};

	for (size_t i = 0; i < PROCESS_PROGRAM_FDS; i++) {
		programs->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (programs->fds[i] < 0)
			return -errno;
	}
	return 0;
}

int process_programs__load(struct process_programs *ret_programs)
{
	struct process_programs programs = PROCESS_PROGRAMS_NONE;
	struct processes_bpf *skeleton;
	int err;

	if (access(BTF_PATH, R_OK))
		return -ENOENT;
	skeleton = processes_bpf__open();
	if (!skeleton)
		return -errno;
	err = configure(skeleton);
	if (!err)
		err = load_quietly(skeleton);
	if (!err)
		err = take_over(skeleton, &programs);
	processes_bpf__destroy(skeleton);
	if (err)
		process_programs__close(&programs);
	else
		*ret_programs = programs;
	return err;
}

void process_programs__close(struct process_programs *programs)
{
	for (size_t i = 0; i < PROCESS_PROGRAM_FDS; i++) {
		if (programs->fds[i] >= 0)
			close(programs->fds[i]);
		programs->fds[i] = -1;
	}
}
