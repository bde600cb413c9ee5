// SPDX-License-Identifier: Apache-2.0
#include "sample_evidence.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

static const struct report_point fetch_points[] = {
	{41.9, 1000, 0, 0}, {30, 1144, 144, 0}, {20, 1263, 121, 2},
	{10, 1384, 121, 0}, {0, 1503, 119, 0},
};
static const struct report_cohort fetch_cohorts[] = {
	{41.9, 30, 144, 144},
	{30, 20, 121, 119},
	{20, 10, 121, 121},
	{10, 0, 119, 119},
};
static const struct report_age_step fetch_ages[] = {
	{0, 119}, {10, 1384}, {60, 0}, {300, 0}, {900, 0}, {3600, 0}, {21600, 0}, {86400, 0},
};
static const struct report_weight fetch_weights[] = {
	{10, "384 arrived and stayed"},
	{-6, "most rises that last this long are something else"},
	{4.2, "the rise lasts 3.2 times what staying takes"},
	{4, "nobody who stayed ever left"},
	{4, "seldom waited at for long on purpose"},
	{-4, "all wait on the same object, as a pool does"},
};
static const struct report_object fetch_objects[] = {
	{.kind = "channel", .address = 0xc000123040, .members = 1024, .senders = 1503},
};

static const struct report_point cond_points[] = {{30, 78, 0, 0}, {0, 88, 10, 0}};
static const struct report_weight cond_weights[] = {
	{26.5, "a weight that is larger than all the others"},
	{-2, "often waited at for long on purpose"},
};
static const struct report_object cond_objects[] = {
	{.kind = "cond", .address = 0xc000200010, .members = 1, .waiters = 1},
	{.kind = "cond", .address = 0xc000200110, .members = 1, .waiters = 1},
};

static const struct report_weight lock_weights[] = {
	{4, "seldom waited at for long on purpose"},
	{3, "3 of them"},
};
static const struct report_object lock_objects[] = {
	{.kind = "mutex",
	 .address = 0xc000014008,
	 .members = 2,
	 .waiters = 4096,
	 .more_waiters = true},
	{.kind = "mutex", .address = 0xc000014010, .members = 1, .waiters = 1},
};

static const struct report_weight watch_weights[] = {
	{-12, "most rises are something else"},
	{7, "10 more than before"},
};
static const struct report_object watch_objects[] = {
	{.kind = "channel",
	 .address = 0xc000300000,
	 .members = 12,
	 .receivers = 12,
	 .length = 5,
	 .capacity = 5},
	{.kind = "channel",
	 .address = 0xc000300100,
	 .members = 12,
	 .receivers = 12,
	 .closed = true},
	{.kind = "channel",
	 .address = 0xc000300200,
	 .members = 1,
	 .receivers = 1,
	 .capacity = 1,
	 .timer = true},
};

/* clang-format off: a field a line */
static void fill_fetch(struct report_site *site)
{
	site->confidence = 0.942;
	site->evidence = (struct report_evidence){
		.observed_seconds = 41.9,
		.arrivals = 505,
		.departures = 2,
		.stay_seconds = 10,
		.stayed = 384,
		.left = 0,
		.population = fetch_points,
		.n_population = ARRAY_SIZE(fetch_points),
		.cohorts = fetch_cohorts,
		.n_cohorts = ARRAY_SIZE(fetch_cohorts),
		.ages = fetch_ages,
		.n_ages = ARRAY_SIZE(fetch_ages),
		.weights = fetch_weights,
		.n_weights = ARRAY_SIZE(fetch_weights),
	};
	site->objects = (struct report_objects){
		.looked_at = 1024,
		.distinct = 1,
		.items = fetch_objects,
		.n_items = ARRAY_SIZE(fetch_objects),
	};
}

static void fill_cond(struct report_site *site)
{
	site->confidence = 0.9965;
	site->meaning = "subscribers that nobody has unsubscribed";
	site->evidence = (struct report_evidence){
		.observed_seconds = 30,
		.arrivals = 10,
		.stay_seconds = 10,
		.stayed = 2,
		.left = 1,
		.population = cond_points,
		.n_population = ARRAY_SIZE(cond_points),
		.weights = cond_weights,
		.n_weights = ARRAY_SIZE(cond_weights),
	};
	site->objects = (struct report_objects){
		.looked_at = 88,
		.distinct = 88,
		.items = cond_objects,
		.n_items = ARRAY_SIZE(cond_objects),
	};
}

void sample_evidence__leaks(struct report_site *sites)
{
	for (size_t i = 0; i < 4; i++)
		sites[i].suspect = true;
	fill_fetch(&sites[0]);
	fill_cond(&sites[1]);
	sites[2].confidence = 0.8334;
	sites[2].evidence = (struct report_evidence){
		.observed_seconds = 42,
		.weights = lock_weights,
		.n_weights = ARRAY_SIZE(lock_weights),
	};
	sites[2].objects = (struct report_objects){
		.looked_at = 3,
		.distinct = 2,
		.items = lock_objects,
		.n_items = ARRAY_SIZE(lock_objects),
	};
	sites[3].confidence = 0.24;
	sites[3].evidence = (struct report_evidence){
		.observed_seconds = 42,
		.weights = watch_weights,
		.n_weights = ARRAY_SIZE(watch_weights),
	};
	sites[3].objects = (struct report_objects){
		.looked_at = 12,
		.distinct = 14,
		.items = watch_objects,
		.n_items = ARRAY_SIZE(watch_objects),
	};
}
/* clang-format on */

/* --- odd ones ------------------------------------------------------------------------------------- */

