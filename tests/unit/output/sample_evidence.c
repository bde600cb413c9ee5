// SPDX-License-Identifier: Apache-2.0
#include "sample_evidence.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define SECONDS(s) ((uint64_t)((s)*1e9 + 0.5))

static const struct site_point fetch_points[] = {
	{SECONDS(41.9), 1000, 0, 0}, {SECONDS(30), 1144, 144, 0}, {SECONDS(20), 1263, 121, 2},
	{SECONDS(10), 1384, 121, 0}, {0, 1503, 119, 0},
};
static const struct site_cohort fetch_cohorts[] = {
	{SECONDS(41.9), SECONDS(30), 144, 144},
	{SECONDS(30), SECONDS(20), 121, 119},
	{SECONDS(20), SECONDS(10), 121, 121},
	{SECONDS(10), 0, 119, 119},
};
static const struct site_weight fetch_weights[] = {
	{10, "384 arrived and stayed"},
	{-6, "most rises that last this long are something else"},
	{4.2, "the rise lasts 3.2 times what staying takes"},
	{4, "nobody who stayed ever left"},
	{4, "seldom waited at for long on purpose"},
	{-4, "all wait on the same object, as a pool does"},
};
static const struct wait_objects fetch_objects = {
	.looked_at = 1024,
	.distinct = 1,
	.n_top = 1,
	.top =
		{
			{.kind = WAIT_OBJECT_CHANNEL,
			 .address = 0xc000123040,
			 .members = 1024,
			 .senders = 1503},
		},
};

static const struct site_point cond_points[] = {{SECONDS(30), 78, 0, 0}, {0, 88, 10, 0}};
static const struct site_weight cond_weights[] = {
	{26.5, "a weight that is larger than all the others"},
	{-2, "often waited at for long on purpose"},
};
static const struct wait_objects cond_objects = {
	.looked_at = 88,
	.distinct = 88,
	.n_top = 2,
	.top =
		{
			{.kind = WAIT_OBJECT_COND,
			 .address = 0xc000200010,
			 .members = 1,
			 .waiters = 1},
			{.kind = WAIT_OBJECT_COND,
			 .address = 0xc000200110,
			 .members = 1,
			 .waiters = 1},
		},
};

static const struct site_weight lock_weights[] = {
	{4, "seldom waited at for long on purpose"},
	{3, "3 of them"},
};
static const struct wait_objects lock_objects = {
	.looked_at = 3,
	.distinct = 2,
	.n_top = 2,
	.top =
		{
			{.kind = WAIT_OBJECT_MUTEX,
			 .address = 0xc000014008,
			 .members = 2,
			 .waiters = 4096,
			 .more_waiters = true},
			{.kind = WAIT_OBJECT_MUTEX,
			 .address = 0xc000014010,
			 .members = 1,
			 .waiters = 1},
		},
};

/* The pool's worker holds it, as it seems. */
static struct report_lock sample_lock = {
	.kind = WAIT_OBJECT_MUTEX,
	.address = 0xc000014008,
	.waiters = 4096,
	.more_waiters = true,
	.sites = {"0badf00d", "00c0ffee", "0badf00d"},
	.n_sites = 3,
	.holders = {{.goid = 41, .site = "22222222", .waiting_ns = SECONDS(43)}},
	.n_holders = 1,
};

static const struct site_weight watch_weights[] = {
	{-12, "most rises are something else"},
	{7, "10 more than before"},
};
static const struct wait_objects watch_objects = {
	.looked_at = 12,
	.distinct = 14,
	.n_top = 3,
	.top =
		{
			{.kind = WAIT_OBJECT_CHANNEL,
			 .address = 0xc000300000,
			 .members = 12,
			 .receivers = 12,
			 .length = 5,
			 .capacity = 5},
			{.kind = WAIT_OBJECT_CHANNEL,
			 .address = 0xc000300100,
			 .members = 12,
			 .receivers = 12,
			 .closed = true},
			{.kind = WAIT_OBJECT_CHANNEL,
			 .address = 0xc000300200,
			 .members = 1,
			 .receivers = 1,
			 .capacity = 1,
			 .timer = true},
		},
};

