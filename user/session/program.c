// SPDX-License-Identifier: Apache-2.0
#include "session/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A target's stacks are few; those of a hostile one stop here. */
#define MAX_STACKS (1u << 18)

/* The part that others see comes first, so that a pointer to one is a pointer to the other. */
struct entry {
	struct program program;
	struct entry *next;
	uid_t uid;
	int exe_fd;
	size_t users;
};

struct programs {
	/* A list: it is looked through when a process is attached, and there are hundreds at most. */
	struct entry *first;
};

int programs__new(struct programs **ret_programs)
{
	struct programs *programs = calloc(1, sizeof(*programs));

	if (!programs)
		return -ENOMEM;
	*ret_programs = programs;
	return 0;
}

static void free_entry(struct entry *entry)
{
	places__free(entry->program.places);
	stack_table__free(entry->program.stacks);
	symbolizer__free(entry->program.symbolizer);
	go_binary__free(entry->program.binary);
	if (entry->exe_fd >= 0)
		close(entry->exe_fd);
	free(entry);
}

void programs__free(struct programs *programs)
{
	free(programs);
}

static struct entry *find(const struct programs *programs, const struct exe_file *file, uid_t uid)
{
	for (struct entry *entry = programs->first; entry; entry = entry->next)
		if (entry->uid == uid && exe_file__same_contents(&entry->program.file, file))
			return entry;
	return NULL;
}

static int open_entry(struct programs *programs, const char *proc_root,
		      const struct process_info *process, const struct exe_file *file,
		      struct entry **ret_entry, struct failure *failure)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	int err = 0;

	if (!entry)
		return failure__set(failure, -ENOMEM, "out of memory");
	entry->program.file = *file;
	entry->uid = process->uid;
	entry->exe_fd = process__open_exe(proc_root, process->id.pid, failure);
	if (entry->exe_fd < 0)
		err = entry->exe_fd;
	if (!err)
		err = go_binary__open(entry->exe_fd, &entry->program.binary, failure);
	if (err) {
		free_entry(entry);
		return err;
	}
	entry->next = programs->first;
	programs->first = entry;
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

int programs__take(struct programs *programs, const char *proc_root,
		   const struct process_info *process, struct program **ret_program,
		   struct failure *failure)
{
	struct exe_file file;
	struct entry *entry;
	int err = exe_file__identify(proc_root, process->id.pid, &file);

	if (err)
		return explain(err, proc_root, process->id.pid, failure);
	entry = find(programs, &file, process->uid);
	if (!entry) {
		err = open_entry(programs, proc_root, process, &file, &entry, failure);
		if (!entry)
			return err;
	}
	entry->users++;
	*ret_program = &entry->program;
	return 0;
}

void programs__put(struct programs *programs, struct program *program)
{
	struct entry *entry = (struct entry *)program, **link = &programs->first;

	if (!entry || --entry->users)
		return;
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	free_entry(entry);
}

int program__bind(struct program *program, struct remote *remote, uint64_t load_bias,
		  struct failure *failure)
{
	int err = go_binary__bind(program->binary, remote, load_bias, failure);

	if (err || program->places)
		return err;
	if (!program->symbolizer)
		err = symbolizer__new(program->binary, &program->symbolizer);
	if (!err && !program->stacks)
		err = stack_table__new(MAX_STACKS, &program->stacks);
	if (!err)
		err = places__new(program->symbolizer, program->stacks, &program->places);
	return err ? failure__set(failure, err, "out of memory for the names of a program") : 0;
}

size_t programs__count(const struct programs *programs)
{
	size_t n = 0;

	for (const struct entry *entry = programs->first; entry; entry = entry->next)
		n++;
	return n;
}
