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

static void free_module(struct executable_module *module)
{
	go_binary__free(module->binary);
	if (module->fd >= 0)
		close(module->fd);
	free(module);
}

static void free_entry(struct entry *entry)
{
	places__free(entry->executable.places);
	stack_table__free(entry->executable.stacks);
	symbolizer__free(entry->executable.symbolizer);
	for (size_t i = 0; i < entry->executable.n_modules; i++)
		free_module(entry->executable.modules[i]);
	free(entry->executable.modules);
	go_binary__free(entry->executable.binary);
	if (entry->executable.fd >= 0)
		close(entry->executable.fd);
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

static int open_file(const char *proc_root, pid_t pid, const struct runtime_place *place,
		     struct failure *failure)
{
	return place ? mapped_file__open(proc_root, pid, &place->mapped, failure) :
		       process__open_exe(proc_root, pid, failure);
}

/* A plugin whose program cannot be read, or has not taken it in yet. */
static int refuse_plugin(const struct go_binary *binary, const struct runtime_place *place,
			 struct failure *failure)
{
	if (!go_binary__build_info(binary)->plugin)
		return 0;
	return failure__set(
		failure, -ENOEXEC,
		"%s is a plugin, which runs on the runtime of the program that opens it",
		place ? place->mapped.path : "the executable");
}

/* By its descriptor: the process may have executed another file before that was opened. */
static bool is_file(int fd, const struct exe_file *file)
{
	struct exe_file opened;

	return !exe_file__of(fd, &opened) && exe_file__same_contents(&opened, file);
}

static int became_another(pid_t pid, struct failure *failure)
{
	return failure__set(failure, -ESRCH, "process %d has become another program", pid);
}

static int open_entry(struct executables *executables, const char *proc_root,
		      const struct process_info *process, const struct runtime_place *place,
		      const struct exe_file *file, struct entry **ret_entry,
		      struct failure *failure)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	int err = 0;

	if (!entry)
		return failure__set(failure, -ENOMEM, "out of memory");
	entry->executable.file = *file;
	entry->uid = process->uid;
	entry->executable.fd = open_file(proc_root, process->id.pid, place, failure);
	if (entry->executable.fd < 0)
		err = entry->executable.fd;
	else if (!is_file(entry->executable.fd, file))
		err = became_another(process->id.pid, failure);
	if (!err)
		err = go_binary__open(entry->executable.fd, &entry->executable.binary, failure);
	if (!err)
		err = refuse_plugin(entry->executable.binary, place, failure);
	if (err) {
		free_entry(entry);
		return err;
	}
	entry->next = executables->first;
	executables->first = entry;
	*ret_entry = entry;
	return 0;
}

/* Opening the file once more explains most of what can be wrong better than @err does. */
static int explain(int err, const char *proc_root, pid_t pid, const struct runtime_place *place,
		   struct failure *failure)
{
	int fd = open_file(proc_root, pid, place, failure);

	if (fd < 0)
		return fd;
	close(fd);
	return failure__set(failure, err, "cannot look at the executable of process %d: %s", pid,
			    strerror(-err));
}

/* Which file @process runs now, or has at @place; -ESRCH if that is not @expected, unless it is NULL. */
static int identify(const char *proc_root, const struct process_info *process,
		    const struct runtime_place *place, const struct exe_file *expected,
		    struct exe_file *ret_file, struct failure *failure)
{
	pid_t pid = process->id.pid;
	int err = place ? mapped_file__identify(proc_root, pid, &place->mapped, ret_file) :
			  exe_file__identify(proc_root, pid, ret_file);

	if (err)
		return explain(err, proc_root, pid, place, failure);
	if (expected && !exe_file__same_file(ret_file, expected))
		return became_another(pid, failure);
	return 0;
}

static struct executable *use(struct entry *entry)
{
	entry->users++;
	return &entry->executable;
}

int executables__take(struct executables *executables, const char *proc_root,
		      const struct process_info *process, const struct runtime_place *place,
		      const struct exe_file *expected, struct executable **ret_executable,
		      struct failure *failure)
{
	struct exe_file file;
	struct entry *entry;
	int err = identify(proc_root, process, place, expected, &file, failure);

