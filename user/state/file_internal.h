/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_STATE_FILE_INTERNAL_H
#define GLEAKD_STATE_FILE_INTERNAL_H

/* What tests give instead of this host's boot, its clock and a file. */
#include "state/file.h"
#include "state/format.h"

#define STATE_BOOT_ID_PATH PROC_ROOT "/sys/kernel/random/boot_id"

/* state_boot_id__read - from @path. -EPROTO it is no such id, or as open(2). */
int state_boot_id__read(const char *path, struct state_boot_id *ret_boot,
			struct failure *failure) __must_check;

/*
 * state_file__parse - the file with these contents, read in boot @boot at @now_ticks. Takes @data,
 * which malloc() made, whatever happens. Errors as state_file__open(), in words in @ret_fault unless
 * there is no memory.
 */
int state_file__parse(uint8_t *data, size_t length, const struct state_boot_id *boot,
		      uint64_t now_ticks, struct state_file **ret_file,
		      const char **ret_fault) __must_check;

#endif /* GLEAKD_STATE_FILE_INTERNAL_H */
