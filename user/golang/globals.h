/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_GLOBALS_H
#define GLEAKD_GOLANG_GLOBALS_H

/*
 * Addresses of the runtime's variables. With a .symtab they are looked up. Without, they are
 * recovered: the functions that work with them refer to them, and the running process shows which
 * reference is which, because each variable's contents can be recognised beyond doubt.
 */
#include "golang/live.h"

enum globals_source {
	GLOBALS_SYMBOLS,
	GLOBALS_CODE,
};

/*
 * globals__find - live->module and live->runtime_main must be set. moduledata is left to the caller.
 * sched and allp are 0 when they cannot be found or verified, and so is semtable without symbols: it shows
 * only while a goroutine waits on a lock, see semtable__find().
 * Errors: -EAGAIN the runtime is not that far, -EOPNOTSUPP not found, -ESRCH, -ENOMEM.
 */
int globals__find(struct live *live, struct go_globals *ret_globals,
		  enum globals_source *ret_source) __must_check;

#endif /* GLEAKD_GOLANG_GLOBALS_H */
