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

/*
 * How far off a weight may be, as a part of it: what there was in the windows by chance, and what a hit takes.
 */
#define CHANCE	    0.1
#define UNSURE_COST 0.3

/* Of all that a class has, by how much of the difference from the count each has to bear. */
#define SHARES 32

struct sums {
	double hits;		 /* in blocks; large objects in bytes */
	double doubt;		 /* the most of one of its goroutines */
	double by_share[SHARES]; /* what hits stand for before the count is looked at */
	double factor;		 /* of one that bears all of the difference */
	double rest;		 /* of all, where that is out of bounds */
	double all;		 /* there was in the period */
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

/* A process that spent more than this of its CPU time in hits: what one takes can be told from it. */
#define BUSY_PART 0.4
#define BOUND	  3 /* times what it should be, at most, and at least */

/* What is known of the window as a whole. */
struct window {
	double ns, scale;
	double most_hits, most_ns; /* of the busiest goroutine, and how long it could run */
	double ns_per_hit;
};

/*
 * The CPU time of the process per allocation is what it is without probes, and in the window what a hit takes
 * more. Both are known however long the process waits for processors. @n: allocations of the whole period.
 */
static double cost_of_hit(const struct alloc_period *period, double hits, double n)
{
	double in = (double)period->cpu_ns, all = (double)period->all_cpu_ns, cost;

	if (hits * period->ns_per_hit < BUSY_PART * in || all <= in || n <= hits)
		return period->ns_per_hit;
	cost = in / hits - (all - in) / (n - hits);
	return fmin(fmax(cost, period->ns_per_hit / BOUND), period->ns_per_hit * BOUND);
}

/* What was seen before counts so much less with each window. */
#define FORGET 0.9

/* Where a process does more than allocate, what a hit takes is not seen. */
static void learn_cost(struct alloc_weights *weights, const struct alloc_period *period,
		       double hits, double ns_per_hit)
{
	if (hits * period->ns_per_hit < BUSY_PART * (double)period->cpu_ns || !period->all_cpu_ns)
		return;
	weights->seen_ns = FORGET * weights->seen_ns + hits * ns_per_hit;
	weights->expected_ns = FORGET * weights->expected_ns + hits * period->ns_per_hit;
}

double alloc_weights__dearer(const struct alloc_weights *weights)
{
	return weights->expected_ns > 0 ? fmax(weights->seen_ns / weights->expected_ns, 1) : 1;
}

/* Its windows had less than this part of the processor time that there was on average. */
#define WAITED_PART 0.5

/* Who allocates most was not there: what is counted is not of those who were. */
static bool has_waited(const struct alloc_period *period)
{
	double in = (double)period->cpu_ns * (double)period->period_ns;
	double all = (double)period->all_cpu_ns * (double)period->window_ns;

	return period->window_ns < period->period_ns && in < WAITED_PART * all;
}

/* The busiest goroutine ran for the part of the CPU time that it has of the hits, if that is all it did. */
static void see_window(struct alloc_weights *weights, const struct alloc_flow_goroutine *goroutines,
		       size_t n_goroutines, const struct alloc_period *period, double n,
		       struct window *window)
{
	double most = 0, all = 0, cpu_ns = (double)period->cpu_ns;

