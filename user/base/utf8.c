// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t first, last;
};

/* General categories Cc, Cf, Cs, Co, Zl, Zp and the noncharacters that are not in every plane. */
static const struct range unprintable[] = {
	{0x0000, 0x001f},      {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x0600, 0x0605},
	{0x061c, 0x061c},      {0x06dd, 0x06dd},   {0x070f, 0x070f},   {0x0890, 0x0891},
	{0x08e2, 0x08e2},      {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f},      {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
	{0xfeff, 0xfeff},      {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
	{0x13430, 0x1343f},    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	{0xf0000, UINT32_MAX},
};

/*
 * East_Asian_Width W and F, in coarse blocks, with all blocks that hold emoji: terminals disagree
 * about those, and too wide is only a gap while too narrow is a wrapped line.
 */
static const struct range wide[] = {
	{0x1100, 0x115f},   {0x231a, 0x23ff},	{0x25a0, 0x27bf},   {0x2b00, 0x2bff},
	{0x2e80, 0x303e},   {0x3041, 0xa4cf},	{0xa960, 0xa97f},   {0xac00, 0xd7a3},
	{0xf900, 0xfaff},   {0xfe10, 0xfe6f},	{0xff00, 0xff60},   {0xffe0, 0xffe6},
	{0x16fe0, 0x18dff}, {0x1aff0, 0x1b2ff}, {0x1d300, 0x1d37f}, {0x1f000, 0x1faff},
	{0x20000, 0x3fffd},
};

static bool in_ranges(uint32_t code, const struct range *ranges, size_t n)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (code > ranges[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && code >= ranges[low].first;
}

/* Bytes of the sequence that @lead begins, and the range of its second byte; 0: none begins. */
static size_t sequence_length(unsigned char lead, unsigned char *second_min,
			      unsigned char *second_max)
{
	*second_min = 0x80;
	*second_max = 0xbf;
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2)
		return 0; /* continuation byte, or overlong */
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0) {
		if (lead == 0xe0)
			*second_min = 0xa0; /* overlong below */
		if (lead == 0xed)
			*second_max = 0x9f; /* surrogates above */
		return 3;
	}
	if (lead > 0xf4)
		return 0;
	if (lead == 0xf0)
		*second_min = 0x90; /* overlong below */
	if (lead == 0xf4)
		*second_max = 0x8f; /* beyond U+10FFFF above */
	return 4;
}

size_t utf8__decode(const char *text, uint32_t *ret_code)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned char min, max;
	size_t length = sequence_length(p[0], &min, &max);
	uint32_t code = length < 2 ? p[0] : p[0] & (0x7fU >> length);

	*ret_code = 0;
	if (length == 0)
		return 1;
	for (size_t i = 1; i < length; i++) {
		if (p[i] < min || p[i] > max)
			return i; /* NUL ends here too */
		code = code << 6 | (p[i] & 0x3fU);
		min = 0x80;
		max = 0xbf;
	}
	*ret_code = code;
	return length;
}

bool utf8__valid(const char *text)
{
	uint32_t code;

	while (*text) {
		text += utf8__decode(text, &code);
		if (code == 0)
			return false;
	}
	return true;
}

char *utf8__repair(const char *text)
{
	/* The worst case is one bad byte that becomes the three of U+FFFD. */
	size_t length = strlen(text), used = 0;
	char *copy;

	if (length > (SIZE_MAX - 1) / 3)
		return NULL;
	copy = malloc(length * 3 + 1);
	if (!copy)
		return NULL;
	while (*text) {
		uint32_t code;
		size_t taken = utf8__decode(text, &code);
		size_t put = code ? taken : strlen(UTF8_REPLACEMENT_STR);

		memcpy(copy + used, code ? text : UTF8_REPLACEMENT_STR, put);
		used += put;
		text += taken;
	}
	copy[used] = '\0';
	return copy;
}

bool utf8__printable(uint32_t code)
{
	return !in_ranges(code, unprintable, ARRAY_SIZE(unprintable)) && (code & 0xfffe) != 0xfffe;
}

unsigned int utf8__columns(uint32_t code)
{
	return in_ranges(code, wide, ARRAY_SIZE(wide)) && utf8__printable(code) ? 2 : 1;
}

size_t utf8__width(const char *text)
{
	size_t width = 0;
	uint32_t code;

	while (*text) {
		text += utf8__decode(text, &code);
		width += utf8__columns(code);
	}
	return width;
}

size_t utf8__prefix(const char *text, size_t columns)
{
	size_t offset = 0;

	while (text[offset]) {
		uint32_t code;
		size_t taken = utf8__decode(text + offset, &code);
		unsigned int width = utf8__columns(code);

		if (width > columns)
			break;
		columns -= width;
		offset += taken;
	}
	return offset;
}

size_t utf8__suffix(const char *text, size_t columns)
{
	size_t width = utf8__width(text), offset = 0;

	while (width > columns) {
		uint32_t code;

		offset += utf8__decode(text + offset, &code);
		width -= utf8__columns(code);
	}
	return offset;
}
