// SPDX-License-Identifier: Apache-2.0
#include "track/histograms.h"

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

void age_histogram__add(struct age_histogram *ages, uint64_t age_ns)
{
	ages->bins[bin_of(age_ns)]++;
}

double age_histogram__between(const struct age_histogram *ages, uint64_t from_ns, uint64_t to_ns)
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

uint64_t age_histogram__widest_gap_ns(const struct age_histogram *ages, uint64_t until_ns)
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

uint64_t age_histogram__youngest_ns(const struct age_histogram *ages)
{
	for (size_t bin = 0; bin < AGE_BINS; bin++)
		if (ages->bins[bin])
			return bin_start_ns(bin);
	return UINT64_MAX;
}

static size_t length_bin_of(uint64_t length_ns)
{
	return min_of(bit_length(length_ns >> AGE_UNIT_SHIFT), LENGTH_BINS - 1u);
}

void length_histogram__add(struct length_histogram *lengths, uint64_t length_ns)
{
	uint32_t *bin = &lengths->bins[length_bin_of(length_ns)];

	*bin += *bin < UINT32_MAX;
}

void length_histogram__add_all(struct length_histogram *lengths,
			       const struct length_histogram *others)
{
	for (size_t i = 0; i < LENGTH_BINS; i++)
		lengths->bins[i] += min_of(others->bins[i], UINT32_MAX - lengths->bins[i]);
}

uint64_t length_histogram__at_least(const struct length_histogram *lengths, uint64_t length_ns)
{
	uint64_t sum = 0;

	for (size_t i = length_bin_of(length_ns); i < LENGTH_BINS; i++)
		sum += lengths->bins[i];
	return sum;
}

uint64_t length_histogram__longest_ns(const struct length_histogram *lengths)
{
	for (size_t i = LENGTH_BINS; i-- > 0;)
		if (lengths->bins[i])
			return 1ULL << (AGE_UNIT_SHIFT + i);
	return 0;
}

void length_histogram__halve(struct length_histogram *lengths)
{
	for (size_t i = 0; i < LENGTH_BINS; i++)
		lengths->bins[i] /= 2;
}
