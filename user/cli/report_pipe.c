// SPDX-License-Identifier: Apache-2.0
#include "cli/report_pipe.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

/* A reader that reads has what there is by then, and its errors are known with the report they are of. */
#define MOMENT_NS (10 * NSEC_PER_MSEC)

/* How often is looked at whether somebody still reads; what is written at once, PIPE_BUF being the least. */
#define TICK_NS (100 * NSEC_PER_MSEC)
#define PART	(64u << 10)

struct bytes {
	char *at;
	size_t n, size;
};

static struct {
	FILE *out;	   /* NULL: nobody has asked yet */
	struct bytes made; /* of the report that is being written */

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t changed;
	struct bytes waiting; /* whole reports, which the thread takes all at once */
	size_t taken;	      /* bytes that it has not got rid of yet */
	uint64_t written;     /* by it, so far */
	int err;
	uint64_t left_out;
} reports = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* --- the thread ----------------------------------------------------------------------------------- */

static int write_all(const char *at, size_t n)
{
	while (n) {
		ssize_t written = write(STDOUT_FILENO, at, min_of(n, (size_t)PART));

		if (written < 0 && errno != EINTR)
			return -errno;
		pthread_mutex_lock(&reports.lock);
		reports.written += (uint64_t)max_of(written, (ssize_t)0);
		pthread_mutex_unlock(&reports.lock);
		at += max_of(written, (ssize_t)0);
		n -= (size_t)max_of(written, (ssize_t)0);
	}
	return 0;
}

static void *run(void *arg __maybe_unused)
{
	for (;;) {
		struct bytes bytes;
		int err;

		pthread_mutex_lock(&reports.lock);
		while (!reports.waiting.n)
			pthread_cond_wait(&reports.changed, &reports.lock);
		bytes = reports.waiting;
		reports.waiting = (struct bytes){0};
		reports.taken = bytes.n;
		err = reports.err;
		pthread_mutex_unlock(&reports.lock);
		if (!err)
			err = write_all(bytes.at, bytes.n);
		free(bytes.at);
		pthread_mutex_lock(&reports.lock);
		reports.taken = 0;
		reports.err = err;
		pthread_cond_broadcast(&reports.changed);
		pthread_mutex_unlock(&reports.lock);
	}
	return NULL;
}

static int start(void)
{
	pthread_t thread;
	int err = thread__start(&thread, 0, run, NULL);

	if (!err)
		pthread_detach(thread);
	return err;
}

/* --- who writes reports --------------------------------------------------------------------------- */

static bool append(struct bytes *bytes, const char *more, size_t n)
{
	if (bytes->size - bytes->n < n) {
		size_t size = max_of(2 * bytes->size, bytes->n + n);
		char *at = realloc(bytes->at, size);

		if (!at)
			return false;
		bytes->at = at;
		bytes->size = size;
	}
	memcpy(bytes->at + bytes->n, more, n);
	bytes->n += n;
	return true;
}

static ssize_t take(void *cookie __maybe_unused, const char *bytes, size_t n)
{
	return append(&reports.made, bytes, n) ? (ssize_t)n : 0;
}

FILE *report_pipe__out(void)
{
	struct stat stat;

	if (reports.out)
		return reports.out;
	reports.out = stdout;
	if (fstat(STDOUT_FILENO, &stat) || !(S_ISFIFO(stat.st_mode) || S_ISSOCK(stat.st_mode)) ||
	    start())
		return reports.out;
	reports.out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = take});
	if (!reports.out)
		reports.out = stdout;
	return reports.out;
}

static struct timespec in(uint64_t ns)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(ns / NSEC_PER_SEC);
	until.tv_nsec = (long)(ns % NSEC_PER_SEC);
	return until;
}

/* Ctrl-C or SIGTERM once more, which the loop has blocked. */
static bool is_told_again(void)
{
	sigset_t pending;

	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

static bool is_all_taken(void)
{
	return (!reports.waiting.n && !reports.taken) || reports.err;
}

static void wait_a_moment(void)
{
	const struct timespec until = in(MOMENT_NS);

	while (!is_all_taken() && !pthread_cond_timedwait(&reports.changed, &reports.lock, &until))
		;
}

/* Also for somebody who reads a page at a time; not for one who is not there, when others wait for the end. */
static void wait_for_reader(bool hurry)
{
	uint64_t written = 0, since_ns = clock__monotonic_ns();

	while (!is_all_taken() && !is_told_again()) {
		const struct timespec until = in(TICK_NS);
		uint64_t now_ns = clock__monotonic_ns();

		if (written != reports.written)
			since_ns = now_ns;
		written = reports.written;
		if (hurry && now_ns - since_ns >= REPORT_PIPE_HURRY_NS)
			break;
		(void)pthread_cond_timedwait(&reports.changed, &reports.lock, &until);
	}
	if (is_all_taken())
		return;
	reports.left_out++;
	log_warn("the last report did not get to its reader, who does not read");
}

/* What is made begins anew, whether it is sent or not. */
static int hand_over(bool must)
{
	size_t waiting = reports.waiting.n + reports.taken;
	int err = 0;

	if (waiting && waiting + reports.made.n > REPORT_PIPE_MAX_WAITING && !must) {
		if (!reports.left_out++)
			log_warn(
				"reports are left out, whole ones: whoever reads them does not keep "
				"up; have him read faster, or ask for fewer (--interval)");
	} else if (!reports.waiting.n) {
		struct bytes none = reports.waiting;

		reports.waiting = reports.made;
		reports.made = none;
	} else if (!append(&reports.waiting, reports.made.at, reports.made.n)) {
		err = -ENOMEM;
	}
	reports.made.n = 0;
	return err;
}

int report_pipe__send(enum report_pipe_next next)
{
	int err;

	if (!reports.out || reports.out == stdout)
		return 0;
	if (fflush(reports.out)) {
		clearerr(reports.out);
		reports.made.n = 0;
		return -ENOMEM;
	}
	pthread_mutex_lock(&reports.lock);
	err = hand_over(next != REPORT_PIPE_MORE);
	pthread_cond_broadcast(&reports.changed);
	if (next == REPORT_PIPE_MORE)
		wait_a_moment();
	else
		wait_for_reader(next == REPORT_PIPE_END_SOON);
	err = reports.err ? reports.err : err;
	pthread_mutex_unlock(&reports.lock);
	return err;
}

uint64_t report_pipe__left_out(void)
{
	uint64_t n;

	pthread_mutex_lock(&reports.lock);
	n = reports.left_out;
	pthread_mutex_unlock(&reports.lock);
	return n;
}
