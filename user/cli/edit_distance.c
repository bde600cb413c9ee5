// SPDX-License-Identifier: Apache-2.0
#include "cli/edit_distance.h"

#include <string.h>

#define MAX_LENGTH 32

size_t edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	size_t rows[3][MAX_LENGTH + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	if (a_len > MAX_LENGTH || b_len > MAX_LENGTH)
		return EDIT_DISTANCE_FAR;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
			size_t shorter = min_of(above[j], row[j - 1]) + 1;

			row[j] = min_of(replaced, shorter);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min_of(row[j], before[j - 2] + 1);
		}
	}
	return row[b_len];
}
