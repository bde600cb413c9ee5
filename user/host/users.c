// SPDX-License-Identifier: Apache-2.0
#include "host/users.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef GLEAKD_STATIC

/* As many as the kernel takes (include/uapi/linux/limits.h: NGROUPS_MAX), of which nobody has more than a few. */
#define MAX_GROUPS 256

const struct passwd *users__find(const char *name, uid_t uid)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;

	if (!file)
		return NULL;
	while ((entry = fgetpwent(file))) {
		if (name ? !strcmp(entry->pw_name, name) : entry->pw_uid == uid)
			break;
	}
	fclose(file);
	return entry;
}

static bool has_member(const struct group *group, const char *name)
{
	for (char **member = group->gr_mem; *member; member++) {
		if (!strcmp(*member, name))
			return true;
	}
	return false;
}

int users__take_groups(const char *name, gid_t gid)
{
	FILE *file = fopen("/etc/group", "re");
	gid_t groups[MAX_GROUPS] = {gid};
	const struct group *group;
	size_t n = 1;

	while (file && n < MAX_GROUPS && (group = fgetgrent(file))) {
		if (group->gr_gid != gid && has_member(group, name))
			groups[n++] = group->gr_gid;
	}
	if (file)
		fclose(file);
	return setgroups(n, groups) ? -errno : 0;
}

#else

const struct passwd *users__find(const char *name, uid_t uid)
{
	return name ? getpwnam(name) : getpwuid(uid);
}

int users__take_groups(const char *name, gid_t gid)
{
	return initgroups(name, gid) ? -errno : 0;
}

#endif
