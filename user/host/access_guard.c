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
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/access.h"
#include "host/access_helper.h"
#include "host/quarantine.h"

/* Helpers that wait for servers are not ended by anything; more are not made. */
#define MAX_LEFT_BEHIND 16

static struct {
	pthread_mutex_t lock;
	bool enabled;
	struct access_helper helper; /* .pid 0: there is none */
	struct quarantine quarantine;
	pid_t left_behind[MAX_LEFT_BEHIND];
	size_t n_left_behind;
	uint64_t missed;
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER};

void access_guard__enable(void)
{
	guard.enabled = true;
}

bool access_guard__is_enabled(void)
{
	return guard.enabled;
}

/* Those whose server has answered after all. */
static void reap(void)
{
	for (size_t i = guard.n_left_behind; i-- > 0;) {
		if (waitpid(guard.left_behind[i], NULL, WNOHANG) == 0)
			continue;
		guard.left_behind[i] = guard.left_behind[--guard.n_left_behind];
	}
}

static int have_helper(void)
{
	if (guard.helper.pid)
		return 0;
	reap();
	if (guard.n_left_behind == MAX_LEFT_BEHIND)
		return -ETIMEDOUT;
	return access_helper__start(&guard.helper);
}

/* It ends as soon as it can, and has nothing of ours but its memory. */
static void leave_behind(pid_t pid)
{
	guard.missed++;
	kill(guard.helper.pid, SIGKILL);
	guard.left_behind[guard.n_left_behind++] = guard.helper.pid;
	access_helper__forget(&guard.helper);
	quarantine__put(&guard.quarantine, pid, clock__monotonic_ns());
	log_warn(
		"pid %d: its memory or a file that it runs from could not be read within %d s: it is left "
		"alone for %d minutes. Is it on a file system whose server does not answer?",
		pid, (int)(ACCESS_GUARD_DEADLINE_NS / NSEC_PER_SEC),
		(int)(ACCESS_GUARD_QUARANTINE_NS / NSEC_PER_SEC / 60));
}

static ssize_t ask(pid_t pid, const struct access_request *request, int handle, int *ret_fd)
{
	ssize_t result;
	int err;

	if (quarantine__has(&guard.quarantine, pid, clock__monotonic_ns()))
		return -ETIMEDOUT;
	err = have_helper();
	if (err)
		return err;
	result = access_helper__ask(&guard.helper, request, handle, ACCESS_GUARD_DEADLINE_NS,
				    ret_fd);
	if (result == -ETIMEDOUT)
		leave_behind(pid);
	else if (result == -EPIPE)
		/* Somebody has killed it. The next request makes a new one. */
		access_helper__end(&guard.helper);
	return result;
}

int access_guard__open(pid_t pid, int handle, int flags)
{
	const struct access_request request = {.op = ACCESS_HELPER_OPEN, .flags = flags};
	ssize_t result;
	int fd = -1;

	pthread_mutex_lock(&guard.lock);
	result = ask(pid, &request, handle, &fd);
	pthread_mutex_unlock(&guard.lock);
	return result < 0 ? (int)result : fd;
}

static void scatter(const uint8_t *from, size_t n, const struct iovec *local, size_t n_local)
{
	for (size_t i = 0; i < n_local && n; i++) {
		size_t part = min_of(n, local[i].iov_len);

		memcpy(local[i].iov_base, from, part);
		from += part;
		n -= part;
	}
}

ssize_t access_guard__read_memory(pid_t pid, pid_t task, const struct iovec *local, size_t n_local,
				  const struct iovec *foreign, size_t n_foreign)
{
	const struct access_request request = {
		.op = ACCESS_HELPER_READ, .pid = task, .n_ranges = n_foreign};
	ssize_t n;

	if (n_foreign > ACCESS_RANGES_MAX)
		return -EINVAL;
	pthread_mutex_lock(&guard.lock);
	n = have_helper();
	if (!n) {
		memcpy(guard.helper.shared->ranges, foreign, n_foreign * sizeof(*foreign));
		n = ask(pid, &request, -1, NULL);
	}
	if (n > 0)
		scatter(guard.helper.shared->window, (size_t)n, local, n_local);
	pthread_mutex_unlock(&guard.lock);
	return n;
}

struct access_guard_counts access_guard__counts(void)
{
	struct access_guard_counts counts;

	pthread_mutex_lock(&guard.lock);
	reap();
	counts = (struct access_guard_counts){
		.missed = guard.missed,
		.quarantined = quarantine__count(&guard.quarantine, clock__monotonic_ns()),
		.left_behind = guard.n_left_behind,
	};
	pthread_mutex_unlock(&guard.lock);
	return counts;
}
