/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_PROCS_H
#define GLEAKD_GOLANG_PROCS_H

/*
 * The scheduler's allp and sched: where goroutine ids come from. They only serve to tell how many
 * ids have been handed out, so what cannot be verified is left out instead of refusing the process.
 */
#include "golang/code_refs.h"
#include "golang/live.h"

/* procs__verify - set allp and sched of @globals to 0 unless their contents prove them. */
void procs__verify(struct live *live, struct go_globals *globals);

/* procs__find_allp - among what runtime.procresize refers to; 0 when it is not certain. */
uint64_t procs__find_allp(struct live *live, const struct code_refs *refs);

/* procs__find_sched - among what runtime.newproc1 refers to; 0 when it is not certain. */
uint64_t procs__find_sched(struct live *live, const struct code_refs *refs, uint64_t allp);

#endif /* GLEAKD_GOLANG_PROCS_H */
