/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_OCCURRENCES_H
#define GLEAKD_TESTS_OCCURRENCES_H

#include <string.h>

/* How often @what is in @text; none begins within another. */
static inline size_t occurrences(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

#endif /* GLEAKD_TESTS_OCCURRENCES_H */
