// SPDX-License-Identifier: Apache-2.0
#include "host/cpu_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/cgroup_file.h"

struct throttled {
	bool known;
	uint64_t ns;
};

/*
 * A group without a limit has no such line, or one that says 0 (kernel/sched/core.c cpu_cfs_stat_show,
 * cpu_extra_stat_show): both have never held anybody back.
 */
static bool take_largest(void *ctx, const char *text, bool v2)
{
	const char *label = v2 ? "throttled_usec " : "throttled_time ";
	const char *line = strstr(text, label);
	struct throttled *throttled = ctx;
	uint64_t value;

	if (line && sscanf(line + strlen(label), "%" SCNu64, &value) == 1) {
		throttled->known = true;
		throttled->ns = max_of(throttled->ns, v2 ? value * 1000 : value);
	}
	return true;
}

int process__throttled(const char *proc_root, const char *cgroup_root, pid_t pid, uint64_t *ret_ns)
{
	static const struct cgroup_file file = {
		.v2 = "cpu.stat", .controller = "cpu", .v1 = "cpu.stat", .ancestors = true};
	struct throttled throttled = {0};
	int err = cgroup_file__visit(proc_root, cgroup_root, pid, &file, take_largest, &throttled);

	*ret_ns = throttled.ns;
	if (err)
		return err;
	return throttled.known ? 0 : -EOPNOTSUPP;
}
