// SPDX-License-Identifier: Apache-2.0
#include "track/ages.h"

/* Number of the highest set bit plus one; 0 for 0. */
static unsigned int bit_length(uint64_t value)
{
	return value ? 64 - (unsigned int)__builtin_clzll(value) : 0;
}

static size_t bin_of(uint64_t age_ns)
{
	uint64_t units = age_ns >> AGE_UNIT_SHIFT;
	unsigned int length = bit_length(units);

	if (length <= 3)
		return units;
	if (length > AGE_OCTAVES)
		return AGE_BINS - 1;
	return (size_t)AGE_STEPS * (length - 3) + ((units >> (length - 4)) & (AGE_STEPS - 1));
}

/* Least age that falls into @bin; the end of the last one for AGE_BINS. */
static uint64_t bin_start_ns(size_t bin)
{
	size_t octave = bin / AGE_STEPS, step = bin % AGE_STEPS;

	if (octave == 0)
		return (uint64_t)step << AGE_UNIT_SHIFT;
	return (uint64_t)(AGE_STEPS + step) << (octave - 1) << AGE_UNIT_SHIFT;
}

void ages__add(struct ages *ages, uint64_t age_ns)
{
	ages->bins[bin_of(age_ns)]++;
}

double ages__between(const struct ages *ages, uint64_t from_ns, uint64_t to_ns)
{
	double sum = 0;

	for (size_t bin = bin_of(from_ns); bin < AGE_BINS; bin++) {
		uint64_t start = bin_start_ns(bin), end = bin_start_ns(bin + 1);
		uint64_t low = max_of(start, from_ns), high = min_of(end, to_ns);

		if (start >= to_ns)
			break;
		if (ages->bins[bin] && high > low)
			sum += ages->bins[bin] * ((double)(high - low) / (double)(end - start));
	}
	return sum;
}

uint64_t ages__widest_gap_ns(const struct ages *ages, uint64_t until_ns)
{
	uint64_t widest = 0, begin = 0;

	for (size_t bin = 0; bin < AGE_BINS && bin_start_ns(bin) < until_ns; bin++) {
		if (!ages->bins[bin])
			continue;
		widest = max_of(widest, min_of(bin_start_ns(bin + 1), until_ns) - begin);
		begin = bin_start_ns(bin);
	}
	return max_of(widest, until_ns - begin);
}

uint64_t ages__youngest_ns(const struct ages *ages)
{
	for (size_t bin = 0; bin < AGE_BINS; bin++)
		if (ages->bins[bin])
			return bin_start_ns(bin);
	return UINT64_MAX;
}

static size_t bucket_of(uint64_t age_ns)
{
	return min_of(bit_length(age_ns >> AGE_UNIT_SHIFT), LEAVER_BUCKETS - 1u);
}

void leavers__add(struct leavers *leavers, uint64_t lasted_ns)
{
	uint32_t *bucket = &leavers->buckets[bucket_of(lasted_ns)];

	*bucket += *bucket < UINT32_MAX;
}

uint64_t leavers__since(const struct leavers *leavers, uint64_t age_ns)
{
	uint64_t sum = 0;

	for (size_t i = bucket_of(age_ns); i < LEAVER_BUCKETS; i++)
		sum += leavers->buckets[i];
	return sum;
}

uint64_t leavers__longest_ns(const struct leavers *leavers)
{
	for (size_t i = LEAVER_BUCKETS; i-- > 0;)
		if (leavers->buckets[i])
			return 1ULL << (AGE_UNIT_SHIFT + i);
	return 0;
}

void leavers__fade(struct leavers *leavers)
{
	for (size_t i = 0; i < LEAVER_BUCKETS; i++)
		leavers->buckets[i] /= 2;
}
