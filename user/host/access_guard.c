// SPDX-License-Identifier: Apache-2.0
#include "host/access_guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/access_helper.h"
#include "host/priority.h"
#include "host/process.h"
#include "host/quarantine.h"

/* All page tables of a process are gone through: 10 s for a terabyte. */
#define MARK_DEADLINE_NS (30 * NSEC_PER_SEC)

static struct {
	pthread_mutex_t lock;
	struct access_helper helper; /* .pid 0: there is none */
	struct priority priority;    /* the helper's */
	uint64_t cpu_ns;	     /* of those before it */
	struct quarantine quarantine;
	struct left_behind {
		pid_t pid;
		const uint8_t *window;
		struct process_id cause;
	} left_behind[ACCESS_GUARD_LEFT_BEHIND];
	size_t n_left_behind;
	uint64_t reaped_ns;
	uint8_t *windows; /* NULL: none were lent */
	uint64_t missed;
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Those whose server has answered after all. */
static void reap(void)
{
	for (size_t i = guard.n_left_behind; i-- > 0;) {
		if (waitpid(guard.left_behind[i].pid, NULL, WNOHANG) == 0)
			continue;
		quarantine__answered(&guard.quarantine, guard.left_behind[i].cause,
				     clock__monotonic_ns());
		guard.left_behind[i] = guard.left_behind[--guard.n_left_behind];
	}
}

/* Now and then, since each is a system call. */
static void reap_sometimes(uint64_t now_ns)
{
	if (!guard.n_left_behind || now_ns < guard.reaped_ns + NSEC_PER_SEC)
		return;
	guard.reaped_ns = now_ns;
	reap();
}

/* What the helper that there is has used. */
static uint64_t helper_cpu_ns(void)
{
	struct timespec used;
	clockid_t clock;

	if (!guard.helper.pid || clock_getcpuclockid(guard.helper.pid, &clock) ||
	    clock_gettime(clock, &used))
		return 0;
	return (uint64_t)used.tv_sec * NSEC_PER_SEC + (uint64_t)used.tv_nsec;
}

static void end_helper(void)
{
	guard.cpu_ns += helper_cpu_ns();
	access_helper__end(&guard.helper);
}

/* One that nobody who was left behind may still write to. */
static uint8_t *free_window(void)
{
	for (size_t w = 0; guard.windows && w < ACCESS_GUARD_WINDOWS; w++) {
		uint8_t *window = guard.windows + w * ACCESS_GUARD_MEMORY_MAX;
		size_t i = 0;

		while (i < guard.n_left_behind && guard.left_behind[i].window != window)
			i++;
		if (i == guard.n_left_behind)
			return window;
	}
	return NULL;
}

static int have_helper(void)
{
	if (guard.helper.pid)
		return 0;
	reap();
	if (guard.n_left_behind == ACCESS_GUARD_LEFT_BEHIND)
		return -ETIMEDOUT;
	return access_helper__start(&guard.helper, free_window());
}

/* It ends as soon as it can, and has nothing of ours but its memory. */
static void leave_behind(pid_t pid)
{
	struct process_id cause;

	guard.missed++;
	guard.cpu_ns += helper_cpu_ns();
	kill(guard.helper.pid, SIGKILL);
	cause = quarantine__put(&guard.quarantine, pid, clock__monotonic_ns());
	quarantine__waits(&guard.quarantine, cause);
	guard.left_behind[guard.n_left_behind++] =
		(struct left_behind){guard.helper.pid, guard.helper.window, cause};
	access_helper__forget(&guard.helper);
	log_warn(
		"pid %d: its memory or a file that it runs from could not be read within %d s: it is left "
		"alone for %d minutes. Is it on a file system whose server does not answer?",
		pid, (int)(ACCESS_GUARD_DEADLINE_NS / NSEC_PER_SEC),
		(int)(ACCESS_GUARD_QUARANTINE_NS / NSEC_PER_SEC / 60));
}

/* The lock is held, and there is a helper whose memory has what belongs to the request. */
static ssize_t ask(const struct access_request *request, int *ret_fd)
{
	uint64_t limit_ns =
		request->op == ACCESS_HELPER_MARK ? MARK_DEADLINE_NS : ACCESS_GUARD_DEADLINE_NS;
	/* Who comes before everybody else is not short of a processor, and somebody stands still meanwhile. */
	const struct helper_wait wait = {
		.left_ns = limit_ns,
		.most_ns = limit_ns + (guard.priority.first ? 0 : ACCESS_GUARD_STARVED_NS),
	};
	uint64_t now_ns = clock__monotonic_ns();
	pid_t pid = request->memory.pid;
	ssize_t result;

	reap_sometimes(now_ns);
	if (quarantine__has(&guard.quarantine, pid, now_ns))
		return -ETIMEDOUT;
	result = access_helper__ask(&guard.helper, request, &wait, ret_fd);
	if (result == -ETIMEDOUT)
		leave_behind(pid);
	else if (result == -EPIPE)
		/* Somebody has killed it. The next request makes a new one. */
		end_helper();
	return result;
}

/* --- files --------------------------------------------------------------------------------------- */

/* The process that "/proc/PID/..." is about; 0: none. */
static pid_t pid_of(const char *path)
{
	const size_t root = strlen(PROC_ROOT "/");

	return strncmp(path, PROC_ROOT "/", root) != 0 ? 0 : (pid_t)strtol(path + root, NULL, 10);
}

static int open_by_helper(enum access_helper_op op, const char *first, const char *second,
			  int flags)
{
	const struct access_request request = {
		.op = op, .flags = flags, .memory = {.pid = pid_of(first), .fd = -1}};
	ssize_t result;
	int fd = -1;

	if (strlen(first) >= PATH_MAX || strlen(second) >= PATH_MAX)
		return -ENAMETOOLONG;
	pthread_mutex_lock(&guard.lock);
	result = have_helper();
	if (!result) {
		memcpy(guard.helper.shared->texts[0], first, strlen(first) + 1);
		memcpy(guard.helper.shared->texts[1], second, strlen(second) + 1);
		result = ask(&request, &fd);
	}
	pthread_mutex_unlock(&guard.lock);
	return result < 0 ? (int)result : fd;
}

static int guarded_open(const char *path, int flags)
{
	return pid_of(path) ? open_by_helper(ACCESS_HELPER_OPEN, path, "", flags) :
			      access_direct.open(path, flags);
}

static int guarded_open_below(const char *root, const char *path, int flags)
{
	return open_by_helper(ACCESS_HELPER_OPEN_BELOW, root, path, flags);
}

/* The environment is memory. */
static ssize_t guarded_hostname(const char *proc_root __maybe_unused, pid_t pid, char *name,
				size_t size)
{
	const struct access_request request = {
		.op = ACCESS_HELPER_HOSTNAME, .size = size, .memory = {.pid = pid, .fd = -1}};
	ssize_t n;

	pthread_mutex_lock(&guard.lock);
	n = have_helper();
	if (!n)
		n = ask(&request, NULL);
	if (n > 0)
		memcpy(name, guard.helper.window, min_of((size_t)n, size));
	pthread_mutex_unlock(&guard.lock);
	return n;
}

/* --- memory -------------------------------------------------------------------------------------- */

static ssize_t guarded_read_memory(struct access_memory *memory, const struct iovec *local,
				   size_t n_local, const struct iovec *foreign, size_t n_foreign)
{
	const struct access_request request = {
		.op = ACCESS_HELPER_READ, .size = n_foreign, .memory = *memory};
	ssize_t n;

	if (n_foreign > ACCESS_RANGES_MAX)
		return -EINVAL;
	if (access_memory__is_over(memory))
		return -ESRCH;
	pthread_mutex_lock(&guard.lock);
	n = have_helper();
	if (!n) {
		memcpy(guard.helper.shared->ranges, foreign, n_foreign * sizeof(*foreign));
		n = ask(&request, NULL);
	}
	if (n > 0 && !(n_local == 1 && local->iov_base == guard.helper.window))
		access__scatter(guard.helper.window, (size_t)n, local, n_local);
	pthread_mutex_unlock(&guard.lock);
	return n;
}

/* To memory of this process that it shares with whoever it forks: the helper has it at the same addresses. */
static ssize_t guarded_copy_memory(struct access_memory *memory, const struct iovec *local,
				   const struct iovec *foreign, size_t n)
{
	const struct access_request request = {
		.op = ACCESS_HELPER_COPY, .size = n, .memory = *memory};
	ssize_t result;

	if (n > ACCESS_COPY_RANGES)
		return -EINVAL;
	if (access_memory__is_over(memory))
		return -ESRCH;
	pthread_mutex_lock(&guard.lock);
	result = have_helper();
	if (!result) {
		memcpy(guard.helper.shared->ranges, foreign, n * sizeof(*foreign));
		memcpy(guard.helper.shared->places, local, n * sizeof(*local));
		result = ask(&request, NULL);
	}
	pthread_mutex_unlock(&guard.lock);
	return result;
}

/* What takes no more than @request and answers with no more than a number. */
static int ask_plainly(const struct access_request *request)
{
	ssize_t result;

	pthread_mutex_lock(&guard.lock);
	result = have_helper();
	if (!result)
		result = ask(request, NULL);
	pthread_mutex_unlock(&guard.lock);
	return (int)result;
}

static int guarded_memory_in_use(const struct access_memory *memory)
{
	const struct access_request request = {.op = ACCESS_HELPER_IN_USE, .memory = *memory};

	return ask_plainly(&request);
}

static int guarded_mark_pages(pid_t pid)
{
	const struct access_request request = {.op = ACCESS_HELPER_MARK,
					       .memory = {.pid = pid, .fd = -1, .pidfd = -1}};

	return ask_plainly(&request);
}

/* --- quarantine ---------------------------------------------------------------------------------- */

static size_t guarded_quarantined(struct quarantine_entry *entries, size_t max)
{
	size_t n;

	pthread_mutex_lock(&guard.lock);
	n = min_of(quarantine__count(&guard.quarantine, clock__monotonic_ns()), max);
	memcpy(entries, guard.quarantine.entries, n * sizeof(*entries));
	pthread_mutex_unlock(&guard.lock);
	return n;
}

static void guarded_quarantine(const struct quarantine_entry *entry)
{
	pthread_mutex_lock(&guard.lock);
	quarantine__resume(&guard.quarantine, entry, clock__monotonic_ns());
	pthread_mutex_unlock(&guard.lock);
}

/* --- the rest ------------------------------------------------------------------------------------ */

const struct access_ops *access_guard__ops(void)
{
	static struct access_ops guarded;

	guarded = access_direct;
	guarded.open = guarded_open;
	guarded.open_below = guarded_open_below;
	guarded.hostname = guarded_hostname;
	guarded.read_memory = guarded_read_memory;
	guarded.copy_memory = guarded_copy_memory;
	guarded.memory_in_use = guarded_memory_in_use;
	guarded.mark_pages = guarded_mark_pages;
	guarded.quarantined = guarded_quarantined;
	guarded.quarantine = guarded_quarantine;
	guarded.memory_max = ACCESS_GUARD_MEMORY_MAX;
	return &guarded;
}

struct access_guard_counts access_guard__counts(void)
{
	struct access_guard_counts counts;

