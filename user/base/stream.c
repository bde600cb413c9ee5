// SPDX-License-Identifier: Apache-2.0
#include "base/stream.h"

#include <errno.h>

int stream__flush(FILE *out)
{
	errno = 0;
	if (!fflush(out) && !ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}

int stream__write(FILE *out, const void *bytes, size_t size)
{
	errno = 0;
	if (fwrite(bytes, 1, size, out) != size)
		return errno ? -errno : -EIO;
	return stream__flush(out);
}
