// SPDX-License-Identifier: Apache-2.0
#include "track/site_views.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One allocation holds what a view points to, in this order: nothing needs padding in between. */
struct block {
	struct site_point *points;
	struct site_cohort *cohorts;
	struct site_weight *weights;
	const char **why;
	char *texts;
};

_Static_assert(sizeof(struct site_point) % _Alignof(struct site_cohort) == 0 &&
		       sizeof(struct site_cohort) % _Alignof(struct site_weight) == 0 &&
		       sizeof(struct site_weight) % _Alignof(const char *) == 0,
	       "each array of a block begins aligned where the one before it ends");

void site_views__clear(struct site_views *views)
{
	for (size_t i = 0; i < views->n; i++)
		free(views->blocks[i]);
	views->n = 0;
}

void site_views__release(struct site_views *views)
{
	site_views__clear(views);
	free(views->views);
	free(views->blocks);
	*views = (struct site_views){0};
}

static int make_room(struct site_views *views)
{
	size_t capacity = views->capacity ? views->capacity * 2 : 16;
	struct site_view *grown;
	void **blocks;

	if (views->n < views->capacity)
		return 0;
	grown = reallocarray(views->views, capacity, sizeof(*grown));
	if (grown)
		views->views = grown;
	blocks = reallocarray(views->blocks, capacity, sizeof(*blocks));
	if (blocks)
		views->blocks = blocks;
	if (!grown || !blocks)
		return -ENOMEM;
	views->capacity = capacity;
	return 0;
}

static size_t texts_size(const struct judgement *judgement)
{
	size_t size = 0;

	for (size_t i = 0; i < judgement->n_why; i++)
		size += strlen(judgement->why[i]) + 1;
	for (size_t i = 0; i < judgement->n_weights; i++)
		size += strlen(judgement->weights[i].text) + 1;
	return size;
}

static void *block_new(const struct judgement *judgement, const struct site_past *past,
		       struct block *ret_block)
{
	size_t points = past->n_points * sizeof(struct site_point);
	size_t cohorts = past->n_cohorts * sizeof(struct site_cohort);
	size_t weights = judgement->n_weights * sizeof(struct site_weight);
	size_t why = judgement->n_why * sizeof(const char *);
	char *at = calloc(
		1, max_of(points + cohorts + weights + why + texts_size(judgement), (size_t)1));

	if (!at)
		return NULL;
	*ret_block = (struct block){
		.points = (void *)at,
		.cohorts = (void *)(at + points),
		.weights = (void *)(at + points + cohorts),
		.why = (void *)(at + points + cohorts + weights),
		.texts = at + points + cohorts + weights + why,
	};
	return at;
}

/* Appends a copy of @text to the texts of @block. */
static const char *keep_text(struct block *block, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = memcpy(block->texts, text, size);

	block->texts += size;
	return copy;
}

static void fill_block(struct block *block, const struct judgement *judgement,
		       const struct site_past *past)
{
	memcpy(block->points, past->points, past->n_points * sizeof(past->points[0]));
	memcpy(block->cohorts, past->cohorts, past->n_cohorts * sizeof(past->cohorts[0]));
	for (size_t i = 0; i < judgement->n_weights; i++)
		block->weights[i] = (struct site_weight){
			.decibans = judgement->weights[i].decibans,
			.text = keep_text(block, judgement->weights[i].text),
		};
	for (size_t i = 0; i < judgement->n_why; i++)
		block->why[i] = keep_text(block, judgement->why[i]);
}

int site_views__add(struct site_views *views, const struct site_view *view,
		    const struct judgement *judgement, const struct site_past *past)
{
	struct site_view *added;
	struct block block;
	void *memory;

	if (make_room(views))
		return -ENOMEM;
	memory = block_new(judgement, past, &block);
	if (!memory)
		return -ENOMEM;
	fill_block(&block, judgement, past);
	views->blocks[views->n] = memory;
	added = &views->views[views->n++];
	*added = *view;
	added->why = block.why;
	added->n_why = judgement->n_why;
	added->evidence.points = block.points;
	added->evidence.n_points = past->n_points;
	added->evidence.cohorts = block.cohorts;
	added->evidence.n_cohorts = past->n_cohorts;
	added->evidence.weights = block.weights;
	added->evidence.n_weights = judgement->n_weights;
	return 0;
}

static int compare_views(const void *a, const void *b)
{
	const struct site_view *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? 1 : -1;
	if (x->goroutines != y->goroutines)
		return x->goroutines < y->goroutines ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

void site_views__sort(struct site_views *views)
{
	if (views->n)
		qsort(views->views, views->n, sizeof(views->views[0]), compare_views);
}
