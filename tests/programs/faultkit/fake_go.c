// SPDX-License-Identifier: Apache-2.0
/*
 * A C program with what gleakd knows Go programs by: build information, a note, and the head of a pclntab. It
 * waits until it is killed. tests/e2e/liars.py makes others of it.
 */
#include <unistd.h>

/* clang-format off */
__asm__(
	/* src/debug/buildinfo/buildinfo.go: magic, pointer size, flags (2: strings are inline), the version */
	".section .go.buildinfo,\"aw\"\n"
	".balign 16\n"
	".ascii \"\\377 Go buildinf:\"\n"
	".byte 8, 2\n"
	".fill 16, 1, 0\n"
	".byte 8\n"
	".ascii \"go1.26.8\"\n"
	".byte 0\n"
	".section .note.go.buildid,\"a\"\n"
	".long 4, 4, 4\n"
	".ascii \"Go\\0\\0\"\n"
	".ascii \"abcd\"\n"
	/* src/runtime/symtab.go pcHeader of Go 1.20 on */
	".section .gopclntab,\"a\"\n"
	".balign 32\n"
	".long 0xfffffff1\n"
	".byte 0, 0, 1, 8\n"
	".quad 0x3fffff, 0x3fffff, 0x400000, 72, 72, 72, 72, 72\n"
	".fill 4096, 1, 0x41\n"
	".text\n");
/* clang-format on */

int main(void)
{
	for (;;)
		pause();
}
