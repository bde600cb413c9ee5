// SPDX-License-Identifier: Apache-2.0
#include "host/access_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/channel.h"
#include "host/copy_pair.h"
#include "host/process.h"
#include "host/task.h"

/* Where the helper has its end of the channel: it has nothing else open. */
#define CHANNEL 3

/* A packet of that very size, and the descriptor that came with it; -1: none. -EPIPE: the other one is gone. */
static int receive_packet(int channel, void *packet, size_t size, int *ret_fd)
{
	size_t n_fds;
	ssize_t n = channel__receive(channel, packet, size, ret_fd, 1, &n_fds);

	if (!n_fds)
		*ret_fd = -1;
	return n == (ssize_t)size ? 0 : -EPIPE;
}

/* --- the helper ---------------------------------------------------------------------------------- */

/* Of a few tens of thousands of mappings; what is more is somebody's joke, and cut. */
#define TEXT_MAX (64u << 20)

/*
 * Whether the kernel writes it with the lock of an address space, which its owner can hold up. (So it does
 * smaps, which takes seconds of a large process, and is read of processes that the user has named.)
 */
static bool is_of_address_space(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && !strcmp(name, "/maps");
}

/* What is read of @fd now can be read at any time from what is returned. */
static int copy_text(int fd, void *buffer, size_t size)
{
	int copy = memfd_create("gleakd-text", MFD_CLOEXEC);
	size_t total = 0;
	ssize_t n;

	if (copy < 0)
		return -errno;
	do {
		n = read(fd, buffer, size);
		if (n > 0 && write(copy, buffer, (size_t)n) != n)
			n = -1;
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0 && total < TEXT_MAX);
	if (n < 0 || lseek(copy, 0, SEEK_SET)) {
		int err = errno ? -errno : -EIO;

		close(copy);
		return err;
	}
	return copy;
}

/* What the helper works with. */
struct bench {
	struct access_shared *shared;
	uint8_t *window;
};

static int open_file(const struct bench *bench, int flags)
{
	char path[PATH_MAX];
	int fd, copy;

	snprintf(path, sizeof(path), "%s", bench->shared->texts[0]);
	fd = access_direct.open(path, flags);
	if (fd < 0 || !is_of_address_space(path))
		return fd;
	copy = copy_text(fd, bench->window, ACCESS_GUARD_MEMORY_MAX);
	close(fd);
	return copy;
}

static ssize_t read_ranges(const struct bench *bench, struct access_memory *memory, size_t n)
{
	const struct iovec window = {.iov_base = bench->window, .iov_len = ACCESS_GUARD_MEMORY_MAX};

	return access_direct.read_memory(memory, &window, 1, bench->shared->ranges, n);
}

static ssize_t do_it(const struct bench *bench, struct access_request *request, int *ret_fd)
{
	struct access_shared *shared = bench->shared;

	switch (request->op) {
	case ACCESS_HELPER_OPEN:
		*ret_fd = open_file(bench, request->flags);
		return min_of(*ret_fd, 0);
	case ACCESS_HELPER_OPEN_BELOW:
		*ret_fd = access_direct.open_below(shared->texts[0], shared->texts[1],
						   request->flags);
		return min_of(*ret_fd, 0);
	case ACCESS_HELPER_HOSTNAME:
		return access_direct.hostname(PROC_ROOT, request->memory.pid, (char *)bench->window,
					      request->size);
	case ACCESS_HELPER_READ:
		return read_ranges(bench, &request->memory, request->size);
	case ACCESS_HELPER_COPY:
		copy_pair__start();
		return access_direct.copy_memory(&request->memory, shared->places, shared->ranges,
						 request->size);
	case ACCESS_HELPER_IN_USE:
		return access_direct.memory_in_use(&request->memory);
	case ACCESS_HELPER_MARK:
		return access_direct.mark_pages(request->memory.pid);
	}
	return -EINVAL;
}

