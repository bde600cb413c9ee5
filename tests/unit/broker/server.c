// SPDX-License-Identifier: Apache-2.0
/* What the broker does not see from a request alone; a child of the test is the process it is about. */
#include "broker/server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/server_private.h"
#include "host/channel.h"

#define MAX_BYTES (4 * BROKER_MEMORY_MAX)

static struct broker_shared *shared;
static struct broker_server *server;
static struct broker_request request;
static struct broker_answer answer;
static int channels[2], fds[BROKER_MAX_FDS];
static size_t n_fds;
static pid_t child;

static void set_up(void)
{
	static const struct broker_files files;
	const struct broker_server_options options = {.files = &files, .max_bytes = MAX_BYTES};

	shared = calloc(1, sizeof(*shared));
	cr_assert_not_null(shared);
	cr_assert_eq(broker_server__new(&options, NULL, shared, &server), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (!child) {
		/* It ends with the test, also where that fails, and holds nothing of it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close_range(0, ~0u, 0);
		pause();
		_exit(0);
	}
}

static void tear_down(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	broker_server__free(server);
	close(channels[0]);
	close(channels[1]);
	free(shared);
}

TestSuite(broker_server, .init = set_up, .fini = tear_down, .timeout = 30);

static void add_text(const char *text)
{
	memcpy(request.text + request.text_size, text, strlen(text) + 1);
	request.text_size += (__u32)strlen(text) + 1;
}

static int64_t ask(void)
{
	size_t size = BROKER_REQUEST_MIN + request.text_size;

	cr_assert_eq(channel__send(channels[1], &request, size, NULL, 0), 0);
	cr_assert_eq(broker_server__serve(server, channels[0]), 0);
	cr_assert_eq(
		channel__receive(channels[1], &answer, sizeof(answer), fds, BROKER_MAX_FDS, &n_fds),
		sizeof(answer));
	return answer.result;
}

static int64_t open_below(const char *path)
{
	char root[64];

	memset(&request, 0, sizeof(request));
	request.op = BROKER_OPEN_BELOW;
	snprintf(root, sizeof(root), "/proc/%d/root", child);
	add_text(root);
	add_text(path);
	return ask();
}

Test(broker_server, of_the_files_below_a_root_only_code_that_runs)
{
	char exe[PATH_MAX] = "";

	cr_assert_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
	cr_expect_eq(open_below(exe), 0);
	cr_assert_eq(n_fds, 1);
	close(fds[0]);
	cr_expect_eq(open_below("/etc/passwd"), -ESRCH, "it is there, and nobody's code");
	cr_expect_eq(n_fds, 0);
	cr_expect_eq(open_below("/proc/self/mem"), -ESRCH);
	cr_expect_eq(n_fds, 0);
}

Test(broker_server, memory_is_read_by_handle_and_in_bounds)
{
	static const char here[] = "what is here is there";

	memset(&request, 0, sizeof(request));
	request.op = BROKER_MEMORY_OPEN;
	request.pid = child;
	cr_assert_eq(ask(), 0);
	request.op = BROKER_MEMORY_READ;
	request.size = 1;
	shared->ranges[0] = (struct iovec){(void *)here, sizeof(here)};
	cr_assert_eq(ask(), (int64_t)sizeof(here));
	cr_expect_str_eq((const char *)shared->window, here);
	shared->ranges[0].iov_len = BROKER_MEMORY_MAX + 1;
	cr_expect_eq(ask(), -EINVAL);
	request.handle = 1;
	cr_expect_eq(ask(), -EBADF);
	request.handle = UINT32_MAX;
	cr_expect_eq(ask(), -EBADF);
}

static int64_t ask_to_share(size_t size)
{
	memset(&request, 0, sizeof(request));
	request.op = BROKER_SHARE;
	request.size = size;
	return ask();
}

Test(broker_server, copies_go_where_they_are_wanted_and_nowhere_else)
{
	static const char here[] = "what is here is there";
	const size_t size = 1u << 20, offset = size - sizeof(here);
	const char *copies;

	cr_assert_eq(ask_to_share(size), 0);
	cr_assert_eq(n_fds, 1);
	copies = mmap(NULL, size, PROT_READ, MAP_SHARED, fds[0], 0);
	cr_assert_neq((const void *)copies, MAP_FAILED);
	cr_expect_eq(ftruncate(fds[0], 4096), -1, "what is gone would end the broker");
	cr_expect_eq(ftruncate(fds[0], 2 * (off_t)size), -1);
	close(fds[0]);

	memset(&request, 0, sizeof(request));
	request.op = BROKER_MEMORY_OPEN;
	request.pid = child;
	cr_assert_eq(ask(), 0);
	request.op = BROKER_MEMORY_COPY;
	request.size = 2;
	shared->ranges[0] = (struct iovec){(void *)here, sizeof(here)};
	shared->offsets[0] = offset;
	shared->ranges[1] = (struct iovec){(void *)(here + 5), 2};
	shared->offsets[1] = 7;
	cr_assert_eq(ask(), (int64_t)sizeof(here) + 2);
	cr_expect_str_eq(copies + offset, here);
	cr_expect_str_eq(copies + 7, "is");
	cr_expect_eq(copies[6], 0);

	shared->offsets[0] = offset + 1;
	cr_expect_eq(ask(), -EINVAL);
	shared->offsets[0] = UINT64_MAX - 2;
	cr_expect_eq(ask(), -EINVAL);
	shared->ranges[0] = (struct iovec){(void *)16, 8};
	shared->offsets[0] = 0;
	cr_expect_eq(ask(), -EFAULT, "nothing is mapped there");
	request.size = ACCESS_COPY_RANGES + 1;
	cr_expect_eq(ask(), -EINVAL);

	cr_expect_eq(ask_to_share(0), 0);
	request.op = BROKER_MEMORY_COPY;
	request.size = 1;
	shared->ranges[0] = (struct iovec){(void *)here, 1};
	cr_expect_eq(ask(), -EINVAL, "there is no room any more");
	cr_expect_eq(ask_to_share(BROKER_SHARE_MAX + 1), -EINVAL);
}

Test(broker_server, no_more_than_so_much_in_a_minute)
{
	static const uint8_t here[BROKER_MEMORY_MAX];
	uint64_t n = 0;

	memset(&request, 0, sizeof(request));
	request.op = BROKER_MEMORY_OPEN;
	request.pid = child;
	cr_assert_eq(ask(), 0);
	request.op = BROKER_MEMORY_READ;
	request.size = 1;
	shared->ranges[0] = (struct iovec){(void *)here, sizeof(here)};
	for (; ask() == (int64_t)sizeof(here); n += sizeof(here))
		cr_assert_null(broker_server__refused(server));
	cr_expect_eq(answer.result, -EDQUOT);
	cr_expect_eq(n, MAX_BYTES);
	cr_expect_not_null(broker_server__refused(server));
}

/* Where the code of this program is in its file. */
static uint64_t code_offset(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t start, end, offset = 0;
	char line[PATH_MAX], mode[5];

	cr_assert_not_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64, &start, &end, mode,
			   &offset) == 4 &&
		    mode[2] == 'x' && strchr(line, '/'))
			break;
	}
	fclose(maps);
	return offset;
}

