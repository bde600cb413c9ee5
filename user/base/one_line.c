// SPDX-License-Identifier: Apache-2.0
#include "base/one_line.h"

#include <string.h>

#include "base/utf8.h"

size_t one_line__copy(char *out, size_t out_size, const char *text)
{
	size_t used = 0;

	if (!out_size)
		return 0;
	while (*text) {
		const char *from = text;
		uint32_t code;
		size_t size = utf8__decode(text, &code);

		text += size;
		if ((code && code < 0x20) || code == 0x7f) {
			from = " ";
		} else if (!utf8__printable(code)) {
			from = UTF8_REPLACEMENT_STR;
			size = strlen(UTF8_REPLACEMENT_STR);
		}
		if (size >= out_size - used)
			break;
		memcpy(out + used, from, size);
		used += size;
	}
	out[used] = '\0';
	return used;
}
