/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_LIBBPF_TEXT_H
#define GLEAKD_PROBE_LIBBPF_TEXT_H

/*
 * What libbpf has to say. It prints to stderr by default; here its last warnings are kept instead,
 * to be quoted when something failed, and are dropped otherwise. libbpf knows one print function
 * per process, so this is process-wide state, used from one thread.
 */

/* libbpf_text__capture - from now on keep instead of print, beginning with nothing. */
void libbpf_text__capture(void);

/* libbpf_text__get - the last warnings in one line; "no details" when there were none. */
const char *libbpf_text__get(void);

#endif /* GLEAKD_PROBE_LIBBPF_TEXT_H */
