// SPDX-License-Identifier: Apache-2.0
#include "host/access.h"

#include <errno.h>
#include <string.h>

static const struct access_ops *ops = &access_direct;

void access__use(const struct access_ops *wanted)
{
	ops = wanted;
}

int access__open(const char *path, int flags)
{
	return ops->open(path, flags);
}

int access__open_below(const char *root, const char *path, int flags)
{
	return ops->open_below(root, path, flags);
}

ssize_t access__read(const char *path, void *buffer, size_t size)
{
	return ops->read(path, buffer, min_of(size, (size_t)ACCESS_READ_MAX));
}

ssize_t access__read_public(const char *path, void *buffer, size_t size)
{
	ssize_t n = -EACCES;

	if (ops->asks_another)
		n = access_direct.read(path, buffer, min_of(size, (size_t)ACCESS_READ_MAX));
	return n >= 0 ? n : access__read(path, buffer, size);
}

ssize_t access__link(const char *path, char *text, size_t size)
{
	return ops->link(path, text, size);
}

int access__stat(const char *path, unsigned int mask, struct statx *ret_stat)
{
	return ops->stat(path, mask, ret_stat);
}

int access__list(const char *path, pid_t **ret_numbers, size_t *ret_n)
{
	return ops->list(path, ret_numbers, ret_n);
}

int access__open_memory(pid_t pid, struct access_memory **ret_memory)
{
	return ops->open_memory(pid, ret_memory);
}

void access__close_memory(struct access_memory *memory)
{
	if (memory)
		ops->close_memory(memory);
}

ssize_t access__read_memory(struct access_memory *memory, const struct iovec *local, size_t n_local,
			    const struct iovec *foreign, size_t n_foreign)
{
	return ops->read_memory(memory, local, n_local, foreign, n_foreign);
}

ssize_t access__read_in_place(struct access_memory *memory, const struct iovec *foreign,
			      size_t n_foreign, const uint8_t **ret_data)
{
	return ops->read_in_place ? ops->read_in_place(memory, foreign, n_foreign, ret_data) :
				    -EOPNOTSUPP;
}

uint64_t access__asked(void)
{
	return ops->asked ? ops->asked() : 0;
}

size_t access__memory_max(void)
{
	return ops->memory_max;
}

int access__share(size_t size, void **ret_data)
{
	return ops->share(size, ret_data);
}

void access__unshare(void *data, size_t size)
{
	if (data)
		ops->unshare(data, size);
}

ssize_t access__copy_memory(struct access_memory *memory, const struct iovec *local,
			    const struct iovec *foreign, size_t n)
{
	return ops->copy_memory(memory, local, foreign, n);
}

void access__scatter(const void *from, size_t n, const struct iovec *local, size_t n_local)
{
	const uint8_t *next = from;

	for (size_t i = 0; i < n_local && n; i++) {
		size_t part = min_of(n, local[i].iov_len);

		memcpy(local[i].iov_base, next, part);
		next += part;
		n -= part;
	}
}

bool access__is_one_at_a_time(void)
{
	return ops->one_at_a_time;
}

int access__memory_in_use(const struct access_memory *memory)
{
	return ops->memory_in_use(memory);
}

uid_t access__owner(const char *proc_root, pid_t pid, uid_t uid)
{
	return ops->owner(proc_root, pid, uid);
}

ssize_t access__hostname(const char *proc_root, pid_t pid, char *name, size_t size)
{
	return ops->hostname(proc_root, pid, name, size);
}

int access__pidfd(pid_t pid)
{
	return ops->pidfd(pid);
}

int access__input(const char *path, int flags)
{
	return ops->input(path, flags);
}

int access__output(enum access_output step, const char *path)
{
	return ops->output(step, path);
}

int access__evidence(const struct access_evidence *evidence, struct failure *failure)
{
	return ops->evidence(evidence, failure);
}

ssize_t access__user_name(uid_t uid, char *name, size_t size)
{
	return ops->user_name(uid, name, size);
}

int64_t access__user_id(const char *name)
{
	return ops->user_id(name);
}

void access__usage(struct access_usage *ret_usage, bool whole)
{
	ops->usage(ret_usage, whole);
}

int access__follow(struct process_programs *ret_programs)
{
	return ops->follow(ret_programs);
}

int access__mark_pages(pid_t pid)
{
	return ops->mark_pages(pid);
}

int access__hold(const char *proc_root, pid_t pid, uint64_t limit_ns,
		 struct process_stop **ret_stop, struct failure *failure)
{
	return ops->hold(proc_root, pid, limit_ns, ret_stop, failure);
}

uint64_t access__release(struct process_stop *stop)
{
	return stop ? ops->release(stop) : 0;
}

void access__come_first(bool first)
{
	ops->come_first(first);
}

size_t access__quarantined(struct quarantine_entry *entries, size_t max)
{
	return ops->quarantined(entries, max);
}

void access__quarantine(const struct quarantine_entry *entry)
{
	ops->quarantine(entry);
}
