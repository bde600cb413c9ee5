// SPDX-License-Identifier: Apache-2.0
#include "observe/census_scratch.h"

#include <sys/mman.h>

static struct {
	struct census_scratch *scratch;
	size_t users;
} shared;

struct census_scratch *census_scratch__take(void)
{
	if (!shared.users) {
		void *scratch = mmap(NULL, sizeof(*shared.scratch), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (scratch == MAP_FAILED)
			return NULL;
		shared.scratch = scratch;
	}
	shared.users++;
	return shared.scratch;
}

void census_scratch__drop(struct census_scratch *scratch)
{
	if (!scratch || --shared.users)
		return;
	munmap(shared.scratch, sizeof(*shared.scratch));
	shared.scratch = NULL;
}
