// SPDX-License-Identifier: Apache-2.0
#include "track/alloc_errors.h"

#include <math.h>

/*
 * Beside one that does little else than allocate, by how much others of the class do more or less in windows than
 * between them.
 */
#define DISTURBED 0.2

/*
 * Where nobody does, windows still are not quite like the rest of the time: the sites of servers are off by about that
 * much more than windows differ by (docs/eval.md).
 */
#define UNLIKE 0.02

/* Of what windows tell of an entry, beside who does little else than allocate. */
#define NEARLY_ALL_PACED 0.9

/* A group that has more than this of a class says what its parts are, and not how they differ. */
#define NEARLY_ALL 0.9

/*
 * The square of by how much what windows differ by is more for the time that they stand for. Of @factor times as many
 * as were seen in full the rest alone is not known; what was seen in part stands for all of its period.
 */
static double square_of(const struct alloc_weights *weights, size_t c, double factor)
{
	double all = alloc_weights__seen(weights, c), part = all - weights->whole[c];

	return factor * (part * factor + weights->whole[c] * fmax(factor - 1, 0)) / all;
}

static size_t class_of(const struct alloc_flow_entry *entry)
{
	return entry->size_class % ALLOC_CLASSES;
}

/*
 * @part: of @all that there is of the class, or of what some have of it. @here: what those have in that group.
 * @scale: of what windows differ by.
 */
static double differs(const struct alloc_flow_entry *entry, size_t group, double all, double here,
		      double part, double scale)
{
	double units = alloc_entry__units(entry), has = (double)entry->of_group[group];

	if (here > NEARLY_ALL * all)
		return scale * has * (1 - part);
	/* It is one of those that the part is known by: it differs less from that than from what is true. */
	return scale * (has - part * here / units) / sqrt(1 - here / all);
}

/* Of hits, in few windows, how the windows differ says less than that. */
static double chance_of(const struct alloc_weights *weights, const struct alloc_flow_entry *entry,
			double factor)
{
	size_t c = class_of(entry);
	double whole =
		(entry->told + entry->shared) * weights->whole[c] / alloc_weights__seen(weights, c);

	return factor * (factor * entry->variance + fmax(factor - 1, 0) * whole);
}

static bool is_paced(const struct alloc_flow_entry *entry)
{
	double told = entry->told + entry->shared;

	return fmax(entry->paced[0], entry->paced[1]) > NEARLY_ALL_PACED * told;
}

/*
 * What those who do little else than allocate have together, and all others, refills tell; how either is shared
 * out, windows do. What there is more of the ones is less of the others.
 */
static void add_paced(struct alloc_errors *errors, const struct alloc_weights *weights,
		      const struct alloc_flow_entry *entry, const struct alloc_paced *paced,
		      double size)
{
	size_t c = class_of(entry), k = entry->paced[1] > entry->paced[0];
	double all = weights->paced[c][k], scale = size * paced->times[k];
	double part = fmin(entry->paced[k] * alloc_entry__units(entry) / all, 1);
	double off = paced->error[k] * scale * entry->paced[k];

	if (weights->periods + weights->whole_periods < ALLOC_WINDOW_GROUPS)
		errors->chance += scale * scale * entry->variance * (1 - part);
	for (size_t i = 0; i < ALLOC_WINDOW_GROUPS; i++)
		errors->differ[i] +=
			differs(entry, i, all, weights->paced_of_group[c][k][i], part, scale);
	errors->disturbed += k ? -off : off;
}

static double unlike(const struct alloc_weights *weights, size_t c)
{
	return alloc_weights__has_saturated(weights, c) ? DISTURBED : UNLIKE;
}

void alloc_errors__add(struct alloc_errors *errors, const struct alloc_weights *weights,
		       const struct alloc_flow_entry *entry, double size)
{
	size_t c = class_of(entry);
	double all = alloc_weights__seen(weights, c), told = entry->told + entry->shared;
	double factor = alloc_weights__factor(weights, c), square, scale, part;
	struct alloc_paced paced;
	uint64_t periods = weights->periods + weights->whole_periods;

	if (all <= 0)
		return;
	if (alloc_weights__paced(weights, c, &paced) && is_paced(entry)) {
		add_paced(errors, weights, entry, &paced, size * factor);
		return;
	}
	square = square_of(weights, c, factor);
	scale = size * sqrt(square);
	if (square > 0 && periods < 2) {
		errors->differ[0] += scale * told;
		return;
	}
	part = fmin(told * alloc_entry__units(entry) / all, 1);
	/* Hits that were seen in full and stand for nothing else are told by chance alone, whatever others do. */
	if (square <= 0)
		errors->chance += size * size * entry->variance;
	else if (periods < ALLOC_WINDOW_GROUPS)
		errors->chance += size * size * (1 - part) * chance_of(weights, entry, factor);
	for (size_t i = 0; i < ALLOC_WINDOW_GROUPS; i++)
		errors->differ[i] += differs(entry, i, all, weights->of_group[c][i], part, scale);
	if (square > 0)
		errors->disturbed += size * unlike(weights, c) * entry->objects * (1 - part);
}

void alloc_errors__merge(struct alloc_errors *errors, const struct alloc_errors *more)
{
	errors->chance += more->chance;
	errors->disturbed += more->disturbed;
	for (size_t i = 0; i < ALLOC_WINDOW_GROUPS; i++)
		errors->differ[i] += more->differ[i];
}

double alloc_errors__variance(const struct alloc_errors *errors)
{
	double squares = 0;

	for (size_t i = 0; i < ALLOC_WINDOW_GROUPS; i++)
		squares += errors->differ[i] * errors->differ[i];
	return fmax(errors->chance, squares) + errors->disturbed * errors->disturbed;
}
