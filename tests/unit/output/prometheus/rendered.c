// SPDX-License-Identifier: Apache-2.0
#include "rendered.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "exposition_check.h"

char *rendered(const struct report *report, const struct textfile_options *options)
{
	const char *wrong;
	size_t size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	cr_assert_eq(textfile__render(out, report, options), 0);
	fclose(out);
	wrong = exposition_check(text, size);
	cr_assert_null(wrong, "%s in:\n%s", wrong, text);
	return text;
}
