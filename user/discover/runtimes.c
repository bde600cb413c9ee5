// SPDX-License-Identifier: Apache-2.0
#include "discover/runtimes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "golang/go_sniff.h"

/* What is under way in one process. */
struct search {
	const char *proc_root;
	pid_t pid;
	struct exe_cache *files;
	struct exe_file exe;   /* all 0: not known */
	struct remote *remote; /* opened when a file cannot be */
	struct runtimes *found;
	struct mapped_file last; /* a file mostly has several mappings in a row */
	enum exe_verdict last_verdict;
	struct exe_file last_file;
	pid_t unsupported_with;
};

/* --- what a file is ------------------------------------------------------------------------------ */

static bool same_mapped(const struct mapped_file *a, const struct mapped_file *b)
{
	return a->inode == b->inode && a->major == b->major && a->minor == b->minor;
}

/* Of a file that nobody has looked at yet. */
static bool open_and_sniff(struct search *search, const struct mapped_file *mapped,
			   struct exe_knowledge *knowledge)
{
	int fd __cleanup_close = mapped_file__open(search->proc_root, search->pid, mapped, NULL);
	struct go_sniff sniff;

	if (fd == -EAGAIN || fd == -ENOEXEC) {
		knowledge->verdict = fd == -EAGAIN ? EXE_MAY_BLOCK : EXE_NOT_GO;
		return true;
	}
	if (fd < 0)
		return false;
	search->found->opened++;
	if (go_sniff__library(fd, &sniff))
		return false;
	knowledge->verdict = sniff.kind == GO_SNIFF_GO ? EXE_GO : EXE_NOT_GO;
	return true;
}

/* There is no way to the file; its beginning in memory may tell. */
static enum exe_verdict look_at_memory(struct search *search, const struct mapped_file *mapped)
{
	search->found->not_opened++;
	if (!search->remote && remote__open_process(search->pid, &search->remote, NULL))
		search->remote = NULL;
	return search->remote && go_sniff__memory(search->remote, mapped->image) ? EXE_GO :
										   EXE_NOT_GO;
}

static enum exe_verdict look_at_file(struct search *search, const struct mapped_file *mapped,
				     const struct exe_file *file)
{
	struct exe_knowledge knowledge = {.pid = search->pid};

	if (exe_file__same_file(file, &search->exe))
		return EXE_NOT_GO;
	if (!exe_cache__get(search->files, file, &knowledge)) {
		if (!open_and_sniff(search, mapped, &knowledge))
			return look_at_memory(search, mapped);
		exe_cache__put(search->files, file, knowledge);
	}
	if (knowledge.verdict == EXE_MAY_BLOCK)
		return look_at_memory(search, mapped);
	search->unsupported_with = knowledge.pid;
	return knowledge.verdict;
}

/* --- all of them --------------------------------------------------------------------------------- */

static void add_place(struct search *search, const struct mapped_file *mapped)
{
	struct runtimes *found = search->found;

	if (found->n == RUNTIMES_MAX) {
		found->refused++;
		return;
	}
	found->places[found->n++] =
		(struct runtime_place){.mapped = *mapped, .file = search->last_file};
}

static void note_unsupported(struct search *search, const struct mapped_file *mapped)
{
	search->found->unsupported_with = search->unsupported_with;
	snprintf(search->found->unsupported, sizeof(search->found->unsupported), "%s",
		 mapped->path);
}

static void add_to_fingerprint(uint64_t *fingerprint, const struct mapped_file *mapped)
{
	const uint64_t words[] = {mapped->start, mapped->end,	mapped->file_offset, mapped->major,
				  mapped->minor, mapped->inode, *fingerprint};

	*fingerprint = hash__keyed(words, sizeof(words));
}

static bool look(void *ctx, const struct mapped_file *mapped)
{
	struct search *search = ctx;

	add_to_fingerprint(&search->found->fingerprint, mapped);
	if (!same_mapped(mapped, &search->last)) {
		struct exe_file file = {.size = 0};
		bool known = !mapped_file__identify(search->proc_root, search->pid, mapped, &file);

		search->last = *mapped;
		search->last_file = file;
		search->last_verdict = known ? look_at_file(search, mapped, &file) :
					       look_at_memory(search, mapped);
	}
	if (search->last_verdict == EXE_GO)
		add_place(search, mapped);
	else if (search->last_verdict == EXE_UNSUPPORTED)
		note_unsupported(search, mapped);
	return true;
}

static int compare_places(const void *a, const void *b)
{
	const struct runtime_place *x = a, *y = b;
	int order = strcmp(x->mapped.path, y->mapped.path);

	return order ? order :
		       (x->mapped.start > y->mapped.start) - (x->mapped.start < y->mapped.start);
}

int runtimes__find(const char *proc_root, pid_t pid, struct exe_cache *files,
		   struct runtimes **ret_runtimes)
{
	struct search search = {.proc_root = proc_root, .pid = pid, .files = files};
	int err;

	search.found = calloc(1, sizeof(*search.found));
	if (!search.found)
		return -ENOMEM;
	/* Without it, it is found among the others. */
	(void)!exe_file__identify(proc_root, pid, &search.exe);
	err = mapped_file__each_executable(proc_root, pid, look, &search);
	remote__free(search.remote);
	if (err) {
		free(search.found);
		return err;
	}
	qsort(search.found->places, search.found->n, sizeof(search.found->places[0]),
	      compare_places);
	*ret_runtimes = search.found;
	return 0;
}

static bool add_one(void *ctx, const struct mapped_file *mapped)
{
	add_to_fingerprint(ctx, mapped);
	return true;
}

int runtimes__fingerprint(const char *proc_root, pid_t pid, uint64_t *ret_fingerprint)
{
	uint64_t fingerprint = 0;
	int err = mapped_file__each_executable(proc_root, pid, add_one, &fingerprint);

	if (!err)
		*ret_fingerprint = fingerprint;
	return err;
}

int runtimes__check_threads(const char *proc_root, pid_t pid, struct failure *failure)
{
	uint64_t threads;

	if (process__count_threads(proc_root, pid, &threads) || threads > 1)
		return 0;
	return failure__set(
		failure, -EAGAIN,
		"the Go runtime of process %d has no threads: it has not started yet, or "
		"is what fork() left of another process's",
		pid);
}

void runtimes__refuse(struct exe_cache *files, const struct runtime_place *place, pid_t pid)
{
	if (place->file.file.inode)
		exe_cache__put(files, &place->file,
			       (struct exe_knowledge){.verdict = EXE_UNSUPPORTED, .pid = pid});
}
