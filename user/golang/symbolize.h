/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_SYMBOLIZE_H
#define GLEAKD_GOLANG_SYMBOLIZE_H

/*
 * Frames for people: a program counter becomes one or more calls with function, file and line, and
 * whose code each is. Results are cached and live as long as the symbolizer; the cache is bounded.
 */
#include "base/common.h"
#include "golang/module_map.h"

/* Whose code a function is, by its package path and the build info's module. */
enum frame_owner {
	FRAME_RUNTIME, /* the runtime and its internals: runtime, internal/runtime/..., runtime/... */
	FRAME_STDLIB,	  /* the rest of the standard library */
	FRAME_DEPENDENCY, /* another module */
	FRAME_MAIN,	  /* the main module (or package main when there is no module) */
};

struct frame {
	const char *function; /* never NULL; "0x4a1b2c" when unknown */
	const char *file;     /* "" when unknown */
	uint32_t line;	      /* 0 when unknown */
	enum frame_owner owner;
	bool inlined;
	bool wrapper;	    /* hidden in tracebacks */
	const char *module; /* the file of a plugin, without its folder; "" the program's own */
	uint64_t offset;    /* of the pc in the function's code; 0 when inlined or unknown */
};

struct symbolizer;

/*
 * symbolizer__new - for one binary, which is module 0; @binary must outlive it and be bound. Program
 * counters are module pcs.
 */
int symbolizer__new(struct go_binary *binary, struct symbolizer **ret_symbolizer) __must_check;
void symbolizer__free(struct symbolizer *symbolizer);

/*
 * symbolizer__add_module - the next module, number 1 for the first; before it is asked for any address
 * in that. @binary as above, or NULL when its file is not readable; @name is copied.
 * Errors: -ENOMEM, -ENOSPC.
 */
int symbolizer__add_module(struct symbolizer *symbolizer, struct go_binary *binary,
			   const char *name) __must_check;

/*
 * symbolizer__frames - the calls that @pc stands for, innermost first.
 * @return_address: @pc follows a call (every frame but the innermost, and gopc): look up pc - 1.
 * Returns their number, at least 1: an unknown address gives one frame with its number.
 * The strings belong to the symbolizer.
 */
size_t symbolizer__frames(struct symbolizer *symbolizer, uint64_t pc, bool return_address,
			  struct frame *frames, size_t max);

/*
 * symbolizer__is_entry - whether a function begins at @pc. A goroutine that is to begin there has
 * called nothing yet, so that its pc is no return address.
 */
bool symbolizer__is_entry(struct symbolizer *symbolizer, uint64_t pc);

/* symbolizer__function - the function that starts at or contains @pc, for g.startpc. */
const char *symbolizer__function(struct symbolizer *symbolizer, uint64_t pc);

/*
 * frame_owner__of - whose code @function is, by its package path, and by the module that @file is from
 * where that tells: a closure of a library's function that was inlined into main.main is called
 * main.main.func1. A function's name is as the runtime prints it; @info is the program's build info.
 */
enum frame_owner frame_owner__of(const char *function, const char *file,
				 const struct go_build_info *info);

/* symbolizer__unnamed - how many frames were named "?" because there was no room for more names. */
uint64_t symbolizer__unnamed(const struct symbolizer *symbolizer);

/* symbolizer__is_system_goroutine - by start function, as runtime.isSystemGoroutine does. */
bool symbolizer__is_system_goroutine(struct symbolizer *symbolizer, uint64_t start_pc);

#endif /* GLEAKD_GOLANG_SYMBOLIZE_H */
