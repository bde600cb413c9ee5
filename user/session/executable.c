// SPDX-License-Identifier: Apache-2.0
#include "session/executable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A target's stacks are few; those of a hostile one stop here. */
#define MAX_STACKS (1u << 18)

/* The part that others see comes first, so that a pointer to one is a pointer to the other. */
struct entry {
	struct executable executable;
	struct entry *next;
	uid_t uid;
	int exe_fd;
	size_t users;
};

struct executables {
	/* A list: it is looked through when a process is attached, and there are hundreds at most. */
	struct entry *first;
};

int executables__new(struct executables **ret_executables)
{
	struct executables *executables = calloc(1, sizeof(*executables));

	if (!executables)
		return -ENOMEM;
	*ret_executables = executables;
	return 0;
}

static void free_entry(struct entry *entry)
{
	places__free(entry->executable.places);
	stack_table__free(entry->executable.stacks);
	symbolizer__free(entry->executable.symbolizer);
	go_binary__free(entry->executable.binary);
	if (entry->exe_fd >= 0)
		close(entry->exe_fd);
	free(entry);
}

void executables__free(struct executables *executables)
{
	free(executables);
}

static struct entry *find(const struct executables *executables, const struct exe_file *file,
			  uid_t uid)
{
	for (struct entry *entry = executables->first; entry; entry = entry->next)
		if (entry->uid == uid && exe_file__same_contents(&entry->executable.file, file))
			return entry;
	return NULL;
}

static int open_entry(struct executables *executables, const char *proc_root,
		      const struct process_info *process, const struct exe_file *file,
		      struct entry **ret_entry, struct failure *failure)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	int err = 0;

	if (!entry)
		return failure__set(failure, -ENOMEM, "out of memory");
	entry->executable.file = *file;
	entry->uid = process->uid;
	entry->exe_fd = process__open_exe(proc_root, process->id.pid, failure);
	if (entry->exe_fd < 0)
		err = entry->exe_fd;
	if (!err)
		err = go_binary__open(entry->exe_fd, &entry->executable.binary, failure);
	if (err) {
		free_entry(entry);
		return err;
	}
	entry->next = executables->first;
	executables->first = entry;
	*ret_entry = entry;
	return 0;
}

/* Who opens it has better words for most of what can be wrong. */
static int explain(int err, const char *proc_root, pid_t pid, struct failure *failure)
{
	int fd = process__open_exe(proc_root, pid, failure);

	if (fd < 0)
		return fd;
	close(fd);
	return failure__set(failure, err, "cannot look at the executable of process %d: %s", pid,
			    strerror(-err));
}

int executables__take(struct executables *executables, const char *proc_root,
		      const struct process_info *process, struct executable **ret_executable,
		      struct failure *failure)
{
	struct exe_file file;
	struct entry *entry;
	int err = exe_file__identify(proc_root, process->id.pid, &file);

	if (err)
		return explain(err, proc_root, process->id.pid, failure);
	entry = find(executables, &file, process->uid);
	if (!entry) {
		err = open_entry(executables, proc_root, process, &file, &entry, failure);
		if (!entry)
			return err;
	}
	entry->users++;
	*ret_executable = &entry->executable;
	return 0;
}

void executables__put(struct executables *executables, struct executable *executable)
{
	struct entry *entry = (struct entry *)executable, **link = &executables->first;

	if (!entry || --entry->users)
		return;
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	free_entry(entry);
}

int executable__bind(struct executable *executable, struct remote *remote, uint64_t load_bias,
		     struct failure *failure)
{
	int err = go_binary__bind(executable->binary, remote, load_bias, failure);

	if (err || executable->places)
		return err;
	if (!executable->symbolizer)
		err = symbolizer__new(executable->binary, &executable->symbolizer);
	if (!err && !executable->stacks)
		err = stack_table__new(MAX_STACKS, &executable->stacks);
	if (!err)
		err = places__new(executable->symbolizer, executable->stacks, &executable->places);
	return err ? failure__set(failure, err, "out of memory for the names of a executable") : 0;
}

size_t executables__count(const struct executables *executables)
{
	size_t n = 0;

	for (const struct entry *entry = executables->first; entry; entry = entry->next)
		n++;
	return n;
}
