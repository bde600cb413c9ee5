// SPDX-License-Identifier: Apache-2.0
#include "pprof_read_back.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

Gleakd__Pprof__Profile *pprof__read_back(struct pprof *profile)
{
	static uint8_t plain[4 << 20];
	Gleakd__Pprof__Profile *back;
	z_stream z = {.next_out = plain, .avail_out = sizeof(plain)};
	char *bytes = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&bytes, &n);

	cr_assert_eq(pprof__write(profile, out), 0);
	fclose(out);
	z.next_in = (uint8_t *)bytes;
	z.avail_in = (uInt)n;
	cr_assert_eq(inflateInit2(&z, 15 + 16), Z_OK); /* gzip and nothing else */
	cr_assert_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	back = gleakd__pprof__profile__unpack(NULL, z.total_out, plain);
	cr_assert_not_null(back);
	free(bytes);
	pprof__free(profile);
	return back;
}

const char *pprof__string(const Gleakd__Pprof__Profile *profile, int64_t number)
{
	cr_assert_lt((size_t)number, profile->n_string_table);
	return profile->string_table[number];
}

const char *pprof__label(const Gleakd__Pprof__Profile *profile, const Gleakd__Pprof__Sample *sample,
			 const char *key)
{
	for (size_t i = 0; i < sample->n_label; i++) {
		if (!strcmp(pprof__string(profile, sample->label[i]->key), key))
			return pprof__string(profile, sample->label[i]->str);
	}
	return "";
}
