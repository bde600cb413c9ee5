// SPDX-License-Identifier: Apache-2.0
#include "output/json/schema.h"

#include "base/stream.h"

static const unsigned char schema[] = {
#include "report_schema.inc"
};

int schema__write(FILE *out)
{
	return stream__write(out, schema, sizeof(schema));
}
