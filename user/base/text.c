// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <string.h>

const char *text__base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

bool text__is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int text__hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
