// SPDX-License-Identifier: Apache-2.0
/* The processes of a host, whose names are the input's lines, as a table and as JSON. */
#include "discover/process_list.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "output/process_list.h"
#include "shown.h"

#define MAX_PROCESSES 4
#define N_TEXTS	      12
#define SEPARATOR     '\n'

struct made {
	char *texts[N_TEXTS];
	size_t next;
	struct process_list list;
	struct listed_process processes[MAX_PROCESSES];
};

static const char *next_text(struct made *made)
{
	return made->texts[made->next++ % N_TEXTS];
}

static enum file_fact make_fact(struct fuzz_input *numbers)
{
	return (enum file_fact)(fuzz_input__u8(numbers) % (FACT_YES + 1));
}

static void make_process(struct made *made, struct listed_process *process,
			 struct fuzz_input *numbers)
{
	uint8_t bits = fuzz_input__u8(numbers);
	uint64_t uptime = fuzz_input__u64(numbers);

	*process = (struct listed_process){
		.pid = fuzz_input__u16(numbers),
		.uid = fuzz_input__u16(numbers) * 0x10001U,
		.user = next_text(made),
		.comm = next_text(made),
		.exe = next_text(made),
		.counted = bits & 1,
		.goroutines = fuzz_input__u64(numbers),
		.go_version = bits & 2 ? next_text(made) : NULL,
		.module = bits & 4 ? next_text(made) : NULL,
		.module_version = next_text(made),
		.build = {make_fact(numbers), make_fact(numbers), make_fact(numbers),
			  make_fact(numbers), make_fact(numbers)},
		.supported = bits & 8,
		.reason = bits & 16 ? next_text(made) : "",
	};
	memcpy(&process->uptime_seconds, &uptime, sizeof(uptime));
}

static char *render(const struct process_list *list, const struct screen_options *options,
		    bool verbose)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !process_list__write_text(out, list, options, verbose));
	fclose(out);
	fuzz__require(strlen(text) == size);
	return text;
}

static void check_text(const struct process_list *list, struct screen_options options, bool verbose)
{
	char *plain = render(list, &options, verbose), *colored;

	shown__check(plain, options.columns ? options.columns : UINT32_MAX);
	options.color = true;
	colored = render(list, &options, verbose);
	shown__normalize(plain);
	shown__normalize(colored);
	fuzz__require(!strcmp(plain, colored));
	free(colored);
	free(plain);
}

static void check_json(const struct process_list *list)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fuzz__require(out && !process_list__write_json(out, list));
	fclose(out);
	shown__check_json(text, size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct made made;
	struct fuzz_input input = {data, size}, numbers = {data, min_of(size, (size_t)128)};
	uint8_t bits = fuzz_input__u8(&input);
	struct screen_options options = {.columns = bits & 1 ? 60 + bits % 128U : 0,
					 .ascii = bits & 4};

	memset(&made, 0, sizeof(made));
	for (size_t i = 0; i < N_TEXTS; i++)
		made.texts[i] = fuzz_input__text(&input, SEPARATOR);
	for (size_t i = 0; i < MAX_PROCESSES; i++)
		make_process(&made, &made.processes[i], &numbers);
	made.list = (struct process_list){
		.realtime_ns = fuzz_input__u64(&numbers),
		.processes = made.processes,
		.n_processes = bits % (MAX_PROCESSES + 1),
		.looked_at = fuzz_input__u16(&numbers),
		.not_readable = fuzz_input__u8(&numbers),
		.privileged = bits & 4,
		.not_opened = fuzz_input__u8(&numbers),
	};
	check_text(&made.list, options, bits & 2);
	check_json(&made.list);
	for (size_t i = 0; i < N_TEXTS; i++)
		free(made.texts[i]);
	return 0;
}