static int check_at(const char *path, uint64_t first, uint64_t second)
{
	const struct program_place places[] = {{.file_offset = first}, {.file_offset = second}};
	int fd = open(path, O_PATH | O_CLOEXEC), err;

	cr_assert_geq(fd, 0);
	err = broker_server__check_code(child, fd, places, ARRAY_SIZE(places));
	close(fd);
	return err;
}

Test(broker_server, probes_are_for_code_of_that_very_file)
{
	uint64_t offset = code_offset();

	cr_assert_gt(offset, 0);
	cr_expect_eq(check_at("/proc/self/exe", offset, offset + 1), 0);
	cr_expect_eq(check_at("/proc/self/exe", offset, 0), -ESRCH, "the header is no code");
	cr_expect_eq(check_at("/proc/self/exe", offset, UINT64_MAX), -ESRCH);
	cr_expect_eq(check_at("/etc/passwd", offset, offset), -ESRCH, "nobody runs that");
}

Test(broker_server, what_is_no_request_ends_it)
{
	cr_assert_eq(channel__send(channels[1], "?", 1, NULL, 0), 0);
	cr_expect_eq(broker_server__serve(server, channels[0]), -EPROTO);
	cr_expect_not_null(broker_server__refused(server));
	cr_expect_null(broker_server__refused(server));
	close(channels[1]);
	channels[1] = -1;
	cr_expect_eq(broker_server__serve(server, channels[0]), -EPIPE);
}

Test(broker_server, what_stands_still_goes_on_in_time)
{
	struct broker_held held;
	int wait_ms;

	memset(&request, 0, sizeof(request));
	request.op = BROKER_HOLD;
	request.pid = child;
	request.size = 50 * NSEC_PER_MSEC;
	cr_expect_eq(ask(), -ESRCH, "nobody has opened its memory");
	request.op = BROKER_MARK_PAGES;
	cr_expect_eq(ask(), -ESRCH, "nor has anybody for this");
	request.op = BROKER_MEMORY_OPEN;
	cr_assert_eq(ask(), 0);
	request.op = BROKER_HOLD;
	cr_expect_eq(broker_server__wait_ms(server, 1000), 1000, "nobody stands still");
	cr_assert_eq(ask(), 0, "%s", answer.failure.text);
	cr_expect_eq(ask(), -EBUSY);
	wait_ms = broker_server__wait_ms(server, 1000);
	cr_expect_leq(wait_ms, 51);
	broker_server__tick(server);
	poll(NULL, 0, wait_ms);
	broker_server__tick(server);
	cr_expect_eq(broker_server__wait_ms(server, 1000), 1000, "it goes on");
	request.op = BROKER_RELEASE;
	cr_expect_eq(ask(), -ESRCH, "too late");
	request.op = BROKER_HOLD;
	request.size = 5 * NSEC_PER_SEC;
	cr_assert_eq(ask(), 0);
	request.op = BROKER_RELEASE;
	cr_expect_eq(ask(), 0);
	memcpy(&held, shared->window, sizeof(held));
	cr_expect_gt(held.begin_ns, 0, "for how long");
}