	if (err)
		return err;
	entry = find(executables, &file, process->uid);
	if (!entry)
		err = open_entry(executables, proc_root, process, place, &file, &entry, failure);
	if (!entry)
		return err;
	*ret_executable = use(entry);
	return 0;
}

int executables__take_another(struct executables *executables, const char *proc_root,
			      const struct process_info *process, const struct runtime_place *place,
			      struct executable **ret_executable, struct failure *failure)
{
	struct executable *shared = *ret_executable;
	struct exe_file file;
	struct entry *entry = NULL;
	int err = identify(proc_root, process, place, &shared->file, &file, failure);

	if (!err)
		err = open_entry(executables, proc_root, process, place, &file, &entry, failure);
	if (!entry)
		return err;
	*ret_executable = use(entry);
	executables__put(executables, shared);
	return 0;
}

bool executable__is_bound(const struct executable *executable)
{
	return executable->places;
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
	return err ? failure__set(failure, err, "out of memory for the names of an executable") : 0;
}

/* --- plugins ------------------------------------------------------------------------------------- */

static bool same_mapped(const struct mapped_file *a, const struct mapped_file *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

/* @file: NULL when which file it is cannot be found out. */
static bool is_module(const struct executable_module *module, const struct mapped_file *mapped,
		      const struct exe_file *file)
{
	if (file && module->file.file.inode)
		return exe_file__same_contents(&module->file, file);
	return same_mapped(&module->mapped, mapped);
}

static int open_module(const struct executable *executable, struct executable_module *module,
		       const char *proc_root, pid_t pid)
{
	int err;

	module->fd = mapped_file__open(proc_root, pid, &module->mapped, &module->reason);
	if (module->fd < 0)
		return module->fd == -ENOMEM ? module->fd : 0;
	/* What is not known of it is not known for good: only memory is worth another try. */
	err = go_binary__open_module(module->fd, executable->binary, &module->binary,
				     &module->reason);
	return err == -ENOMEM ? err : 0;
}

static int add_module(struct executable *executable, struct executable_module *module)
{
	struct executable_module **modules;

	modules = reallocarray(executable->modules, executable->n_modules + 1, sizeof(*modules));
	if (!modules)
		return -ENOMEM;
	executable->modules = modules;
	modules[executable->n_modules] = module;
	return symbolizer__add_module(executable->symbolizer, module->binary,
				      mapped_file__name(&module->mapped));
}

int executable__module(struct executable *executable, const char *proc_root, pid_t pid,
		       const struct mapped_file *mapped, uint32_t after, uint32_t *ret_number)
{
	struct exe_file file = {.size = 0};
	bool known = !mapped_file__identify(proc_root, pid, mapped, &file);
	struct executable_module *module;
	unsigned int of_it = 0;
	int err;

	for (size_t i = 0; i < executable->n_modules; i++) {
		if (!is_module(executable->modules[i], mapped, known ? &file : NULL))
			continue;
		of_it++;
		if (i < after)
			continue;
		*ret_number = (uint32_t)i + 1;
		return 0;
	}
	if (of_it == EXECUTABLE_MODULE_TRIES)
		return -ENOSPC;
	module = calloc(1, sizeof(*module));
	if (!module)
		return -ENOMEM;
	module->mapped = *mapped;
	module->file = file;
	module->fd = -1;
	err = open_module(executable, module, proc_root, pid);
	if (!err)
		err = add_module(executable, module);
	if (err) {
		free_module(module);
		return err;
	}
	*ret_number = (uint32_t)++executable->n_modules;
	return 0;
}

int executable__fd(const struct executable *executable, uint32_t number)
{
	return number ? executable->modules[number - 1]->fd : executable->fd;
}

uint64_t executable__memory(const struct executable *executable)
{
	const struct entry *entry = (const struct entry *)executable;

	return executable->stacks ? stack_table__memory(executable->stacks) / entry->users : 0;
}

size_t executables__count(const struct executables *executables)
{
	size_t n = 0;

	for (const struct entry *entry = executables->first; entry; entry = entry->next)
		n++;
	return n;
}
