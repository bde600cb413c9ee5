// SPDX-License-Identifier: Apache-2.0
#include "cli/edit_distance.h"

#include <string.h>

#define MAX_LENGTH 32

size_t edit_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	size_t row[MAX_LENGTH + 1];

	if (a_len > MAX_LENGTH || b_len > MAX_LENGTH)
		return EDIT_DISTANCE_FAR;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
			size_t shorter = min_of(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = min_of(replaced, shorter);
		}
	}
	return row[b_len];
}
