// SPDX-License-Identifier: Apache-2.0
#include "base/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int failure__set(struct failure *f, int err, const char *fmt, ...)
{
	va_list ap;

	if (!f)
		return err;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return err;
}

int failure__exit_code(int err)
{
	switch (-err) {
	case 0:
		return 0;
	case ENOEXEC:
	case EOPNOTSUPP:
	case ENOTRECOVERABLE:
		return 3;
	case EPERM:
	case EACCES:
		return 4;
	default:
		return 1;
	}
}
