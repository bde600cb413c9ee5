/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_RUNTIME_ID_H
#define GLEAKD_GOLANG_RUNTIME_ID_H

/*
 * Which Go runtime: a process may have several, its own and those of libraries, that know nothing of each
 * other and give out the same goroutine numbers. Within a process a runtime is where it keeps its
 * list of modules (runtime.firstmoduledata), which never moves.
 */
#include "base/common.h"
#include "host/process.h"

struct runtime_id {
	struct process_id process;
	uint64_t moduledata; /* the target's address */
};

static inline bool runtime_id__same(const struct runtime_id *a, const struct runtime_id *b)
{
	return a->process.pid == b->process.pid && a->process.start_time == b->process.start_time &&
	       a->moduledata == b->moduledata;
}

#endif /* GLEAKD_GOLANG_RUNTIME_ID_H */
