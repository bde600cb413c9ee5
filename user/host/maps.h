/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_MAPS_H
#define GLEAKD_HOST_MAPS_H

/*
 * /proc/PID/maps, read as a stream: a process may have as many mappings as vm.max_map_count allows,
 * 65,530 by default. Private to host/.
 */
#include "base/common.h"
#include "host/process.h"

/* What is known of the running image from other files of /proc. */
struct maps_image {
	const char *path;    /* text of the exe link, " (deleted)" included */
	uint64_t inode;	     /* from stat(2), 0: unknown */
	uint64_t start_code; /* an address inside the image; 0 or 1: unknown */
};

/* One line; the path is valid during the call. */
struct maps_line {
	struct process_mapping mapping;
	bool readable, shared;
	uint32_t major, minor; /* of the file's device */
	uint64_t inode;	       /* 0: no file */
	const char *path; /* newlines are "\012", a file that was removed ends in " (deleted)" */
};

/*
 * maps__each - every line of @maps_path, until @fn returns false. Errors: -ESRCH gone, or no mapping at
 * all; -EACCES not permitted; -EPROTO a line that cannot be read; -E2BIG; -ENOMEM.
 */
int maps__each(const char *maps_path, bool (*fn)(void *ctx, const struct maps_line *line),
	       void *ctx) __must_check;

/*
 * maps__each_resident - every mapping of the file @smaps_path with how much of it is in memory; @line has
 * no path. Errors: as maps__each().
 */
int maps__each_resident(const char *smaps_path,
			void (*fn)(void *ctx, const struct maps_line *line, uint64_t bytes),
			void *ctx) __must_check;

/* maps__find - process__exe_mappings() on the file @maps_path. */
int maps__find(const char *maps_path, const struct maps_image *image,
	       struct process_mapping *mappings, size_t max) __must_check;

#endif /* GLEAKD_HOST_MAPS_H */
