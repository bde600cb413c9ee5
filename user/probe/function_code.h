/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_FUNCTION_CODE_H
#define GLEAKD_PROBE_FUNCTION_CODE_H

/* The code of one function of the runtime, and a probe site in it. */
#include "elf/image.h"
#include "golang/pclntab.h"
#include "probe/path.h"
#include "probe/plan.h"

/*
 * function_code__read - @ret_bytes is the caller's to free, and what @ret_code points to. Errors: -ENOENT
 * the binary has no such function (entry 0), -E2BIG, -ENOMEM, -EFAULT unreadable.
 */
int function_code__read(struct elf_image *image, const struct pclntab_func *func,
			uint8_t **ret_bytes, struct code *ret_code) __must_check;

/* probe_site__set - the site at @point of the function @name, which begins at @entry. -EFAULT, -ENOENT. */
int probe_site__set(struct probe_site *site, struct elf_image *image, uint64_t entry,
		    const char *name, const struct path_point *point) __must_check;

#endif /* GLEAKD_PROBE_FUNCTION_CODE_H */