/* clang-format off: a field a line */
static void fill_fetch(struct report_site *site)
{
	site->view.confidence = 0.942;
	site->view.evidence = (struct site_evidence){
		.observed_ns = SECONDS(41.9),
		.arrivals = 505,
		.departures = 2,
		.stay_ns = SECONDS(10),
		.stayed = 384,
		.left = 0,
		.ages = {119, 1384},
		.points = fetch_points,
		.n_points = ARRAY_SIZE(fetch_points),
		.cohorts = fetch_cohorts,
		.n_cohorts = ARRAY_SIZE(fetch_cohorts),
		.weights = fetch_weights,
		.n_weights = ARRAY_SIZE(fetch_weights),
	};
	site->objects = &fetch_objects;
}

static void fill_cond(struct report_site *site)
{
	site->view.confidence = 0.9965;
	site->meaning = "subscribers that nobody has unsubscribed";
	site->view.evidence = (struct site_evidence){
		.observed_ns = SECONDS(30),
		.arrivals = 10,
		.stay_ns = SECONDS(10),
		.stayed = 2,
		.left = 1,
		.points = cond_points,
		.n_points = ARRAY_SIZE(cond_points),
		.weights = cond_weights,
		.n_weights = ARRAY_SIZE(cond_weights),
	};
	site->objects = &cond_objects;
}

void sample_evidence__leaks(struct report_site *sites)
{
	fill_fetch(&sites[0]);
	fill_cond(&sites[1]);
	sites[2].view.confidence = 0.8334;
	sites[2].view.evidence = (struct site_evidence){
		.observed_ns = SECONDS(42),
		.weights = lock_weights,
		.n_weights = ARRAY_SIZE(lock_weights),
	};
	sites[2].objects = &lock_objects;
	sample_lock.holders[0].at = &sites[4];
	sites[2].locks = sites[4].locks = &sample_lock;
	sites[2].n_locks = sites[4].n_locks = 1;
	sites[3].view.confidence = 0.24;
	sites[3].view.evidence = (struct site_evidence){
		.observed_ns = SECONDS(42),
		.weights = watch_weights,
		.n_weights = ARRAY_SIZE(watch_weights),
	};
	sites[3].objects = &watch_objects;
}
/* clang-format on */

/* --- odd ones ------------------------------------------------------------------------------------- */

static const struct site_point odd_points[] = {
	{UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
	{0, 0, UINT32_MAX, 0},
	{1, 1, 0, 0},
	{UINT64_MAX - 1, UINT32_MAX, 1, 1},
};
static const struct site_cohort odd_cohorts[] = {
	{0, UINT64_MAX, 0, UINT64_MAX},
	{UINT64_MAX, 0, UINT64_MAX, UINT64_MAX - 1},
};

void sample_evidence__hostile(struct report_site *site, const char *text)
{
	static struct site_weight weights[4];
	static struct wait_objects objects;

	objects = (struct wait_objects){
		.looked_at = UINT32_MAX, .distinct = UINT32_MAX, .n_top = ARRAY_SIZE(weights)};
	for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
		const double odd[] = {NAN, INFINITY, -1e300, 3};

		weights[i] = (struct site_weight){odd[i], i ? text : ""};
		objects.top[i] = (struct wait_object){
			.kind = (enum wait_object_kind)(i == 3 ? 1000 : i),
			.address = UINT64_MAX,
			.members = UINT32_MAX >> i,
			.receivers = UINT32_MAX,
			.senders = (uint32_t)i,
			.waiters = UINT32_MAX,
			.more_waiters = true,
			.length = UINT64_MAX,
			.capacity = UINT64_MAX >> i,
			.closed = true,
			.timer = true,
		};
	}
	site->view.confidence = NAN;
	site->meaning = text;
	site->suppressed_reason = text;
	site->evidence_folder = text;
	site->view.evidence = (struct site_evidence){
		.observed_ns = UINT64_MAX,
		.arrivals = UINT64_MAX,
		.departures = UINT64_MAX,
		.stay_ns = UINT64_MAX,
		.stayed = UINT64_MAX,
		.left = UINT64_MAX,
		.ages = {1, UINT64_MAX, 0, UINT64_MAX},
		.points = odd_points,
		.n_points = ARRAY_SIZE(odd_points),
		.cohorts = odd_cohorts,
		.n_cohorts = ARRAY_SIZE(odd_cohorts),
		.weights = weights,
		.n_weights = ARRAY_SIZE(weights),
	};
	site->objects = &objects;
}

