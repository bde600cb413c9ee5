// SPDX-License-Identifier: Apache-2.0
/* A recording with bytes that are not those that were written, and what is made of it. */
#include "record/reader.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "made_recording.h"
#include "output/html/page.h"
#include "output/perfetto/trace.h"
#include "shown.h"

/* What it looks like is for others to read: it is whole, whatever the recording says. */
static void check_pictures(const struct report *report, const struct timeline *timeline)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !html__write(out, report, timeline));
	fuzz__require(!perfetto__write(out, timeline));
	fclose(out);
	free(text);
}

static void check_target(const struct timeline *timeline, const struct timeline_target *target)
{
	fuzz__require(target->n_lives <= TIMELINE_MAX_LIVES &&
		      target->n_lives <= target->all_lives);
	fuzz__require(target->n_parks <= TIMELINE_MAX_PARKS);
	for (size_t i = 0; i < target->n_lives; i++) {
		const struct timeline_life *life = &target->lives[i];

		fuzz__require(life->begin_ns <= life->end_ns && life->end_ns <= timeline->end_ns);
		fuzz__require(life->site < target->n_sites || life->site == TIMELINE_NO_SITE);
	}
	for (size_t i = 0; i < target->n_parks; i++) {
		const struct timeline_park *park = &target->parks[i];

		fuzz__require(park->begin_ns <= park->end_ns);
		fuzz__require(park->site < target->n_sites || park->site == TIMELINE_NO_SITE);
	}
	for (size_t i = 0; i < target->n_sites; i++) {
		fuzz__require(target->sites[i].n_points <= TIMELINE_MAX_POINTS);
		fuzz__require(strlen(target->sites[i].id) < sizeof(target->sites[i].id));
		fuzz__require(target->sites[i].function && target->sites[i].wait_reason);
	}
	for (size_t i = 0; i < target->n_resources; i++) {
		fuzz__require(target->resources[i].kind < RESOURCE_KINDS);
		fuzz__require(target->resources[i].n_points <= TIMELINE_MAX_POINTS);
		fuzz__require(target->resources[i].held_by && target->resources[i].calls);
	}
	for (size_t i = 0; i < target->n_gcs; i++)
		fuzz__require(target->gcs[i].first <= target->gcs[i].last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *made;
	static size_t made_size;
	struct fuzz_input input = {data, size};
	struct recording *recording;
	struct failure failure;
	struct fuzz_region region;

	if (!made)
		made = made_recording__new(NULL, &made_size);
	region = (struct fuzz_region){malloc(made_size), made_size};
	fuzz__require(region.data);
	memcpy(region.data, made, made_size);
	fuzz__patch(&input, &region, 1);
	if (!recording__open_bytes(region.data, region.size, &recording, &failure)) {
		const struct timeline *timeline = recording__timeline(recording);

		fuzz__require(timeline->begin_ns <= timeline->end_ns);
		for (size_t i = 0; i < timeline->n_targets; i++)
			check_target(timeline, &timeline->targets[i]);
		shown__check_report(recording__report(recording));
		/* It takes as long as all the rest. */
		if (size % 4 == 0)
			check_pictures(recording__report(recording), timeline);
		recording__free(recording);
	}
	free(region.data);
	return 0;
}
