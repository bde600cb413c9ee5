// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_weights.h"

#include <math.h>

#define TINY_MAX     16u  /* maxTinySize: objects of less, without pointers */
#define HEADER_OVER  512u /* minSizeForMallocHeader on 64 bits */
#define HEADER_BYTES 8u	  /* MallocHeaderSize */
#define FIRST_HEADER 22	  /* Go 1.22 */
#define SMALL_MAX    32768u
#define PAGE_BYTES   8192u
#define MAX_PART     0.98 /* of a window that a goroutine may have spent in hits */

/* A class, while a period is settled. */
struct sums {
	double hits;	     /* in blocks; large objects in bytes */
	double saturated;    /* the same by u / (1 - u) of each */
	double scale, extra; /* a hit weighs scale * (1 + extra * u / (1 - u)) */
};

static uint64_t tiny_part(uint64_t size)
{
	uint64_t align = size & 7 ? (size & 3 ? (size & 1 ? 1 : 2) : 4) : 8;
	uint64_t room = (size + align - 1) / align * align;

	return TINY_MAX / (TINY_MAX / room);
}

struct alloc_block alloc_block__of(uint64_t size, bool has_pointers, int minor,
				   uint32_t (*class_size)(uint8_t))
{
	bool header = minor >= FIRST_HEADER && has_pointers && size > HEADER_OVER;
	uint64_t whole = size + (header ? HEADER_BYTES : 0);
	uint8_t c = 1;

	/* From Go 1.22 on all objects beyond this with room for a header are large. */
	if (whole > SMALL_MAX - (minor >= FIRST_HEADER && !header ? HEADER_BYTES : 0))
		return (struct alloc_block){
			.bytes = (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES,
		};
	if (!has_pointers && size < TINY_MAX)
		return (struct alloc_block){
			.size_class = 2, .tiny = true, .bytes = tiny_part(size)};
	while (class_size(c) && class_size(c) < whole)
		c++;
	return (struct alloc_block){.size_class = c, .bytes = class_size(c)};
}

/* --- a period ----------------------------------------------------------------------------------- */

/* A process that spent more than this of its CPU time in hits did hardly anything else. */
#define BUSY_PART 0.4
#define MOST_PART 0.97

/*
 * How the window is to be seen: a goroutine that always wants to run did so in a part of it, as goroutines as
 * busy as the busiest one share the processor time of the process. And where hits are nearly all that it did,
 * that tells what one takes.
 */
static void see_window(const struct alloc_flow_goroutine *goroutines, size_t n,
		       struct alloc_period *period)
{
	double most = 0, all = 0, cpu_ns = (double)period->cpu_ns;

	for (size_t i = 0; i < n; i++) {
		most = fmax(most, (double)goroutines[i].window_hits);
		all += (double)goroutines[i].window_hits;
	}
	if (cpu_ns <= 0 || all <= 0)
		return;
	if (all * period->ns_per_hit > BUSY_PART * cpu_ns)
		period->ns_per_hit = MOST_PART * cpu_ns / all;
	period->window_ns = (uint64_t)fmin((double)period->window_ns, cpu_ns * most / all);
}

/* u / (1 - u) of one goroutine. */
static double saturation(const struct alloc_flow_goroutine *goroutine,
			 const struct alloc_period *period)
{
	double part = period->window_ns ? (double)goroutine->window_hits * period->ns_per_hit /
						  (double)period->window_ns :
					  0;

	part = fmin(part, MAX_PART);
	return part / (1 - part);
}

/* In the unit in which the class is counted: blocks, bytes of large objects. */
static double units_of(const struct alloc_flow_entry *entry)
{
	double bytes = (double)entry->bytes;

	if (!entry->size_class)
		return bytes;
	return entry->tiny ? bytes / TINY_MAX : 1;
}

static double counted_of(const struct alloc_counts *counted, size_t size_class)
{
	return size_class ? (double)counted->objects[size_class] : (double)counted->large_bytes;
}

static void add_up(struct alloc_flow_entry *entries, size_t n,
		   const struct alloc_flow_goroutine *goroutines, const struct alloc_period *period,
		   struct sums sums[ALLOC_CLASSES])
{
	for (size_t i = 0; i < n; i++) {
		const struct alloc_flow_entry *entry = &entries[i];
		double hits = (double)entry->window_hits * units_of(entry);
		struct sums *sum = &sums[entry->size_class % ALLOC_CLASSES];

		if (!entry->window_hits)
			continue;
		sum->hits += hits;
		sum->saturated += hits * saturation(&goroutines[entry->goroutine], period);
	}
}

static void choose_weights(struct sums *sum, double counted, double time_scale)
{
	double missing = counted - time_scale * sum->hits;

	/* Less than was seen: the window was busier than the rest. */
	if (missing <= 0 || sum->saturated <= 0) {
		sum->scale = counted > 0 ? counted / sum->hits : time_scale;
		sum->extra = 0;
		return;
	}
	sum->scale = time_scale;
	sum->extra = missing / (time_scale * sum->saturated);
}

/*
 * Hits of a class that the runtime has not counted any of yet: it counts whole spans of small objects,
 * and what is in use now later.
 */
static void weigh_classes(struct alloc_weights *weights, const struct alloc_period *period,
			  struct sums sums[ALLOC_CLASSES])
{
	double time_scale =
		period->window_ns ? (double)period->period_ns / (double)period->window_ns : 1;

	for (size_t c = 0; c < ALLOC_CLASSES; c++) {
		struct alloc_counts *carried = &weights->carried;
		uint64_t *rest = c ? &carried->objects[c] : &carried->large_bytes;
		double counted;

		if (period->counted)
			*rest += c ? period->counted->objects[c] : period->counted->large_bytes;
		counted = counted_of(carried, c);
		if (!sums[c].hits)
			continue;
		choose_weights(&sums[c], period->counted ? counted : 0, time_scale);
		*rest = 0;
	}
}

static void add_weights(struct alloc_weights *weights, struct alloc_flow_entry *entries, size_t n,
			const struct alloc_flow_goroutine *goroutines,
			const struct alloc_period *period, const struct sums sums[ALLOC_CLASSES])
{
	for (size_t i = 0; i < n; i++) {
		struct alloc_flow_entry *entry = &entries[i];
		const struct sums *sum = &sums[entry->size_class % ALLOC_CLASSES];
		double hits = (double)entry->window_hits, weight;

		if (!entry->window_hits)
			continue;
		weight = period->complete ?
				 1 :
				 sum->scale *
					 (1 + sum->extra * saturation(&goroutines[entry->goroutine],
								      period));
		entry->objects += hits * weight;
		weights->settled[entry->size_class % ALLOC_CLASSES] +=
			hits * weight * units_of(entry);
		/* Of n hits of chance the error is the root of n; of all that there were, none. */
		if (!period->complete) {
			entry->variance += hits * weight * weight;
			entry->squares += hits * weight * hits * weight;
		}
		entry->window_hits = 0;
	}
}

void alloc_weights__settle(struct alloc_weights *weights, struct alloc_flow *flow,
			   const struct alloc_period *period)
{
	struct alloc_period weighing = *period;
	struct sums sums[ALLOC_CLASSES] = {0};
	struct alloc_flow_goroutine *goroutines;
	struct alloc_flow_entry *entries;
	size_t n, n_goroutines;

	entries = alloc_flow__entries(flow, &n);
	goroutines = alloc_flow__goroutines(flow, &n_goroutines);
	if (!period->complete) {
		weights->periods++;
		see_window(goroutines, n_goroutines, &weighing);
		add_up(entries, n, goroutines, &weighing, sums);
		weigh_classes(weights, period, sums);
	}
	add_weights(weights, entries, n, goroutines, &weighing, sums);
	for (size_t i = 0; i < n_goroutines; i++)
		goroutines[i].window_hits = 0;
}

void alloc_weights__extend(struct alloc_weights *weights, struct alloc_flow *flow,
			   const struct alloc_counts *counted)
{
	struct alloc_flow_entry *entries;
	double factors[ALLOC_CLASSES];
	size_t n;

	for (size_t c = 0; c < ALLOC_CLASSES; c++) {
		double more = counted_of(counted, c);

		factors[c] = weights->settled[c] > 0 ? 1 + more / weights->settled[c] : 1;
		weights->settled[c] *= factors[c];
		if (weights->settled[c] > 0)
			continue;
		weights->carried.objects[c] += counted->objects[c];
		weights->carried.large_bytes += c ? 0 : counted->large_bytes;
	}
	entries = alloc_flow__entries(flow, &n);
	for (size_t i = 0; i < n; i++) {
		double factor = factors[entries[i].size_class % ALLOC_CLASSES];

		entries[i].objects *= factor;
		entries[i].squares *= factor * factor;
		entries[i].variance *= factor * factor;
	}
}

double alloc_weights__variance(const struct alloc_weights *weights,
			       const struct alloc_flow_entry *entry)
{
	double n = (double)weights->periods, mean_square = entry->objects * entry->objects / n;

	if (!weights->periods || entry->squares <= 0)
		return 0;
	if (weights->periods == 1)
		return entry->squares;
	return fmax(entry->variance, n / (n - 1) * fmax(entry->squares - mean_square, 0));
}
