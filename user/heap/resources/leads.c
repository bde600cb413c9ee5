// SPDX-License-Identifier: Apache-2.0
#include "heap/resources/private.h"

#include "heap/mark/mark.h"

#define WORD	  8u
#define OWN_WORDS 64u /* of the thing itself; a handle of a database has 45 */
#define FAR_WORDS 32u /* of each object that it points to; a response has 18 */

/* What is read of an object, and of it the words. */
struct piece {
	uint64_t words[OWN_WORDS];
	size_t n;
};

static bool read_piece(struct remote *remote, uint64_t address, uint64_t size, size_t max,
		       struct piece *piece)
{
	piece->n = (size_t)min_of(size / WORD, (uint64_t)max);
	return piece->n && !remote__read(remote, address, piece->words, piece->n * WORD);
}

uint64_t heap_resources__find_lead(const struct heap_resources *resources, struct heap_scan *scan,
				   const struct heap_resource *resource, resource_lead_fn fn,
				   void *ctx)
{
	const struct heap_mark *mark = heap_scan__mark(scan);
	struct remote *remote = resources->runtime->remote;
	struct piece own, far;

	if (!read_piece(remote, resource->value, resources->types[resource->type].size, OWN_WORDS,
			&own))
		return 0;
	for (size_t i = 0; i < own.n; i++) {
		if (own.words[i] && fn(ctx, own.words[i]))
			return own.words[i];
	}
	for (size_t i = 0; i < own.n; i++) {
		uint64_t size = 0, object = heap_mark__object(mark, own.words[i], &size);

		if (!object || !read_piece(remote, object, size, FAR_WORDS, &far))
			continue;
		for (size_t k = 0; k < far.n; k++) {
			if (far.words[k] && fn(ctx, far.words[k]))
				return far.words[k];
		}
	}
	return 0;
}
