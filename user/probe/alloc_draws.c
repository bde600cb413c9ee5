// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_draws.h"

#include <math.h>

void alloc_draws__table(uint32_t table[GL_ALLOC_GAPS + 1])
{
	for (int i = 0; i < GL_ALLOC_GAPS; i++)
		table[i] = (uint32_t)lround(-log1p(-(double)i / GL_ALLOC_GAPS) * GL_ALLOC_GAP_UNIT);
	/* The last part has no end: gaps in it are longer by 1 than where it begins, on average. */
	table[GL_ALLOC_GAPS] = table[GL_ALLOC_GAPS - 1] + 2 * GL_ALLOC_GAP_UNIT;
}

uint64_t alloc_draws__gap(uint64_t hits, uint64_t amount, bool busy)
{
	unsigned int one_in = busy ? GL_ALLOC_ONE_IN : ALLOC_DRAWS_CALM;
	double gap = hits ? (double)amount / (double)hits * one_in : 0;

	return (uint64_t)fmin(gap, (double)GL_ALLOC_MAX_GAP);
}

int64_t alloc_draws__first(uint64_t gap, uint64_t random)
{
	/* 53 bits of it: more than 0, and less than 1. */
	double part = ((double)(random >> 11) + 0.5) * 0x1p-53;

	return (int64_t)(-log(part) * (double)gap);
}

double alloc_draws__weight(uint64_t size, uint64_t gap)
{
	return gap ? -1 / expm1(-((double)size + GL_ALLOC_OBJECT) / (double)gap) : 1;
}
