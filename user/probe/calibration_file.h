/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_CALIBRATION_FILE_H
#define GLEAKD_PROBE_CALIBRATION_FILE_H

/*
 * A calibration that is remembered, so that not everyone who looks at a process for a moment waits for
 * one: in $RUNTIME_DIRECTORY or /run/gleakd, where nobody but its owner may write. It holds for one
 * boot of one kernel, one build of gleakd, and an hour. What is not right in every respect is not there:
 * forgetting it costs a fifth of a second.
 */
#include "probe/calibration.h"

/*
 * calibration_file__folder - $RUNTIME_DIRECTORY, as systemd sets it, else /run/gleakd. The result
 * belongs to the environment, or is static; NULL: it is none that can be used.
 */
const char *calibration_file__folder(void);

/*
 * calibration_file__read - what calibration_file__write() left in @folder, if it still holds.
 * Errors: -ENOENT there is none; -EPERM the folder or the file belongs to, or may be written by,
 * somebody else than root or who runs this; -ESTALE of another boot, kernel or build, or old;
 * -EPROTO anything else is wrong with it.
 */
int calibration_file__read(const char *folder, struct calibration *ret_calibration) __must_check;

/*
 * calibration_file__write - for the next one; makes the folder if its parent is there.
 * Errors: -EPERM as above, or what the kernel said.
 */
int calibration_file__write(const char *folder, const struct calibration *calibration) __must_check;

#endif /* GLEAKD_PROBE_CALIBRATION_FILE_H */
