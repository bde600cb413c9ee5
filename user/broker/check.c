// SPDX-License-Identifier: Apache-2.0
#include "broker/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "host/pids.h"
#include "host/process.h"

/* Bits: the ops that a file of /proc/PID is there for. */
#define MAY(op) (1u << (op))

/*
 * All of /proc/PID that is ever needed. Not among them: mem, which would be reading without ranges;
 * environ, cmdline, whose secrets nobody needs; and everything that can be written.
 */
static const struct {
	const char *name;
	unsigned int ops;
} leaves[] = {
	{"stat", MAY(BROKER_READ)},
	{"status", MAY(BROKER_READ)},
	{"comm", MAY(BROKER_READ)},
	{"cgroup", MAY(BROKER_READ)},
	{"timens_offsets", MAY(BROKER_READ)},
	{"maps", MAY(BROKER_OPEN)},
	{"smaps", MAY(BROKER_OPEN)},
	{"pagemap", MAY(BROKER_OPEN)},
	{"mountinfo", MAY(BROKER_OPEN)},
	{"net/tcp", MAY(BROKER_OPEN)},
	{"net/tcp6", MAY(BROKER_OPEN)},
	{"net/udp", MAY(BROKER_OPEN)},
	{"net/udp6", MAY(BROKER_OPEN)},
	{"net/unix", MAY(BROKER_OPEN)},
	{"exe", MAY(BROKER_OPEN) | MAY(BROKER_LINK) | MAY(BROKER_STAT)},
	{"root", MAY(BROKER_OPEN_BELOW)},
	{"ns/mnt", MAY(BROKER_STAT)},
	{"task", MAY(BROKER_LIST)},
	{"fd", MAY(BROKER_LIST) | MAY(BROKER_STAT)},
};

/* What each request has to be; check_rest() has what else is asked of some. */
static const struct rule {
	unsigned int texts;
	bool pid;	   /* of a process that is none of gleakd's */
	bool kind, slot;   /* handle: of programs; slot: of a target */
	uint64_t min, max; /* size; 0: not looked at */
} rules[BROKER_OPS] = {
	[BROKER_OPEN] = {.texts = 1},
	[BROKER_OPEN_BELOW] = {.texts = 2},
	[BROKER_READ... BROKER_EVIDENCE_OPEN] = {.texts = 1},
	[BROKER_PIDFD... BROKER_HOLD] = {.pid = true},
	[BROKER_MEMORY_OPEN] = {.pid = true},
	[BROKER_MEMORY_READ] = {.min = 1, .max = ACCESS_RANGES_MAX},
	[BROKER_SHARE] = {.max = BROKER_SHARE_MAX},
	[BROKER_MEMORY_COPY] = {.min = 1, .max = ACCESS_COPY_RANGES},
	[BROKER_LOAD] = {.kind = true, .min = 1, .max = UINT32_MAX},
	[BROKER_UNLOAD... BROKER_HIT_COST] = {.kind = true},
	[BROKER_DESCRIBE... BROKER_DRAW] = {.kind = true, .slot = true},
	[BROKER_ATTACH] = {.kind = true, .min = 1, .max = PROGRAM_PLACES_MAX},
	[BROKER_NOTIFY] = {.texts = 1},
	[BROKER_USER_ID] = {.texts = 1},
};

static bool is_another(pid_t pid, pid_t own, pid_t worker)
{
	return pid > 0 && pid != own && pid != worker;
}

/* --- paths --------------------------------------------------------------------------------------- */

/* The number at @text; @ret_end behind it. -1: there is none, or it has a zero before it. */
static pid_t number_at(const char *text, const char **ret_end)
{
	pid_t number = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (*at - '0');
		if ((size_t)number > PIDS_MAX)
			return -1;
	}
	*ret_end = at;
	return at == text || (*text == '0' && at > text + 1) ? -1 : number;
}

/* "7f0000400000-7f0000800000", of map_files. */
static bool is_range(const char *text)
{
	size_t start = strspn(text, "0123456789abcdef");
	size_t end = text[start] == '-' ? strspn(text + start + 1, "0123456789abcdef") : 0;

	return start && start <= 16 && end && end <= 16 && !text[start + 1 + end];
}

/* Of a thread: what it waits in, and for how long it had no processor. */
static bool is_of_task(const char *leaf)
{
	return !strcmp(leaf, "/syscall") || !strcmp(leaf, "/status") || !strcmp(leaf, "/schedstat");
}

static unsigned int ops_of_leaf(const char *leaf)
{
	const char *end;

	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (!strcmp(leaf, leaves[i].name))
			return leaves[i].ops;
	}
	if (!strncmp(leaf, "fd/", 3) && number_at(leaf + 3, &end) >= 0 && !*end)
		return MAY(BROKER_LINK);
	if (!strncmp(leaf, "task/", 5) && number_at(leaf + 5, &end) > 0 && is_of_task(end))
		return MAY(BROKER_READ);
	if (!strncmp(leaf, "map_files/", 10) && is_range(leaf + 10))
		return MAY(BROKER_OPEN);
	return 0;
}

static int check_path(const char *path, enum broker_op op, pid_t own, pid_t worker)
{
	const char *leaf;
	pid_t pid;

	if (strncmp(path, PROC_ROOT, strlen(PROC_ROOT)) != 0)
		return -EPERM;
	path += strlen(PROC_ROOT);
	if (!*path)
		return op == BROKER_LIST ? 0 : -EPERM;
	pid = *path == '/' ? number_at(path + 1, &leaf) : -1;
	if (pid <= 0 || *leaf != '/' || !(ops_of_leaf(leaf + 1) & MAY(op)))
		return -EPERM;
	/* What it is anybody may know, even of this one; what it holds is another matter. */
	if ((pid == own || pid == worker) && op != BROKER_READ && strcmp(leaf, "/exe") != 0)
		return -EACCES;
	return 0;
}