	for (size_t i = 0; i < n_goroutines; i++) {
		most = fmax(most, goroutines[i].window_hits);
		all += goroutines[i].window_hits;
	}
	*window = (struct window){
		.ns = (double)period->window_ns,
		.scale = period->window_ns ? (double)period->period_ns / (double)period->window_ns :
					     1,
		.most_hits = most,
		.most_ns = (double)period->window_ns,
		.ns_per_hit = all > 0 ? cost_of_hit(period, all, n) : period->ns_per_hit,
	};
	learn_cost(weights, period, all, window->ns_per_hit);
	if (cpu_ns > 0 && all > 0 && !has_waited(period))
		window->most_ns = fmin(window->ns, cpu_ns * most / all);
}

/* u / (1 - u) of one goroutine; the busier it was, the more it had to wait for processors. */
static double saturation(const struct alloc_flow_goroutine *goroutine, const struct window *window)
{
	double hits = goroutine->window_hits;
	double busy = window->most_hits > 0 ? hits / window->most_hits : 0;
	double ns = busy * window->most_ns + (1 - busy) * window->ns;
	double part = ns > 0 ? fmin(hits * window->ns_per_hit / ns, MAX_PART) : 0;

	return part / (1 - part);
}

/* The square of how far off the weight of its hits may be. */
static double doubt(double saturation)
{
	return CHANCE * CHANCE + UNSURE_COST * saturation * UNSURE_COST * saturation;
}

static size_t share_of(const struct sums *sum, double saturation)
{
	return (size_t)lround(doubt(saturation) / sum->doubt * (SHARES - 1));
}

static double weight_of(const struct sums *sum, double saturation, const struct window *window)
{
	double share = (double)share_of(sum, saturation) / (SHARES - 1);

	return sum->rest * window->scale * (1 + saturation) * pow(sum->factor, share);
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

static struct sums *sums_of(struct sums sums[ALLOC_CLASSES], const struct alloc_flow_entry *entry)
{
	return &sums[entry->size_class % ALLOC_CLASSES];
}

static void add_hits(const struct alloc_flow_entry *entries, size_t n,
		     struct sums sums[ALLOC_CLASSES])
{
	for (size_t i = 0; i < n; i++)
		sums_of(sums, &entries[i])->hits += entries[i].window_hits * units_of(&entries[i]);
}

static void add_up(const struct alloc_flow_entry *entries, size_t n,
		   const struct alloc_flow_goroutine *goroutines, const struct window *window,
		   struct sums sums[ALLOC_CLASSES])
{
	for (size_t i = 0; i < n; i++) {
		struct sums *sum = sums_of(sums, &entries[i]);

		if (entries[i].window_hits > 0)
			sum->doubt =
				fmax(sum->doubt,
				     doubt(saturation(&goroutines[entries[i].goroutine], window)));
	}
	for (size_t i = 0; i < n; i++) {
		struct sums *sum = sums_of(sums, &entries[i]);
		double much = saturation(&goroutines[entries[i].goroutine], window);

		if (entries[i].window_hits > 0)
			sum->by_share[share_of(sum, much)] += entries[i].window_hits *
							      units_of(&entries[i]) *
							      window->scale * (1 + much);
	}
}

static double total(const struct sums *sum, double factor)
{
	double all = 0, step = pow(factor, 1.0 / (SHARES - 1)), power = 1;

	for (size_t i = 0; i < SHARES; i++) {
		all += sum->by_share[i] * power;
		power *= step;
	}
	return all;
}

/* The factor with which the class has what was counted of it: it grows with the factor. */
static void choose_factor(struct sums *sum, double counted)
{
	double low = -10, high = 10; /* its logarithm */

	sum->factor = sum->rest = 1;
	sum->all = total(sum, 1);
	if (counted <= 0)
		return;
	for (int i = 0; i < 40; i++) {
		double middle = (low + high) / 2;

		if (total(sum, exp(middle)) < counted)
			low = middle;
		else
			high = middle;
	}
	sum->factor = exp(low);
	sum->rest = counted / total(sum, sum->factor);
	sum->all = counted;
}

/*
 * Hits of a class that the runtime has not counted any of yet: it counts whole spans of small objects,
 * and what is in use now later.
 */
static void carry(struct alloc_weights *weights, const struct alloc_counts *counted)
{
	for (size_t c = 0; c < ALLOC_CLASSES; c++)
		weights->carried.objects[c] += counted->objects[c];
	weights->carried.large_bytes += counted->large_bytes;
}

/* Allocations of the period, as far as they were counted. */
static double all_allocations(const struct alloc_weights *weights,
			      const struct sums sums[ALLOC_CLASSES],
			      const struct alloc_flow_entry *entries, size_t n)
{
	double all = 0;

	for (size_t i = 0; i < n; i++) {
		size_t c = entries[i].size_class % ALLOC_CLASSES;

		if (sums[c].hits > 0)
			all += entries[i].window_hits * counted_of(&weights->carried, c) /
			       sums[c].hits;
	}
	return all;
}

/* What such windows have stands for the time; the rest of the count is for the next. Returns what is left. */
static double weigh_class(struct sums *sum, double counted, bool waited)
{
	choose_factor(sum, 0);
	if (waited && sum->all < counted)
		return counted - sum->all;
	choose_factor(sum, counted);
	return 0;
}

/* So many times as much is counted, by what was seen, as otherwise. */
#define LACKS 3

/* By the square of what it is of whoever does little else than allocate, on average. */
#define LACKS_DOUBT 64

/* After so many in a row the program does other things than before. */
#define LACKS_FOR 16

/*
 * A window is shorter than the kernel lets others run that wait for the same processor: who allocates most of the
 * class had none for most of it.
 */
static bool lacks_most(struct alloc_weights *weights, size_t c, double counted,
		       const struct sums *sum)
{
	double *lately_counted = &weights->lately_counted[c];
	double *lately_seen = &weights->lately_seen[c];
	double *lately_doubt = &weights->lately_doubt[c];
	double usual =
		*lately_seen > 0 && *lately_counted > 0 ? *lately_counted / *lately_seen : LACKS;
	double seen = total(sum, 1);
	bool lacks = counted > LACKS * usual * seen || sum->doubt * LACKS_DOUBT < *lately_doubt;

	weights->lacking[c] = lacks ? weights->lacking[c] + 1 : 0;
	/* What lacks is not what is usual, unless it is. */
	if (lacks && weights->lacking[c] <= LACKS_FOR)
		return true;
	*lately_counted = FORGET * *lately_counted + counted;
	*lately_seen = FORGET * *lately_seen + seen;
	*lately_doubt = FORGET * *lately_doubt + (1 - FORGET) * sum->doubt;
	return lacks;
}

static void weigh_classes(struct alloc_weights *weights, const struct alloc_period *period,
			  struct sums sums[ALLOC_CLASSES])
{
	bool waited = has_waited(period), lacks;

	for (size_t c = 0; c < ALLOC_CLASSES; c++) {
		struct alloc_counts *carried = &weights->carried;
		double left;

		lacks = period->counted &&
			lacks_most(weights, c, counted_of(period->counted, c), &sums[c]);
		if (sums[c].hits <= 0)
			continue;
		left = weigh_class(&sums[c], period->counted ? counted_of(carried, c) : 0,
				   waited || lacks);
		*(c ? &carried->objects[c] : &carried->large_bytes) = (uint64_t)left;
		weights->squares[c] += sums[c].all * sums[c].all;
	}
}

/* Of hits that were drawn the error is chance; of all that there were, none. */
static void add_complete(struct alloc_weights *weights, struct alloc_flow_entry *entry,
			 const struct sums *sum)
{
	entry->objects += entry->window_hits;
	entry->told += entry->window_hits;
	entry->whole_squares += entry->window_hits * entry->window_hits;
	entry->whole_products += entry->window_hits * sum->hits;
	weights->settled[entry->size_class % ALLOC_CLASSES] += entry->window_hits * units_of(entry);
	entry->variance += entry->window_squares - entry->window_hits;
}

static void add_weighted(struct alloc_weights *weights, struct alloc_flow_entry *entry,
			 const struct sums *sum, double weight)
{
	double objects = entry->window_hits * weight;

	entry->objects += objects;
	entry->told += objects;
	weights->settled[entry->size_class % ALLOC_CLASSES] += objects * units_of(entry);
	entry->variance += entry->window_squares * weight * weight;
	entry->squares += objects * objects;
	entry->products += objects * sum->all;
}

static void add_entries(struct alloc_weights *weights, struct alloc_flow_entry *entries, size_t n,
			const struct alloc_flow_goroutine *goroutines, const struct window *window,
			struct sums sums[ALLOC_CLASSES])
{
	for (size_t i = 0; i < n; i++) {
		struct alloc_flow_entry *entry = &entries[i];
		const struct sums *sum = sums_of(sums, entry);
		double much;

		if (entry->window_hits <= 0)
			continue;
		if (window) {
			much = saturation(&goroutines[entry->goroutine], window);
			add_weighted(weights, entry, sum, weight_of(sum, much, window));
		} else {
			add_complete(weights, entry, sum);
		}
		entry->window_hits = entry->window_squares = 0;
	}
}

void alloc_weights__settle(struct alloc_weights *weights, struct alloc_flow *flow,
			   const struct alloc_period *period)
{
	struct sums sums[ALLOC_CLASSES] = {0};
	struct alloc_flow_goroutine *goroutines;
	struct alloc_flow_entry *entries;
	struct window window;
	size_t n, n_goroutines;

	entries = alloc_flow__entries(flow, &n);
	goroutines = alloc_flow__goroutines(flow, &n_goroutines);
	add_hits(entries, n, sums);
	if (period->complete) {
		weights->whole_periods++;
		for (size_t c = 0; c < ALLOC_CLASSES; c++)
			weights->whole_squares[c] += sums[c].hits * sums[c].hits;
	} else {
		weights->periods++;
		if (period->counted)
			carry(weights, period->counted);
		see_window(weights, goroutines, n_goroutines, period,
			   all_allocations(weights, sums, entries, n), &window);
		add_up(entries, n, goroutines, &window, sums);
		weigh_classes(weights, period, sums);
	}
	add_entries(weights, entries, n, goroutines, period->complete ? NULL : &window, sums);
	for (size_t i = 0; i < n_goroutines; i++)
		goroutines[i].window_hits = 0;
}

/* How many times as much there is of what periods have told. */
static double factor_of(const struct alloc_weights *weights, size_t c)
{
	return weights->settled[c] > 0 ? 1 + weights->extended[c] / weights->settled[c] : 1;
}

void alloc_weights__extend(struct alloc_weights *weights, struct alloc_flow *flow,
			   const struct alloc_counts *counted)
{
	struct alloc_flow_entry *entries;
	size_t n;

	carry(weights, counted);
	for (size_t c = 0; c < ALLOC_CLASSES; c++) {
		struct alloc_counts *carried = &weights->carried;

		if (weights->settled[c] <= 0)
			continue;
		weights->extended[c] += counted_of(carried, c);
		*(c ? &carried->objects[c] : &carried->large_bytes) = 0;
	}
	entries = alloc_flow__entries(flow, &n);
	for (size_t i = 0; i < n; i++)
		entries[i].objects =
			entries[i].told * factor_of(weights, entries[i].size_class % ALLOC_CLASSES);
}

uint64_t alloc_weights__unseen(const struct alloc_weights *weights, uint32_t (*class_size)(uint8_t))
{
	uint64_t bytes = weights->carried.large_bytes;

	for (unsigned int c = 1; c < ALLOC_CLASSES; c++)
		bytes += weights->carried.objects[c] * class_size((uint8_t)c);
	return bytes;
}

/*
 * Beside one that does little else than allocate (three quarters of the window in hits), by how much others of the
 * class do more or less in windows than between them.
 */
#define DISTURBED	0.2
#define DISTURBED_DOUBT doubt(3)

/* Of @part of the class. */
static double disturbed(const struct alloc_weights *weights, const struct alloc_flow_entry *entry,
			double part)
{
	double off = DISTURBED * entry->objects * (1 - part);

	return weights->lately_doubt[entry->size_class % ALLOC_CLASSES] >= DISTURBED_DOUBT ?
		       off * off :
		       0;
}

double alloc_weights__variance(const struct alloc_weights *weights,
			       const struct alloc_flow_entry *entry)
{
	size_t c = entry->size_class % ALLOC_CLASSES;
	double factor = factor_of(weights, c), all = factor * factor;
	/* What was seen in full is sure, but not what it stands for beside that. */
	double more = (factor - 1) * (factor - 1), units = units_of(entry);
	double n = (double)(weights->periods + (more > 0 ? weights->whole_periods : 0));
	double squares = weights->squares[c] * all + weights->whole_squares[c] * more;
	double own = entry->squares * all + entry->whole_squares * more;
	double products = entry->products * all + entry->whole_products * more;
	double variance = entry->variance * all, part, differ;

	if (own <= 0 || squares <= 0)
		return variance;
	if (n < 2)
		return own;
	/* The straight line through zero that fits best, and how far from it they are. */
	part = fmin(products * units / squares, 1);
	differ = own - products * products / squares;
	return fmax(variance * (1 - part), n / (n - 1) * fmax(differ, 0)) +
	       disturbed(weights, entry, part);
}
