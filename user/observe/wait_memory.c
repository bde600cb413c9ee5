// SPDX-License-Identifier: Apache-2.0
#include "observe/wait_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK  4096 /* the smallest page: readable as a whole or not at all */
#define BLOCKS 256

struct wait_memory {
	struct remote *remote;
	struct wait_budget *budget;
	uint64_t number[BLOCKS]; /* of the block in it, plus 1; 0: none */
	uint8_t data[BLOCKS][BLOCK];
};

int wait_memory__new(struct remote *remote, struct wait_budget *budget,
		     struct wait_memory **ret_memory)
{
	struct wait_memory *memory = malloc(sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->remote = remote;
	memory->budget = budget;
	wait_memory__forget(memory); /* data is not touched until it is used */
	*ret_memory = memory;
	return 0;
}

void wait_memory__free(struct wait_memory *memory)
{
	free(memory);
}

void wait_memory__forget(struct wait_memory *memory)
{
	memset(memory->number, 0, sizeof(memory->number));
}

static int spend(struct wait_budget *budget, uint64_t steps)
{
	if (budget->left < steps) {
		budget->left = 0;
		return -E2BIG;
	}
	budget->left -= steps;
	return 0;
}

static int load(struct wait_memory *memory, uint64_t number, const uint8_t **ret_data)
{
	size_t slot = (size_t)(number % BLOCKS);
	int err;

	if (memory->number[slot] != number + 1) {
		err = spend(memory->budget, WAIT_MEMORY_BLOCK_STEPS);
		if (err)
			return err;
		memory->number[slot] = 0;
		err = remote__read(memory->remote, number * BLOCK, memory->data[slot], BLOCK);
		if (err)
			return err;
		memory->number[slot] = number + 1;
	}
	*ret_data = memory->data[slot];
	return 0;
}

int wait_memory__read(struct wait_memory *memory, uint64_t address, void *buffer, size_t size)
{
	uint8_t *to = buffer;
	int err = spend(memory->budget, 1);

	if (err)
		return err;
	if (size && address + (size - 1) < address)
		return -EFAULT;
	while (size) {
		size_t skip = (size_t)(address % BLOCK);
		size_t n = min_of(size, BLOCK - skip);
		const uint8_t *data;

		err = load(memory, address / BLOCK, &data);
		if (err)
			return err;
		memcpy(to, data + skip, n);
		to += n;
		address += n;
		size -= n;
	}
	return 0;
}
