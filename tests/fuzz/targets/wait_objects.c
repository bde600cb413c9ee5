// SPDX-License-Identifier: Apache-2.0
/*
 * Goroutines that wait on everything there is (made_waits.h), in memory that the input patches: the
 * g structs, sudogs, channels, the semaphore table. The input begins with the Go version and with
 * what is asked for.
 */
#include "observe/wait_objects.h"

#include <errno.h>

#include "fuzz.h"
#include "made_waits.h"

static const int versions[] = {26, 18, 22, 25, 27};

static const struct {
	const char *words;
	enum wait_class class;
} waits_of[] = {
	{"select", WAIT_SELECT},       {"chan receive", WAIT_CHAN_RECEIVE},
	{"chan send", WAIT_CHAN_SEND}, {"semacquire", WAIT_SEMAPHORE},
	{"sync.Cond.Wait", WAIT_COND}, {"sleep", WAIT_SLEEP},
};

static void populate(struct waits *waits, size_t which, unsigned int n)
{
	uint64_t one = waits_channel(waits, 0, 3), two = waits_channel(waits, 0, 0);
	uint64_t variable = waits_alloc(waits, 64);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t g = waits_g(waits, waits_of[which].words);

		switch (waits_of[which].class) {
		case WAIT_SELECT:
			waits_case(waits, g, one, i % 2);
			waits_case(waits, g, two, false);
			break;
		case WAIT_SEMAPHORE:
			waits_semaphore(waits, g, variable + 8ULL * 251 * (i % 3));
			break;
		case WAIT_COND:
			waits_cond(waits, g, variable);
			break;
		default:
			waits_case(waits, g, i % 3 ? one : two, false);
		}
	}
	if (waits->layout->hchan_timer != GO_LAYOUT_ABSENT)
		waits_timer(waits, two, n);
}

static void check(const struct wait_objects *objects, size_t n)
{
	uint32_t members = UINT32_MAX;

	fuzz__require(objects->looked_at + objects->unreadable <= n);
	fuzz__require(objects->with_timer <= objects->looked_at);
	fuzz__require(objects->with_buffer <= objects->looked_at);
	fuzz__require(objects->shared_by <= objects->looked_at);
	fuzz__require(objects->n_top <= WAIT_OBJECTS_TOP && objects->n_top <= objects->distinct);
	for (size_t i = 0; i < objects->n_top; i++) {
		const struct wait_object *object = &objects->top[i];

		fuzz__require(object->members && object->members <= members);
		fuzz__require(object->members <= objects->shared_by);
		fuzz__require(object->receivers + object->senders <= WAIT_OBJECTS_MAX_WAITERS);
		fuzz__require(object->waiters <= WAIT_OBJECTS_MAX_WAITERS);
		fuzz__require(object->length <= object->capacity);
		fuzz__require(object->kind == WAIT_OBJECT_CHANNEL ||
			      object->waiters >= object->members);
		members = object->members;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct waits *waits = waits_new(versions[fuzz_input__u8(&input) % ARRAY_SIZE(versions)]);
	size_t which = fuzz_input__u8(&input) % ARRAY_SIZE(waits_of);
	struct wait_objects objects;
	struct fuzz_region region;
	int err;

	populate(waits, which, fuzz_input__u8(&input) % 16);
	region = (struct fuzz_region){waits->data, min_of(waits->used, (size_t)65536)};
	if (fuzz_input__u8(&input) & 1) {
		waits->runtime.semtable = 0;
		waits_reader(waits);
	}
	for (int round = 0; round < 2; round++) {
		fuzz__patch(&input, &region, 1);
		err = wait_reader__read(waits->reader, waits_of[which].class, waits_of[which].words,
					waits->members, waits->n, &objects);
		fuzz__require(err == (waits_of[which].class == WAIT_SLEEP ? -EOPNOTSUPP : 0));
		if (!err)
			check(&objects, waits->n);
	}
	waits_free(waits);
	return 0;
}
