/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_LIBBPF_TEXT_H
#define GLEAKD_PROBE_LIBBPF_TEXT_H

#include "base/common.h"
#include "base/failure.h"

/*
 * Messages of libbpf, which it prints to stderr by default. Here its last warnings are kept, to be
 * quoted when something fails, and dropped otherwise. libbpf has one print function per process, so
 * this is state of the process, for use in one thread.
 */

/* libbpf_text__capture - forget the warnings so far, and keep new ones instead of printing them. */
void libbpf_text__capture(void);

/* libbpf_text__get - the last warnings in one line; "no details" when there were none. */
const char *libbpf_text__get(void);

/*
 * libbpf_text__explain - why programs of ours, with a ring buffer of so many bytes, could not be loaded.
 * @err: what libbpf returned, 0: nothing went wrong. Returns it, or what stands for it.
 */
int libbpf_text__explain(int err, uint32_t ring_bytes, struct failure *failure);

#endif /* GLEAKD_PROBE_LIBBPF_TEXT_H */
