// SPDX-License-Identifier: Apache-2.0
/* From a process, and a place in it, to a Go runtime that is understood. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "discover/load_bias.h"
#include "host/access.h"
#include "host/owner.h"
#include "session/target_internal.h"

/*
 * A Go runtime needs about a millisecond from exec to its first goroutine; who has nothing else to do
 * gives it two seconds.
 */
#define START_RETRY_NS	    (5 * NSEC_PER_MSEC)
#define START_TRIES	    4
#define START_TRIES_PATIENT 400

/* A file system served by a process can hold whoever reads from it up for ever. */
static int refuse_blocking_file(const char *proc_root, pid_t pid, struct failure *failure)
{
	struct image_file file;

	/* Errors are left to what comes next, which has better words for them. */
	if (image_file__identify(proc_root, pid, &file) ||
	    !image_file__may_block(proc_root, pid, &file))
		return 0;
	return failure__set(
		failure, -EOPNOTSUPP,
		"the executable of process %d is on a FUSE file system, whose server "
		"could hold gleakd up for ever; run the program from another file system",
		pid);
}

static int read_process(struct target *target, pid_t pid, struct failure *failure)
{
	const char *proc_root = target->options.proc_root;
	int err = process__read(proc_root, pid, &target->process, failure);

	if (!err)
		target->owner = access__owner(proc_root, pid, target->process.uid);
	/* What cannot be told is told again by what comes next. */
	if (!err && image_file__identify(proc_root, pid, &target->image))
		target->image = (struct image_file){.inode = 0};
	return err;
}

/* The process may be between exec and its first goroutine. */
static int bind_program(struct target *target, struct failure *failure)
{
	const struct timespec pause = {.tv_nsec = START_RETRY_NS};
	int tries = target->options.patient ? START_TRIES_PATIENT : START_TRIES;
	int err = -EAGAIN;

	for (int i = 0; i < tries && err == -EAGAIN; i++) {
		if (i)
			nanosleep(&pause, NULL);
		err = runtimes__check_threads(target->options.proc_root, target->process.id.pid,
					      failure);
		if (!err)
			err = executable__bind(target->executable, target->remote,
					       target->load_bias, failure);
	}
	return err;
}

/*
 * Whether process and memory are still those of the executable that was opened. The memory belongs to one
 * execve(2): while it is in use, what the process runs cannot change and change back.
 */
static bool is_same_program(struct target *target, bool of_exe)
{
	struct exe_file now;

	if (of_exe &&
	    (exe_file__identify(target->options.proc_root, target->process.id.pid, &now) ||
	     !exe_file__same_file(&now, &target->executable->file)))
		return false;
	return target__check_alive(target);
}

/* Where its memory is not as that of another process of the file, one of the two may be lying. */
static int bind_alone(struct target *target, const struct runtime_place *place,
		      struct failure *failure)
{
	int err = executables__take_another(target->options.executables, target->options.proc_root,
					    &target->process, place, &target->executable, failure);

	return err ? err : bind_program(target, failure);
}

static int read_memory(struct target *target, const struct runtime_place *place,
		       struct failure *failure)
{
	bool shared = executable__is_bound(target->executable);
	int err = load_bias__read(target->options.proc_root, target->process.id.pid, place,
				  target->executable->binary, &target->load_bias, failure);

	if (!err)
		err = bind_program(target, failure);
	if (err == -EOPNOTSUPP && shared)
		err = bind_alone(target, place, failure);
	/* What a process has in its memory says nothing about others that run the same file. */
	return err == -EOPNOTSUPP || err == -ENOEXEC ? -ENOTRECOVERABLE : err;
}

static int understand(struct target *target, const struct runtime_place *place,
		      const struct exe_file *expected, struct failure *failure)
{
	int err =
		executables__take(target->options.executables, target->options.proc_root,
				  &target->process, place, expected, &target->executable, failure);

	if (!err)
		err = remote__open_process(target->process.id.pid, &target->remote, failure);
	if (!err)
		err = read_memory(target, place, failure);
	if ((!err || err == -ENOTRECOVERABLE) && !is_same_program(target, !place))
		err = failure__set(failure, -ESRCH,
				   "process %d ended or became another program while it was read",
				   target->process.id.pid);
	return err;
}

int target_runtime__open(struct target *target, pid_t pid, const struct runtime_place *place,
			 const struct exe_file *expected, struct failure *failure)
{
	int err = place ? 0 : refuse_blocking_file(target->options.proc_root, pid, failure);

	if (place)
		snprintf(target->file, sizeof(target->file), "%s", place->mapped.path);
	if (!err)
		err = read_process(target, pid, failure);
	return err ? err : understand(target, place, expected, failure);
}

bool target__is_of_exe(const struct target *target)
{
	return !target->file[0];
}

const char *target__file(const struct target *target)
{
	return target->file[0] ? target->file : target->process.exe;
}

struct runtime_id target__id(const struct target *target)
{
	return (struct runtime_id){.process = target->process.id,
				   .moduledata = module_map__at(target->modules, 0)->moduledata};
}

bool target__has_code(const struct target *target, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < module_map__count(target->modules); i++) {
		const struct loaded_module *module = module_map__at(target->modules, i);

		if (start < module->etext && module->text < end)
			return true;
	}
	return false;
}
