/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_MAPS_H
#define GLEAKD_HOST_MAPS_H

/*
 * /proc/PID/maps, read as a stream: a process may have as many mappings as vm.max_map_count allows,
 * 65,530 by default. Private to host/.
 */
#include "base/common.h"
#include "host/process.h"

/* What is known of a running image from elsewhere. */
struct maps_image {
	const char *path;    /* text of the exe link, " (deleted)" included */
	uint64_t inode;	     /* from stat(2), 0: unknown */
	uint64_t start_code; /* an address inside the image; 0 or 1: unknown */
};

/* maps__find - process__exe_mappings() on the file @maps_path. */
int maps__find(const char *maps_path, const struct maps_image *image,
	       struct process_mapping *mappings, size_t max) __must_check;

#endif /* GLEAKD_HOST_MAPS_H */
