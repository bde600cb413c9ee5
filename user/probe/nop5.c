// SPDX-License-Identifier: Apache-2.0
#include "probe/nop5.h"

#ifdef __x86_64__

#include <unistd.h>

#include "probe/links.h"
#include "probe/own_text.h"

#define OPCODE_CALL_REL32 0xe8

/* The kernel rewrites after the first hit; a few more in case it could not take a lock. */
#define ATTEMPTS 4

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

bool nop5__is_optimized(int prog_fd)
{
	const volatile unsigned char *text = (const volatile unsigned char *)nop5_trial;
	struct probe_link_target target = {
		.path = "/proc/self/exe",
		.file_offset = own_text__file_offset((uintptr_t)nop5_trial),
		.pid = getpid(),
	};
	bool optimized = false;
	int fd;

	if (!target.file_offset)
		return false;
	fd = uprobe_multi_link__create(prog_fd, &target);
	if (fd < 0)
		return false;
	for (int i = 0; i < ATTEMPTS && !optimized; i++) {
		nop5_trial();
		optimized = *text == OPCODE_CALL_REL32;
	}
	close(fd);
	return optimized;
}

#else

bool nop5__is_optimized(int prog_fd)
{
	(void)prog_fd;
	return false;
}

#endif
