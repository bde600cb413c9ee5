// SPDX-License-Identifier: Apache-2.0
#include "output/json/schema.h"

#include <errno.h>

static const unsigned char schema[] = {
#include "report_schema.inc"
};

int schema__write(FILE *out)
{
	errno = 0;
	if (fwrite(schema, 1, sizeof(schema), out) != sizeof(schema) || fflush(out) != 0)
		return errno ? -errno : -EIO;
	return 0;
}
