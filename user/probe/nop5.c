// SPDX-License-Identifier: Apache-2.0
#include "probe/nop5.h"

#ifdef __x86_64__

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/links.h"
#include "probe/own_text.h"

#define OPCODE_CALL_REL32 0xe8
#define OPCODE_NOP5	  0x0f

/* The kernel rewrites after the first hit; a few more in case it could not take a lock. */
#define ATTEMPTS 4

/* The child does next to nothing; one that is stopped or stuck is not waited for. */
#define ANSWER_SECONDS 5

/*
 * The instruction on trial. In assembly, and a function of its own, because the call that replaces
 * it writes below the stack pointer, where compiled code may keep a red zone.
 */
__asm__(".pushsection .text\n"
	".balign 16\n"
	".type nop5_trial, @function\n"
	"nop5_trial:\n"
	".byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"
	"ret\n"
	".size nop5_trial, . - nop5_trial\n"
	".popsection\n");

void nop5_trial(void) __attribute__((visibility("hidden")));

/*
 * A process of ours to be probed. Linux 6.18 to 6.18.39 and up to 7.1.4 turns the call back into a
 * nop only for a process that removes its own probe (arch/x86/kernel/uprobes.c
 * __in_uprobe_trampoline(), which looked at the memory of the one who asks).
 */
struct subject {
	pid_t pid;
	int fd; /* orders to it, and its answers */
};

/* System calls only: the parent may have had threads. Ends with the parent. */
static void __attribute__((noreturn)) obey(int fd)
{
	const volatile unsigned char *text = (const volatile unsigned char *)nop5_trial;
	unsigned char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		nop5_trial();
		byte = *text;
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	_exit(0);
}

static bool subject__start(struct subject *subject)
{
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return false;
	subject->fd = fds[0];
	subject->pid = fork();
	if (!subject->pid) {
		close(fds[0]);
		obey(fds[1]);
	}
	close(fds[1]);
	if (subject->pid > 0 &&
	    !setsockopt(subject->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return true;
	close(subject->fd);
	if (subject->pid > 0)
		waitpid(subject->pid, NULL, 0);
	return false;
}

static void subject__end(struct subject *subject)
{
	close(subject->fd);
	kill(subject->pid, SIGKILL);
	waitpid(subject->pid, NULL, 0);
}

/* Lets it run the nop; the opcode that is there afterwards, or -1. */
static int subject__run(const struct subject *subject)
{
	unsigned char byte = 0;

	if (send(subject->fd, &byte, 1, MSG_NOSIGNAL) != 1)
		return -1;
	return recv(subject->fd, &byte, 1, 0) == 1 ? byte : -1;
}

static bool try_on(const struct subject *subject, int prog_fd, uint64_t file_offset)
{
	struct probe_link_target target = {
		.path = "/proc/self/exe",
		.file_offset = file_offset,
		.pid = subject->pid,
	};
	int fd = uprobe_multi_link__create(prog_fd, &target);
	bool optimized = false;

	if (fd < 0)
		return false;
	for (int i = 0; i < ATTEMPTS && !optimized; i++)
		optimized = subject__run(subject) == OPCODE_CALL_REL32;
	close(fd);
	/* A call that stays would cost the target a system call for the rest of its life. */
	return optimized && subject__run(subject) == OPCODE_NOP5;
}

bool nop5__is_optimized(int prog_fd)
{
	uint64_t file_offset = own_text__file_offset((uintptr_t)nop5_trial);
	struct subject subject;
	bool optimized;

	if (!file_offset || !subject__start(&subject))
		return false;
	optimized = try_on(&subject, prog_fd, file_offset);
	subject__end(&subject);
	return optimized;
}

#else

bool nop5__is_optimized(int prog_fd)
{
	(void)prog_fd;
	return false;
}

#endif