/* --- random ones ---------------------------------------------------------------------------------- */

enum { MAX_ITEMS = 9 };

static void *items(size_t size)
{
	void *memory = calloc(MAX_ITEMS, size);

	cr_assert_not_null(memory);
	return memory;
}

static size_t some(unsigned int *seed)
{
	return (size_t)rand_r(seed) % (MAX_ITEMS + 1);
}

static struct wait_objects *random_objects(unsigned int *seed,
					   uint64_t (*count)(unsigned int *seed))
{
	struct wait_objects *objects = items(sizeof(*objects));

	*objects = (struct wait_objects){
		.looked_at = count(seed) % 5,
		.distinct = count(seed) % 5,
		.n_top = (size_t)rand_r(seed) % (WAIT_OBJECTS_TOP + 1),
	};
	for (size_t i = 0; i < WAIT_OBJECTS_TOP; i++) {
		objects->top[i] = (struct wait_object){
			.kind = (enum wait_object_kind)(rand_r(seed) % (WAIT_OBJECT_SEMAPHORE + 1)),
			.address = count(seed),
			.members = count(seed) % 5,
			.receivers = (uint32_t)count(seed),
			.senders = (uint32_t)count(seed),
			.waiters = (uint32_t)count(seed),
			.more_waiters = rand_r(seed) % 2,
			.length = count(seed),
			.capacity = count(seed) % 3,
			.closed = rand_r(seed) % 2,
			.timer = rand_r(seed) % 2,
		};
	}
	return objects;
}

void sample_evidence__random(struct report_site *site, unsigned int *seed,
			     char *(*text)(unsigned int *seed), double (*real)(unsigned int *seed),
			     uint64_t (*count)(unsigned int *seed))
{
	struct site_point *points = items(sizeof(*points));
	struct site_cohort *cohorts = items(sizeof(*cohorts));
	struct site_weight *weights = items(sizeof(*weights));

	for (size_t i = 0; i < MAX_ITEMS; i++) {
		points[i] = (struct site_point){count(seed), (uint32_t)count(seed),
						(uint32_t)count(seed), (uint32_t)count(seed)};
		cohorts[i] =
			(struct site_cohort){count(seed), count(seed), count(seed), count(seed)};
		weights[i] = (struct site_weight){real(seed), text(seed)};
	}
	site->view.confidence = real(seed) / 1e9;
	site->meaning = text(seed);
	site->suppressed = rand_r(seed) % 3 == 0;
	site->suppressed_reason = text(seed);
	site->evidence_folder = text(seed);
	site->view.evidence = (struct site_evidence){
		.observed_ns = count(seed),
		.arrivals = count(seed),
		.departures = count(seed),
		.stay_ns = count(seed),
		.stayed = count(seed),
		.left = count(seed),
		.points = points,
		.n_points = some(seed),
		.cohorts = cohorts,
		.n_cohorts = some(seed),
		.weights = weights,
		.n_weights = some(seed),
	};
	for (size_t i = 0; i < SITE_AGE_STEPS; i++)
		site->view.evidence.ages[i] = count(seed);
	site->objects = rand_r(seed) % 4 ? random_objects(seed, count) : NULL;
}

void sample_evidence__free(struct report_site *site)
{
	const struct site_evidence *evidence = &site->view.evidence;

	for (size_t i = 0; i < MAX_ITEMS; i++)
		free((char *)evidence->weights[i].text);
	free((struct site_point *)evidence->points);
	free((struct site_cohort *)evidence->cohorts);
	free((struct site_weight *)evidence->weights);
	free((struct wait_objects *)site->objects);
	free((char *)site->meaning);
	free((char *)site->suppressed_reason);
	free((char *)site->evidence_folder);
}
