/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_USERS_H
#define GLEAKD_HOST_USERS_H

/*
 * The system's users. nsswitch.conf(5) names libraries that know them, which a static program cannot load: there it
 * is /etc/passwd and /etc/group alone.
 */
#include <pwd.h>
#include <sys/types.h>

/* users__find - by @name, or NULL by @uid; NULL: there is none. Valid until the next call. */
const struct passwd *users__find(const char *name, uid_t uid);

/* users__take_groups - this process gets @gid and the other groups of @name: initgroups(3). Returns 0 or -errno. */
int users__take_groups(const char *name, gid_t gid);

#endif /* GLEAKD_HOST_USERS_H */
