// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_weights.h"

#include <math.h>

#define TINY_MAX 16u  /* maxTinySize: objects of less, without pointers */
#define MAX_PART 0.98 /* of a window that a goroutine may have spent in hits */

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
	bool shared;		 /* with what was counted in others */
	bool fast;		 /* of somebody who does little else than allocate */
};

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
double alloc_entry__units(const struct alloc_flow_entry *entry)
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
		sums_of(sums, &entries[i])->hits +=
			entries[i].window_hits * alloc_entry__units(&entries[i]);
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
							      alloc_entry__units(&entries[i]) *
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

/* As much of its windows in hits as elsewhere: there the count of each period has to tell what it was slowed by. */
#define BUSY_DOUBT doubt(1)

static bool is_busy(const struct alloc_weights *weights, size_t c, const struct sums *sum)
{
	return fmax(sum->doubt, weights->lately_doubt[c]) >= BUSY_DOUBT;
}

/*
 * Where nobody is slowed much, windows are samples of the time, and all of them together share all that was counted. If
 * each shared what was counted of its own period, those that have little of the class would count as much as those that
 * have a lot: of who allocates in bursts that are shorter than a period, too little would be told. @lacks: as
 * weigh_class().
 */
static void share_class(struct alloc_weights *weights, size_t c, struct sums *sum, bool lacks)
{
	uint64_t *carried = c ? &weights->carried.objects[c] : &weights->carried.large_bytes;
	uint64_t counted = *carried;

	choose_factor(sum, 0);
	if (lacks)
		counted = min_of(counted, (uint64_t)sum->all);
	weights->shared_counted[c] += (double)counted;
	*carried -= counted;
	sum->shared = true;
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
		if (period->counted && !is_busy(weights, c, &sums[c])) {
			share_class(weights, c, &sums[c], waited || lacks);
			continue;
		}
		left = weigh_class(&sums[c], period->counted ? counted_of(carried, c) : 0,
				   waited || lacks);
		*(c ? &carried->objects[c] : &carried->large_bytes) = (uint64_t)left;
	}
}

/* Three quarters of a window in hits. */
#define SATURATED 3

bool alloc_weights__has_saturated(const struct alloc_weights *weights, size_t c)
{
	return weights->lately_doubt[c] >= doubt(SATURATED);
}

/* Who does that; of a window in which the process had no processor nothing follows. */
static void note_fast(struct alloc_weights *weights, const struct alloc_flow_goroutine *goroutines,
		      size_t n, const struct alloc_period *period, const struct window *window)
{
	if (has_waited(period))
		return;
	alloc_pace__begin(&weights->pace);
	for (size_t i = 0; i < n; i++) {
		if (goroutines[i].window_hits > 0 &&
		    saturation(&goroutines[i], window) >= SATURATED)
			alloc_pace__saturated(&weights->pace, goroutines[i].goid);
	}
}

/* Of which group the period is that has just been counted. */
static size_t group_of(const struct alloc_weights *weights)
{
	return (weights->periods + weights->whole_periods) % ALLOC_WINDOW_GROUPS;
}

static void note_group(struct alloc_weights *weights, struct alloc_flow_entry *entry,
		       double objects)
{
	size_t group = group_of(weights);

	entry->of_group[group] += (float)objects;
	weights->of_group[entry->size_class % ALLOC_CLASSES][group] +=
		objects * alloc_entry__units(entry);
}

/* Of hits that were drawn the error is chance; of all that there were, none. */
static void add_complete(struct alloc_weights *weights, struct alloc_flow_entry *entry)
{
	size_t c = entry->size_class % ALLOC_CLASSES;
	double units = entry->window_hits * alloc_entry__units(entry);

	entry->told += entry->window_hits;
	weights->settled[c] += units;
	weights->whole[c] += units;
	entry->variance += entry->window_squares - entry->window_hits;
	note_group(weights, entry, entry->window_hits);
}

static bool is_fast(const struct alloc_weights *weights,
		    const struct alloc_flow_goroutine *goroutines,
		    const struct alloc_flow_entry *entry)
{
	return alloc_pace__is_fast(&weights->pace, goroutines[entry->goroutine].goid);
}

static void add_paced(struct alloc_weights *weights, struct alloc_flow_entry *entry, double objects,
		      bool fast)
{
	size_t c = entry->size_class % ALLOC_CLASSES;
	double units = objects * alloc_entry__units(entry);

	entry->paced[fast] += objects;
	weights->paced[c][fast] += units;
	weights->paced_of_group[c][fast][group_of(weights)] += units;
}

static void add_weighted(struct alloc_weights *weights, struct alloc_flow_entry *entry,
			 const struct sums *sum, double weight, bool fast)
{
	size_t c = entry->size_class % ALLOC_CLASSES;
	double objects = entry->window_hits * weight;

	*(sum->shared ? &entry->shared : &entry->told) += objects;
	*(sum->shared ? &weights->shared[c] : &weights->settled[c]) +=
		objects * alloc_entry__units(entry);
	entry->variance += entry->window_squares * weight * weight;
	note_group(weights, entry, objects);
	if (!sum->shared && (sum->fast || alloc_weights__has_saturated(weights, c)))
		add_paced(weights, entry, objects, fast);
}

