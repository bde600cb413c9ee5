// SPDX-License-Identifier: Apache-2.0
#include "discover/process_find.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "discover/container_name.h"
#include "discover/exe_cache.h"
#include "discover/runtimes.h"
#include "discover/selection.h"
#include "golang/go_sniff.h"
#include "host/image_file.h"
#include "host/pids.h"

/* include/linux/sched.h TASK_COMM_LEN, without the NUL: longer names of processes are cut there. */
#define COMM_LENGTH 15

/* --- matching ------------------------------------------------------------------------------------ */

static bool is_comm(const char *comm, const char *name)
{
	return glob__match(name, comm) ||
	       (strlen(name) > COMM_LENGTH && strlen(comm) == COMM_LENGTH &&
		strncmp(comm, name, COMM_LENGTH) == 0);
}

/* With slashes it is the path of an executable, else the last part of one. */
static bool is_exe(const char *exe, const char *name)
{
	const char *slash = strrchr(exe, '/');

	return *exe && glob__match(name, strchr(name, '/') || !slash ? exe : slash + 1);
}

/* "shop" is shop.service as well. */
static bool is_unit(const char *unit, const char *name)
{
	static const char suffix[] = ".service";
	size_t length = strlen(unit), cut = strlen(suffix);
	char base[CGROUP_UNIT_SIZE];

	if (!length || glob__match(name, unit))
		return length;
	if (length <= cut || strcmp(unit + length - cut, suffix) != 0)
		return false;
	memcpy(base, unit, length - cut);
	base[length - cut] = '\0';
	return glob__match(name, base);
}

static bool matches(const struct process_find_options *options, const char *name,
		    struct found_process *process)
{
	const struct process_info *info = &process->info;

	process->by_name = is_comm(info->comm, name) || is_exe(info->exe, name);
	if (cgroup__read(options->proc_root, info->id.pid, &process->origin))
		process->origin = (struct process_origin){0};
	return process->by_name ||
	       (is_unit(process->origin.unit, name) &&
		!*cgroup__claimed(&process->origin, process->origin.unit_at)) ||
	       container_name__matches(options->proc_root, info->id.pid, &process->origin,
				       options->docker_containers, name);
}

/* --- Go or not ----------------------------------------------------------------------------------- */

static bool has_go_library(const char *proc_root, pid_t pid, struct exe_cache *files)
{
	struct runtimes *runtimes;
	bool has;

	if (runtimes__find(proc_root, pid, files, &runtimes))
		return false;
	has = runtimes->n;
	free(runtimes);
	return has;
}

static enum found_kind kind_of(const char *proc_root, pid_t pid, struct exe_cache *files)
{
	struct image_file file;
	struct go_sniff sniff;
	int fd __cleanup_close = -1;

	/* A server of a file system could hold gleakd up for ever; watching says so in words. */
	if (image_file__identify(proc_root, pid, &file) ||
	    image_file__may_block(proc_root, pid, &file))
		return FOUND_UNKNOWN;
	fd = process__open_exe(proc_root, pid, NULL);
	if (fd < 0 || go_sniff__file(fd, &sniff))
		return FOUND_UNKNOWN;
	return sniff.kind == GO_SNIFF_NO && !has_go_library(proc_root, pid, files) ? FOUND_NOT_GO :
										     FOUND_GO;
}

/* --- all of them --------------------------------------------------------------------------------- */

/* Go programs take the place of others when there is no room for all. */
static void keep(struct process_find *find, const struct found_process *process)
{
	size_t at = process->kind == FOUND_NOT_GO ? find->n : min_of(find->n, find->n_go);

	find->n_go += process->kind != FOUND_NOT_GO;
	find->n_not_go += process->kind == FOUND_NOT_GO;
	if (at == PROCESS_FIND_MAX)
		return;
	if (find->n < PROCESS_FIND_MAX)
		find->n++;
	memmove(&find->found[at + 1], &find->found[at],
		(find->n - at - 1) * sizeof(find->found[0]));
	find->found[at] = *process;
}

static int take(const struct process_find_options *options, const char *name,
		struct process_find *find)
{
	struct found_process *process __cleanup_free = malloc(sizeof(*process));
	pid_t *pids __cleanup_free = NULL;
	struct exe_cache *files = NULL;
	size_t n;
	int err = process ? pids__read(options->proc_root, &pids, &n) : -ENOMEM;

	if (!err)
		err = exe_cache__new(EXE_CACHE_MAX, &files);
	for (size_t i = 0; !err && i < n; i++) {
		if (pids[i] == getpid() ||
		    process__read(options->proc_root, pids[i], &process->info, NULL) ||
		    process->info.kernel_thread || !matches(options, name, process))
			continue;
		process->kind = kind_of(options->proc_root, pids[i], files);
		keep(find, process);
	}
	exe_cache__free(files);
	return err;
}

int process_find__take(const struct process_find_options *options, const char *name,
		       struct process_find **ret_find, struct failure *failure)
{
	struct process_find *find = calloc(1, sizeof(*find));
	int err = find ? take(options, name, find) : -ENOMEM;

	if (err) {
		free(find);
		return failure__set(failure, err, "cannot look for '%.80s' in %s: %s", name,
				    options->proc_root, strerror(-err));
	}
	*ret_find = find;
	return 0;
}
