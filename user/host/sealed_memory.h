/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_SEALED_MEMORY_H
#define GLEAKD_HOST_SEALED_MEMORY_H

/* Memory that is handed to somebody who is not trusted. */
#include "base/common.h"

/*
 * sealed_memory__make - @size zeros, mapped at @ret_data, for reading and writing, which whoever has the descriptor can
 * map, too, but not make shorter: to read what is gone would end who reads. @name shows in /proc/PID/maps; pages take
 * room when they are written to. The caller unmaps it and closes the descriptor. Returns that or -errno.
 */
int sealed_memory__make(const char *name, size_t size, void **ret_data) __must_check;

#endif /* GLEAKD_HOST_SEALED_MEMORY_H */
