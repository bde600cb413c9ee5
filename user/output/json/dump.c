// SPDX-License-Identifier: Apache-2.0
#include "output/json/dump.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* 15 digits survive the way through a double unchanged (DBL_DIG): 0.3 stays 0.3. */
#define DUMP_FLAGS \
	(JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

/* jansson escapes what is not ASCII and what is below the blank; DEL is neither. */
static int write_escaped(const char *text, size_t size, void *out)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == 0x7f)
			fputs("\\u007F", out);
		else
			putc(text[i], out);
	}
	return ferror((FILE *)out) ? -1 : 0;
}

int json_dump(FILE *out, const json_t *json, size_t flags)
{
	if (!json || json_dump_callback(json, write_escaped, out, DUMP_FLAGS | flags))
		return -ENOMEM;
	return 0;
}

int json_dump__line(FILE *out, json_t *json)
{
	char *bytes __cleanup_free = NULL;
	size_t n = 0;
	FILE *line = open_memstream(&bytes, &n);
	int err = line ? json_dump(line, json, 0) : -ENOMEM;

	json_decref(json);
	if (!line)
		return err;
	fputc('\n', line);
	if (fclose(line) != 0 && !err)
		err = -ENOMEM;
	errno = 0;
	if (!err && (fwrite(bytes, 1, n, out) != n || fflush(out) != 0))
		err = errno ? -errno : -EIO;
	return err;
}

json_t *json_dump__real(double value)
{
	double rounded = round(value * 1000) / 1000;

	return json_real(isfinite(rounded) ? rounded : 0);
}
