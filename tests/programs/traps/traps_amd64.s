// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"

// RFLAGS.TF: a debug exception after each instruction from the next one on.
#define TF 0x100

// func int3()
TEXT ·int3(SB), NOSPLIT, $0-0
	BYTE $0xcc
	RET

// func stepOn()
TEXT ·stepOn(SB), NOSPLIT, $0-0
	PUSHFQ
	ORQ $TF, 0(SP)
	POPFQ
	RET

// func stepOff()
TEXT ·stepOff(SB), NOSPLIT, $0-0
	PUSHFQ
	ANDQ $~TF, 0(SP)
	POPFQ
	RET

// The kernel calls it on the signal stack.
TEXT trap<>(SB), NOSPLIT|NOFRAME, $0-0
	LOCK
	INCQ ·trapped(SB)
	RET

// rt_sigreturn
TEXT restorer<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ $15, AX
	SYSCALL
	INT $3

// func handlers() (trap, restorer uintptr)
TEXT ·handlers(SB), NOSPLIT, $0-16
	LEAQ trap<>(SB), AX
	MOVQ AX, trap+0(FP)
	LEAQ restorer<>(SB), AX
	MOVQ AX, restorer+8(FP)
	RET
