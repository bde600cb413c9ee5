/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_PLAN_H
#define GLEAKD_PROBE_PLAN_H

/*
 * Which instruction to probe for each event: a decoded instruction behind the stack check, on the
 * unconditional path, the cheapest at which it is known where the g is. Never the entry of a
 * function, never a return probe (docs/architecture.md, "Probe sites").
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"
#include "probe/event.h"

/* What a hit costs, cheapest first. */
enum probe_class {
	PROBE_CLASS_EMULATED,	 /* one trap */
	PROBE_CLASS_SINGLE_STEP, /* two traps; many times dearer in a virtual machine */
};

struct probe_site {
	bool present;
	bool none; /* the binary lacks the functions: nothing of the kind happens in it */
	enum probe_class class;
	uint64_t address;     /* link-time */
	uint64_t file_offset; /* as uprobes want it */
	uint32_t func_offset; /* bytes into the function; never 0 */
	uint8_t code[16];     /* the instruction, as the file has it */
	uint8_t length;	      /* of it */
	char function[64];    /* "runtime.newproc.func1" */
	enum gl_g_location g_location;
	enum gl_guard guard;
	uint16_t g_stack_offset;
	char reason[160]; /* why it is absent, or why it costs much, for the user; "" otherwise */
};

struct probe_plan {
	struct probe_site sites[PROBE_EVENT_COUNT];
};

/*
 * probe_plan__make - decode the runtime's functions in @binary and choose. It is not an error when
 * an event has no usable site: its reason says why. Errors: -ENOENT no site for any event, -EIO the
 * file could not be read.
 */
int probe_plan__make(struct go_binary *binary, struct probe_plan *ret_plan,
		     struct failure *failure) __must_check;

const char *probe_class__name(enum probe_class class); /* "emulated", "single-step" */

#endif /* GLEAKD_PROBE_PLAN_H */
