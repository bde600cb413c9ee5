// SPDX-License-Identifier: Apache-2.0
#include "host/resident.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "host/maps.h"

struct visit {
	void (*fn)(void *ctx, const struct resident_mapping *mapping);
	void *ctx;
};

static void take(void *ctx, const struct maps_line *line, uint64_t bytes)
{
	const struct visit *visit = ctx;
	const struct resident_mapping mapping = {
		.start = line->mapping.start,
		.end = line->mapping.end,
		.bytes = bytes,
		.anonymous = !line->inode,
	};

	visit->fn(visit->ctx, &mapping);
}

int resident__each(const char *proc_root, pid_t pid,
		   void (*fn)(void *ctx, const struct resident_mapping *mapping), void *ctx)
{
	struct visit visit = {fn, ctx};
	char path[PATH_MAX];
	int length = snprintf(path, sizeof(path), "%s/%d/smaps", proc_root, (int)pid);

	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	return maps__each_resident(path, take, &visit);
}

/* proc(5), /proc/PID/statm: size and resident, in pages. */
uint64_t resident__of(const char *proc_root, pid_t pid)
{
	char path[PATH_MAX];
	uint64_t resident = 0;
	FILE *file;

	if (pid)
		snprintf(path, sizeof(path), "%s/%d/statm", proc_root, pid);
	else
		snprintf(path, sizeof(path), "%s/self/statm", proc_root);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*u %" SCNu64, &resident) != 1)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