static bool is_named(const char *path, const char *const files[BROKER_FILES_MAX])
{
	size_t i = 0;

	while (i < BROKER_FILES_MAX && (!files[i] || strcmp(files[i], path) != 0))
		i++;
	return i < BROKER_FILES_MAX;
}

/* --- requests ------------------------------------------------------------------------------------ */

/* text[] is @n texts, each with its NUL, and nothing else. */
static bool has_texts(const struct broker_request *request, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t length = strnlen(request->text + at, request->text_size - at);

		if (!length || at + length == request->text_size)
			return false;
		at += length + 1;
	}
	return at == request->text_size;
}

/* "MAINPID=" and other things that a service manager believes are not among them. */
static bool may_notify(const char *text)
{
	static const char *const heads[] = {"READY=1", "STOPPING=1", "WATCHDOG=1"};
	static const char reloading[] = "RELOADING=1\nMONOTONIC_USEC=";
	static const char status[] = "STATUS=";

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		if (!strcmp(text, heads[i]))
			return true;
	}
	if (!strncmp(text, status, strlen(status)))
		return !strchr(text, '\n');
	return !strncmp(text, reloading, strlen(reloading)) &&
	       !text[strlen(reloading) + strspn(text + strlen(reloading), "0123456789")];
}

static int check_evidence_open(const struct broker_request *request,
			       const struct broker_files *files)
{
	bool same = files->evidence && !strcmp(request->text, files->evidence) &&
		    request->slot == files->evidence_limits.items &&
		    request->size == files->evidence_limits.bytes;

	return same ? 0 : -EPERM;
}

static int check_evidence(const struct broker_request *request)
{
	switch (request->flags) {
	case EVIDENCE_BEGIN:
		return request->pid > 0 ? 0 : -EINVAL;
	case EVIDENCE_APPEND:
		return request->handle < EVIDENCE_FILES && request->size <= ACCESS_EVIDENCE_PART ?
			       0 :
			       -EINVAL;
	case EVIDENCE_KEEP:
	case EVIDENCE_DISCARD:
	case EVIDENCE_CLOSE:
		return 0;
	default:
		return -EINVAL;
	}
}

static int check_file(const struct broker_request *request, const struct broker_files *files,
		      pid_t own, pid_t worker)
{
	unsigned int flags = request->flags;

	switch (request->op) {
	case BROKER_INPUT:
		return !(flags & ~(unsigned int)(O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_PATH)) &&
				       is_named(request->text, files->in) ?
			       0 :
			       -EPERM;
	case BROKER_OUTPUT:
		return flags < OUTPUT_STEPS && is_named(request->text, files->out) ? 0 : -EPERM;
	case BROKER_EVIDENCE_OPEN:
		return check_evidence_open(request, files);
	case BROKER_OPEN:
	case BROKER_OPEN_BELOW:
		if (flags & ~(unsigned int)(O_PATH | O_NONBLOCK))
			return -EPERM;
		break;
	default:
		break;
	}
	return check_path(request->text, (enum broker_op)request->op, own, worker);
}

static int check_rest(const struct broker_request *request, const struct broker_files *files,
		      pid_t own, pid_t worker)
{
	switch (request->op) {
	case BROKER_ATTACH:
		if ((unsigned int)request->site.event >= PROBE_EVENT_COUNT)
			return -EINVAL;
		return is_another(request->site.pid, own, worker) ? 0 : -EACCES;
	case BROKER_NOTIFY:
		return may_notify(request->text) ? 0 : -EPERM;
	case BROKER_EVIDENCE:
		return check_evidence(request);
	default:
		return request->op <= BROKER_EVIDENCE_OPEN ?
			       check_file(request, files, own, worker) :
			       0;
	}
}

int broker_request__check(const struct broker_request *request, size_t size,
			  const struct broker_files *files, pid_t own, pid_t worker)
{
	const struct rule *rule;

	if (size < BROKER_REQUEST_MIN || size - BROKER_REQUEST_MIN > BROKER_TEXT_MAX ||
	    request->op >= BROKER_OPS || request->text_size != size - BROKER_REQUEST_MIN)
		return -EPROTO;
	rule = &rules[request->op];
	if (!has_texts(request, rule->texts))
		return -EPROTO;
	if (rule->pid && !is_another(request->pid, own, worker))
		return -EACCES;
	if ((rule->kind && request->handle >= PROGRAMS_KINDS) ||
	    (rule->slot && request->slot >= GL_MAX_TARGETS) ||
	    (rule->max && (request->size < rule->min || request->size > rule->max)))
		return -EINVAL;
	return check_rest(request, files, own, worker);
}

int broker_ranges__check_offsets(const struct iovec *ranges, const __u64 *offsets, size_t n,
				 size_t size)
{
	for (size_t i = 0; i < n; i++) {
		if (offsets[i] > size || ranges[i].iov_len > size - offsets[i])
			return -EINVAL;
	}
	return 0;
}

int broker_ranges__check(const struct iovec *ranges, size_t n, size_t max)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		uintptr_t address = (uintptr_t)ranges[i].iov_base;
		size_t last = ranges[i].iov_len - 1;

		if (!ranges[i].iov_len || last >= max - total || address + last < address)
			return -EINVAL;
		total += ranges[i].iov_len;
	}
	return 0;
}