static void serve(const struct bench *bench)
{
	struct access_request request;
	int handle;

	while (!receive_packet(CHANNEL, &request, sizeof(request), &handle)) {
		int fd = -1;
		ssize_t result;

		/* Its number here takes the place of that there; whether the process is over was looked at there. */
		request.memory.fd = handle;
		request.memory.pidfd = -1;
		result = do_it(bench, &request, &fd);

		if (channel__send(CHANNEL, &result, sizeof(result), &fd, fd >= 0))
			break;
		if (fd >= 0)
			close(fd);
		if (handle >= 0)
			close(handle);
	}
}

/* Its parent's end ends it, and no signal that is meant for that; of its files it keeps none. */
static void be_helper(int channel, const struct bench *bench)
{
	static const int others[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "gleakd-helper");
	access__use(&access_direct);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		signal(others[i], SIG_IGN);
	if (dup2(channel, CHANNEL) == CHANNEL) {
		for (int fd = 0; fd < CHANNEL; fd++)
			close(fd);
		syscall(SYS_close_range, CHANNEL + 1, ~0U, 0);
		serve(bench);
	}
	_exit(0);
}

/* --- who asks ------------------------------------------------------------------------------------ */

int access_helper__start(struct access_helper *helper, uint8_t *window)
{
	struct access_shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct bench bench;
	int ends[2];
	pid_t pid;

	if (shared == MAP_FAILED)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		munmap(shared, sizeof(*shared));
		return -errno;
	}
	bench = (struct bench){shared, window ? window : shared->own_window};
	pid = fork();
	if (pid == 0)
		be_helper(ends[1], &bench);
	close(ends[1]);
	*helper = (struct access_helper){
		.pid = pid, .channel = ends[0], .shared = shared, .window = bench.window};
	if (pid > 0)
		return 0;
	access_helper__forget(helper);
	return -EAGAIN;
}

static struct helper_progress progress_of(pid_t pid)
{
	struct helper_progress progress = {.state = process__state(PROC_ROOT, pid)};

	/* What cannot be told counts against it. */
	(void)!process__cpu_ns(pid, &progress.cpu_ns);
	(void)!process__run_delay(PROC_ROOT, pid, &progress.starved_ns);
	return progress;
}

/* Whether there is an answer. Most times it comes at once, and nobody has to look at how it goes on. */
static bool wait_for_answer(const struct access_helper *helper, struct helper_wait wait)
{
	struct pollfd answer = {.fd = helper->channel, .events = POLLIN};
	uint64_t looked_ns = clock__monotonic_ns(), now_ns;
	struct helper_progress now;
	bool is_first = true;
	int n;

	for (;;) {
		n = poll(&answer, 1, (int)(HELPER_WAIT_STEP_NS / NSEC_PER_MSEC));
		if (n > 0 || (n < 0 && errno != EINTR))
			return n > 0;
		now = progress_of(helper->pid);
		if (is_first)
			wait.last = now;
		is_first = false;
		now_ns = clock__monotonic_ns();
		if (!helper_wait__step(&wait, &now, now_ns - looked_ns))
			return false;
		looked_ns = now_ns;
	}
}

ssize_t access_helper__ask(const struct access_helper *helper, const struct access_request *request,
			   const struct helper_wait *wait, int *ret_fd)
{
	ssize_t result;
	int fd, err;

	if (channel__send(helper->channel, request, sizeof(*request), &request->memory.fd,
			  request->memory.fd >= 0))
		return -EPIPE;
	if (!wait_for_answer(helper, *wait))
		return -ETIMEDOUT;
	err = receive_packet(helper->channel, &result, sizeof(result), &fd);
	if (err)
		return err;
	if (ret_fd)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return result;
}

void access_helper__forget(struct access_helper *helper)
{
	close(helper->channel);
	munmap(helper->shared, sizeof(*helper->shared));
	*helper = (struct access_helper){0};
}

void access_helper__end(struct access_helper *helper)
{
	pid_t pid = helper->pid;

	kill(pid, SIGKILL);
	access_helper__forget(helper);
	waitpid(pid, NULL, 0);
}