static void add_entries(struct alloc_weights *weights, struct alloc_flow_entry *entries, size_t n,
			const struct alloc_flow_goroutine *goroutines, const struct window *window,
			struct sums sums[ALLOC_CLASSES])
{
	for (size_t i = 0; i < n && window; i++)
		sums_of(sums, &entries[i])->fast |=
			entries[i].window_hits > 0 && is_fast(weights, goroutines, &entries[i]);
	for (size_t i = 0; i < n; i++) {
		struct alloc_flow_entry *entry = &entries[i];
		const struct sums *sum = sums_of(sums, entry);
		double much;

		if (entry->window_hits <= 0)
			continue;
		if (window) {
			much = saturation(&goroutines[entry->goroutine], window);
			add_weighted(weights, entry, sum, weight_of(sum, much, window),
				     is_fast(weights, goroutines, entry));
		} else {
			add_complete(weights, entry);
		}
		entry->window_hits = entry->window_squares = 0;
	}
}

/* --- in all ------------------------------------------------------------------------------------- */

/* How many there are of those that periods share. */
static double shared_factor(const struct alloc_weights *weights, size_t c)
{
	return weights->shared[c] > 0 ? weights->shared_counted[c] / weights->shared[c] : 1;
}

static double extended_factor(const struct alloc_weights *weights, size_t c)
{
	double all = weights->settled[c] + weights->shared_counted[c];

	return all > 0 ? 1 + weights->extended[c] / all : 1;
}

double alloc_weights__seen(const struct alloc_weights *weights, size_t c)
{
	return weights->settled[c] + weights->shared[c];
}

double alloc_weights__factor(const struct alloc_weights *weights, size_t c)
{
	double all = weights->settled[c] + weights->shared_counted[c] + weights->extended[c];
	double seen = alloc_weights__seen(weights, c);

	return seen > 0 ? all / seen : 1;
}

bool alloc_weights__wants_pace(const struct alloc_weights *weights, size_t c)
{
	return alloc_weights__has_saturated(weights, c) && weights->paced[c][0] > 0 &&
	       weights->paced[c][1] > 0;
}

/* Where refills say something else altogether, something else is the matter. */
#define MAX_PACE 2

bool alloc_weights__paced(const struct alloc_weights *weights, size_t c,
			  struct alloc_paced *ret_paced)
{
	double others = weights->paced[c][0], fast = weights->paced[c][1], part, error, wanted;

	if (others <= 0 || fast <= 0 || !alloc_pace__part(&weights->pace, c, &part, &error) ||
	    part >= 1)
		return false;
	wanted = part * (others + fast);
	if (wanted > MAX_PACE * others || wanted * MAX_PACE < others)
		return false;
	*ret_paced = (struct alloc_paced){
		.times = {wanted / others, (others + fast - wanted) / fast},
		.error = {error, error * part / (1 - part)},
	};
	return true;
}

static void tell_objects(const struct alloc_weights *weights, struct alloc_flow *flow)
{
	size_t n;
	struct alloc_flow_entry *entries = alloc_flow__entries(flow, &n);
	struct alloc_paced paced[ALLOC_CLASSES];

	for (size_t c = 0; c < ALLOC_CLASSES; c++) {
		if (!alloc_weights__paced(weights, c, &paced[c]))
			paced[c] = (struct alloc_paced){.times = {1, 1}};
	}
	for (size_t i = 0; i < n; i++) {
		struct alloc_flow_entry *entry = &entries[i];
		size_t c = entry->size_class % ALLOC_CLASSES;
		double objects = entry->told + entry->shared * shared_factor(weights, c);

		for (size_t k = 0; k < ARRAY_SIZE(paced[c].times); k++)
			objects += (paced[c].times[k] - 1) * entry->paced[k];
		entry->objects = objects * extended_factor(weights, c);
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
	} else {
		weights->periods++;
		if (period->counted)
			carry(weights, period->counted);
		see_window(weights, goroutines, n_goroutines, period,
			   all_allocations(weights, sums, entries, n), &window);
		add_up(entries, n, goroutines, &window, sums);
		weigh_classes(weights, period, sums);
		note_fast(weights, goroutines, n_goroutines, period, &window);
	}
	add_entries(weights, entries, n, goroutines, period->complete ? NULL : &window, sums);
	tell_objects(weights, flow);
	for (size_t i = 0; i < n_goroutines; i++)
		goroutines[i].window_hits = 0;
}

bool alloc_weights__is_busy(const struct alloc_weights *weights)
{
	for (size_t c = 0; c < ALLOC_CLASSES; c++) {
		if (weights->lately_doubt[c] >= BUSY_DOUBT)
			return true;
	}
	return false;
}

void alloc_weights__extend(struct alloc_weights *weights, struct alloc_flow *flow,
			   const struct alloc_counts *counted)
{
	carry(weights, counted);
	for (size_t c = 0; c < ALLOC_CLASSES; c++) {
		struct alloc_counts *carried = &weights->carried;

		if (alloc_weights__seen(weights, c) <= 0)
			continue;
		weights->extended[c] += counted_of(carried, c);
		*(c ? &carried->objects[c] : &carried->large_bytes) = 0;
	}
	tell_objects(weights, flow);
}

uint64_t alloc_weights__unseen(const struct alloc_weights *weights, uint32_t (*class_size)(uint8_t))
{
	uint64_t bytes = weights->carried.large_bytes;

	for (unsigned int c = 1; c < ALLOC_CLASSES; c++)
		bytes += weights->carried.objects[c] * class_size((uint8_t)c);
	return bytes;
}
