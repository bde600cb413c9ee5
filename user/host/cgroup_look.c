// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cgroup.h"

/* Whoever owns a directory of groups makes those below it (cgroups(7), "Delegation"). */
static bool is_given_away(const struct stat *group, char claimant[CLAIMANT_SIZE])
{
	if (group->st_uid != 0)
		snprintf(claimant, CLAIMANT_SIZE, "user %u", group->st_uid);
	else if (group->st_mode & S_IWOTH)
		snprintf(claimant, CLAIMANT_SIZE, "anybody");
	else if (group->st_mode & S_IWGRP && group->st_gid != 0)
		snprintf(claimant, CLAIMANT_SIZE, "group %u", group->st_gid);
	else
		return false;
	return true;
}

/* The group that is the first @length bytes of @path. */
static bool look_at(const char *mount, const char *path, size_t length, struct stat *ret_group)
{
	char name[2 * PATH_MAX];
	int n = snprintf(name, sizeof(name), "%s%.*s", mount, (int)length, path);

	return n > 0 && (size_t)n < sizeof(name) && !lstat(name, ret_group) &&
	       S_ISDIR(ret_group->st_mode);
}

/*
 * Where the hierarchy is mounted: version 2 there, or at "unified" beside those of version 1, which have the
 * names of their controllers. Where there are several of these the kernel's order may be another one.
 */
static bool find_mount(const char *cgroup_root, const struct process_origin *origin, char *mount,
		       size_t size)
{
	static const char *const unified[] = {"", "/unified"};
	const char *name = origin->controllers;
	/* "/system.slice", of "/system.slice/shop.service" */
	size_t first = 1 + strcspn(origin->cgroup + 1, "/");
	struct stat group;

	for (size_t i = 0; !*name && i < ARRAY_SIZE(unified); i++) {
		snprintf(mount, size, "%s%s", cgroup_root, unified[i]);
		if (look_at(mount, origin->cgroup, first, &group))
			return true;
	}
	if (!*name)
		return false;
	name += strncmp(name, "name=", 5) ? 0 : 5;
	snprintf(mount, size, "%s/%s", cgroup_root, name);
	if (look_at(mount, origin->cgroup, first, &group))
		return true;
	snprintf(mount, size, "%s/%.*s", cgroup_root, (int)strcspn(name, ","), name);
	return look_at(mount, origin->cgroup, first, &group);
}

void cgroup__look(const char *cgroup_root, struct process_origin *origin)
{
	const char *path = origin->cgroup;
	size_t length = strlen(path), end = 0;
	char mount[PATH_MAX], claimant[CLAIMANT_SIZE];
	struct stat group;

	if (length < 2 || !strncmp(path, "/..", 3) ||
	    !find_mount(cgroup_root, origin, mount, sizeof(mount)))
		return;
	while (end <= length && end < origin->trusted && look_at(mount, path, end, &group)) {
		if (is_given_away(&group, claimant)) {
			origin->trusted = end;
			memcpy(origin->claimant, claimant, sizeof(claimant));
			return;
		}
		end += 1 + strcspn(path + min_of(end + 1, length), "/");
	}
}
