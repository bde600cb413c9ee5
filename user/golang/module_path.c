// SPDX-License-Identifier: Apache-2.0
#include "golang/module_path.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* The module cache below GOMODCACHE, which is GOPATH/pkg/mod unless it is set. */
#define CACHE "/pkg/mod/"

/* Where "@v1.2.3/" begins; NULL: nowhere. */
static const char *find_version(const char *file)
{
	const char *cache = strstr(file, CACHE), *at = strchr(cache ? cache : file, '@');

	while (at && !(at[1] == 'v' && isdigit((unsigned char)at[2])))
		at = strchr(at + 1, '@');
	return at;
}

/*
 * The first element of a module's path is a host's name, with a dot in it. In a cache somewhere else
 * than in GOPATH that tells where the path begins.
 */
static const char *find_module(const char *file, const char *at)
{
	const char *cache = strstr(file, CACHE), *begin = file;

	if (cache)
		return cache + strlen(CACHE);
	if (*file != '/')
		return file;
	while (begin && begin < at) {
		const char *end = strchr(begin + 1, '/');
		const char *dot = memchr(begin + 2, '.', (size_t)(at - begin) - 1);

		if (end && dot && dot < end && dot < at)
			return begin + 1;
		begin = end;
	}
	return NULL;
}

/* Upper case is "!" and lower case in the cache (golang.org/x/mod/module EscapePath). */
static bool unescape(const char *from, const char *end, char *to, size_t size)
{
	size_t n = 0;

	for (; from < end && n < size - 1; from++) {
		bool upper = *from == '!' && from + 1 < end;

		from += upper;
		to[n++] = upper ? (char)toupper((unsigned char)*from) : *from;
	}
	to[n] = '\0';
	return n && from == end;
}

void module_path__of_function(const char *function, char *path, size_t size)
{
	const char *slash = strrchr(function, '/');
	const char *end = strchr(slash ? slash : function, '.');
	size_t n = 0;

	for (const char *p = function; end && p < end && n < size - 1; n++) {
		int high = *p == '%' ? text__hex_digit(p[1]) : -1;
		int low = high >= 0 ? text__hex_digit(p[2]) : -1;

		path[n] = low >= 0 ? (char)(high * 16 + low) : *p;
		p += low >= 0 ? 3 : 1;
	}
	path[n] = '\0';
}

bool module_version__of_file(const char *file, struct module_version *ret_version)
{
	const char *at = find_version(file), *module = at ? find_module(file, at) : NULL;
	const char *end = at ? strchr(at, '/') : NULL;
	struct module_version found;

	if (!module || !end || !unescape(module, at, found.path, sizeof(found.path)) ||
	    !unescape(at + 1, end, found.version, sizeof(found.version)))
		return false;
	*ret_version = found;
	return true;
}