static const struct report_point odd_points[] = {
	{NAN, UINT64_MAX, UINT64_MAX, UINT64_MAX},
	{-5, 0, UINT64_MAX, 0},
	{DBL_MAX, 1, 0, 0},
	{-INFINITY, UINT64_MAX, 1, 1},
};
static const struct report_cohort odd_cohorts[] = {
	{-1, 1e300, 0, UINT64_MAX},
	{NAN, NAN, UINT64_MAX, UINT64_MAX - 1},
};
static const struct report_age_step odd_ages[] = {
	{NAN, 1},
	{-1, UINT64_MAX},
	{1e300, 0},
	{INFINITY, UINT64_MAX},
};

void sample_evidence__hostile(struct report_site *site, const char *text)
{
	static struct report_weight weights[4];
	static struct report_object objects[4];

	for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
		const double odd[] = {NAN, INFINITY, -1e300, 3};

		weights[i] = (struct report_weight){odd[i], i ? text : NULL};
		objects[i] = (struct report_object){
			.kind = i == 3 ? NULL :
				i      ? text :
					 "channel",
			.address = UINT64_MAX,
			.members = UINT64_MAX >> i,
			.receivers = UINT64_MAX,
			.senders = i,
			.waiters = UINT64_MAX,
			.more_waiters = true,
			.length = UINT64_MAX,
			.capacity = UINT64_MAX >> i,
			.closed = true,
			.timer = true,
		};
	}
	site->suspect = true;
	site->confidence = NAN;
	site->meaning = text;
	site->silenced_reason = text;
	site->evidence = (struct report_evidence){
		.observed_seconds = NAN,
		.arrivals = UINT64_MAX,
		.departures = UINT64_MAX,
		.stay_seconds = 1e300,
		.stayed = UINT64_MAX,
		.left = UINT64_MAX,
		.population = odd_points,
		.n_population = ARRAY_SIZE(odd_points),
		.cohorts = odd_cohorts,
		.n_cohorts = ARRAY_SIZE(odd_cohorts),
		.ages = odd_ages,
		.n_ages = ARRAY_SIZE(odd_ages),
		.weights = weights,
		.n_weights = ARRAY_SIZE(weights),
	};
	site->objects = (struct report_objects){
		.looked_at = UINT64_MAX,
		.distinct = UINT64_MAX,
		.items = objects,
		.n_items = ARRAY_SIZE(objects),
	};
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

static void random_objects(struct report_objects *objects, unsigned int *seed,
			   uint64_t (*count)(unsigned int *seed))
{
	static const char *const kinds[] = {"channel", "mutex", "rwmutex", "wait group", "cond"};
	struct report_object *made = items(sizeof(*made));

	for (size_t i = 0; i < MAX_ITEMS; i++) {
		made[i] = (struct report_object){
			.kind = kinds[(size_t)rand_r(seed) % ARRAY_SIZE(kinds)],
			.address = count(seed),
			.members = count(seed) % 5,
			.receivers = count(seed),
			.senders = count(seed),
			.waiters = count(seed),
			.more_waiters = rand_r(seed) % 2,
			.length = count(seed),
			.capacity = count(seed) % 3,
			.closed = rand_r(seed) % 2,
			.timer = rand_r(seed) % 2,
		};
	}
	*objects = (struct report_objects){
		.looked_at = count(seed) % 5,
		.distinct = count(seed) % 5,
		.items = made,
		.n_items = some(seed),
	};
}

void sample_evidence__random(struct report_site *site, unsigned int *seed,
			     char *(*text)(unsigned int *seed), double (*real)(unsigned int *seed),
			     uint64_t (*count)(unsigned int *seed))
{
	struct report_point *points = items(sizeof(*points));
	struct report_cohort *cohorts = items(sizeof(*cohorts));
	struct report_age_step *ages = items(sizeof(*ages));
	struct report_weight *weights = items(sizeof(*weights));

	for (size_t i = 0; i < MAX_ITEMS; i++) {
		points[i] =
			(struct report_point){real(seed), count(seed), count(seed), count(seed)};
		cohorts[i] =
			(struct report_cohort){real(seed), real(seed), count(seed), count(seed)};
		ages[i] = (struct report_age_step){real(seed), count(seed)};
		weights[i] = (struct report_weight){real(seed), text(seed)};
	}
	site->suspect = rand_r(seed) % 4 > 0;
	site->confidence = real(seed) / 1e9;
	site->meaning = text(seed);
	site->silenced = !site->flagged && rand_r(seed) % 3 == 0;
	site->silenced_reason = text(seed);
	site->evidence = (struct report_evidence){
		.observed_seconds = real(seed),
		.arrivals = count(seed),
		.departures = count(seed),
		.stay_seconds = real(seed),
		.stayed = count(seed),
		.left = count(seed),
		.population = points,
		.n_population = some(seed),
		.cohorts = cohorts,
		.n_cohorts = some(seed),
		.ages = ages,
		.n_ages = some(seed),
		.weights = weights,
		.n_weights = some(seed),
	};
	random_objects(&site->objects, seed, count);
}

void sample_evidence__free(struct report_site *site)
{
	const struct report_evidence *evidence = &site->evidence;

	for (size_t i = 0; i < MAX_ITEMS; i++)
		free((char *)evidence->weights[i].text);
	free((struct report_point *)evidence->population);
	free((struct report_cohort *)evidence->cohorts);
	free((struct report_age_step *)evidence->ages);
	free((struct report_weight *)evidence->weights);
	free((struct report_object *)site->objects.items);
	free((char *)site->meaning);
	free((char *)site->silenced_reason);
}