	pthread_mutex_lock(&guard.lock);
	reap();
	counts = (struct access_guard_counts){
		.missed = guard.missed,
		.left_behind = guard.n_left_behind,
		.cpu_ns = guard.cpu_ns + helper_cpu_ns(),
	};
	pthread_mutex_unlock(&guard.lock);
	return counts;
}

void access_guard__blame(pid_t pid)
{
	pthread_mutex_lock(&guard.lock);
	guard.missed++;
	quarantine__put(&guard.quarantine, pid, clock__monotonic_ns());
	pthread_mutex_unlock(&guard.lock);
}

void access_guard__lend(uint8_t *windows)
{
	guard.windows = windows;
}

uint8_t *access_guard__window(void)
{
	uint8_t *window;

	pthread_mutex_lock(&guard.lock);
	window = guard.windows && !have_helper() ? guard.helper.window : NULL;
	pthread_mutex_unlock(&guard.lock);
	return window;
}

void access_guard__come_first(bool first)
{
	pthread_mutex_lock(&guard.lock);
	if (!first)
		priority__as_before(&guard.priority);
	else if (!have_helper())
		priority__first(&guard.priority, guard.helper.pid);
	pthread_mutex_unlock(&guard.lock);
}

void access_guard__renew(void)
{
	pthread_mutex_lock(&guard.lock);
	if (guard.helper.pid) {
		priority__as_before(&guard.priority);
		end_helper();
	}
	pthread_mutex_unlock(&guard.lock);
}
