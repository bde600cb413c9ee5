// SPDX-License-Identifier: Apache-2.0
#include "output/pprof/goroutines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "output/goroutine_filter.h"

static const struct pprof_kind kinds[] = {
	{"goroutines", "count"},
	{"waiting", "nanoseconds"},
};

/* Beside those that the program has set. */
#define OWN_LABELS 3

/* The sample that is being made, and what its parts take. */
struct sample {
	struct pprof_frame *stack;
	size_t n_stack, stack_size;
	struct pprof_label *labels;
	size_t n_labels, labels_size;
};

typedef const struct report_goroutine *member;

static int compare_pointers(const void *a, const void *b)
{
	return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

/* 0: of one sample. Places and sets of labels are there once for all goroutines that share them. */
static int by_sample(const void *a, const void *b)
{
	member left = *(const member *)a, right = *(const member *)b;
	int order = compare_pointers(left->place, right->place);

	if (!order)
		order = compare_pointers(left->labels, right->labels);
	return order ? order : strcmp(report__text(left->state), report__text(right->state));
}

static const char *verdict_on(const struct report_target *target, const struct report_place *place)
{
	for (size_t i = 0; i < target->n_sites; i++) {
		if (!strcmp(target->sites[i].id, place->site))
			return verdict__name(target->sites[i].view.verdict);
	}
	return NULL;
}

static int make_stack(struct sample *sample, const struct report_place *place)
{
	const struct report_frame beginning = {
		.function = place->start_function, .file = "", .module = ""};
	/* Of what runs only the beginning is known. */
	const struct report_frame *stack = place->n_stack ? place->stack : &beginning;

	sample->n_stack = place->n_stack ? place->n_stack : 1;
	if (!array__reserve(sample->stack, sample->stack_size, sample->n_stack))
		return -ENOMEM;
	for (size_t i = 0; i < sample->n_stack; i++)
		sample->stack[i] = (struct pprof_frame){.frame = stack[i]};
	return 0;
}

static void add_label(struct sample *sample, const char *key, const char *text)
{
	if (text)
		sample->labels[sample->n_labels++] = (struct pprof_label){.key = key, .text = text};
}

static int make_labels(struct sample *sample, const struct report_target *target, member goroutine)
{
	const struct report_labels *labels = goroutine->labels;
	size_t n = labels ? labels->n : 0;

	sample->n_labels = 0;
	if (!array__reserve(sample->labels, sample->labels_size, n + OWN_LABELS))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		add_label(sample, labels->items[i].key, labels->items[i].value);
	add_label(sample, "state", goroutine_state__name(goroutine_state__of(goroutine)));
	add_label(sample, "reason", goroutine->parked ? goroutine->state : NULL);
	add_label(sample, "verdict", verdict_on(target, goroutine->place));
	return 0;
}

/* The @n goroutines @same make one sample. */
static int add_sample(struct pprof *profile, struct sample *sample,
		      const struct report_target *target, const member *same, size_t n)
{
	int64_t values[ARRAY_SIZE(kinds)] = {(int64_t)n, 0};
	int err = make_stack(sample, same[0]->place);

	if (!err)
		err = make_labels(sample, target, same[0]);
	for (size_t i = 0; i < n; i++)
		values[1] += (int64_t)same[i]->waiting_ns;
	return err ? err :
		     pprof__add(profile, values, sample->stack, sample->n_stack, sample->labels,
				sample->n_labels);
}

static int add_all(struct pprof *profile, const struct report_target *target)
{
	size_t n = target->n_goroutine_list;
	member *all = calloc(n + 1, sizeof(member));
	struct sample sample = {0};
	int err = all ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++)
		all[i] = &target->goroutine_list[i];
	if (!err)
		qsort(all, n, sizeof(member), by_sample);
	for (size_t i = 0, first = 0; i < n && !err; i++) {
		if (i + 1 < n && !by_sample(&all[i], &all[i + 1]))
			continue;
		err = add_sample(profile, &sample, target, &all[first], i + 1 - first);
		first = i + 1;
	}
	free(sample.stack);
	free(sample.labels);
	free(all);
	return err;
}

int goroutines_profile__make(const struct report_target *target, uint64_t realtime_ns,
			     struct pprof **ret_profile)
{
	const struct pprof_options options = {
		.kinds = kinds,
		.n_kinds = ARRAY_SIZE(kinds),
		.shown = "goroutines",
		.period_kind = kinds[0],
		.period = 1,
		.time_ns = realtime_ns,
		.binary = target->exe,
	};
	struct pprof *profile;
	int err = pprof__new(&options, &profile);

	if (err)
		return err;
	err = add_all(profile, target);
	if (err) {
		pprof__free(profile);
		return err;
	}
	*ret_profile = profile;
	return 0;
}
