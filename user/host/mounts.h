/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_MOUNTS_H
#define GLEAKD_HOST_MOUNTS_H

/*
 * Which mounts of a process's mount namespace are served by a process (FUSE). Reading a list of mounts takes
 * the kernel time for each of up to 100,000, and a user may have them made in a namespace of his own: so a
 * list is kept, shared by all processes that see the same one, and a long one is not read anew at once,
 * whoever asks. A mount that is not known by then counts as an ordinary one.
 */
#include "host/process.h"

/* mounts__is_fuse - the mount with this id, as statx(2) and /proc/PID/mountinfo have it. */
bool mounts__is_fuse(const char *proc_root, pid_t pid, uint64_t mount);

/* mounts__is_below_fuse - whether @path or a folder on the way to it is such a mount. */
bool mounts__is_below_fuse(const char *proc_root, pid_t pid, const char *path);

/* mounts__forget - what is kept, for tests. */
void mounts__forget(void);

/* mounts__reads - lists that were read so far. */
uint64_t mounts__reads(void);

#endif /* GLEAKD_HOST_MOUNTS_H */
