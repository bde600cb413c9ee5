// SPDX-License-Identifier: Apache-2.0
/* Requests of a worker that somebody else has taken over. */
#include "broker/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

#define OWN    (pid_t)4711
#define WORKER (pid_t)4712

static const struct broker_files files = {
	.in = {"/allow"},
	.out = {"/state"},
	.evidence = "/evidence",
	.evidence_limits = {7, 1 << 20},
};

/* Whether @path is one of a single process, and which. */
static bool is_of(const char *path, pid_t *ret_pid)
{
	int end = 0;

	return sscanf(path, "/proc/%7d/%n", ret_pid, &end) == 1 && end > 0;
}

static void require_file(const struct broker_request *request)
{
	pid_t pid = 0;

	fuzz__require(strnlen(request->text, request->text_size) < request->text_size);
	if (request->op == BROKER_INPUT) {
		fuzz__require(!strcmp(request->text, "/allow"));
		return;
	}
	if (request->op == BROKER_OUTPUT) {
		fuzz__require(!strcmp(request->text, "/state"));
		return;
	}
	if (request->op == BROKER_EVIDENCE_OPEN) {
		fuzz__require(!strcmp(request->text, "/evidence") && request->slot == 7 &&
			      request->size == 1 << 20);
		return;
	}
	fuzz__require(!(request->flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) ||
		      request->op > BROKER_OPEN_BELOW);
	if (request->op == BROKER_LIST && !strcmp(request->text, "/proc"))
		return;
	fuzz__require(is_of(request->text, &pid) && pid > 0);
	fuzz__require(!strstr(request->text, "/mem") && !strstr(request->text, "environ"));
	fuzz__require(!strstr(request->text, ".."));
	if (pid == OWN || pid == WORKER)
		fuzz__require(request->op == BROKER_READ || strstr(request->text, "/exe"));
}

static void require_program(const struct broker_request *request)
{
	if (request->op < BROKER_LOAD || request->op > BROKER_ATTACH)
		return;
	fuzz__require(request->handle < PROGRAMS_KINDS);
	if (request->op == BROKER_DESCRIBE || request->op == BROKER_COUNTS ||
	    request->op == BROKER_DRAW)
		fuzz__require(request->slot < GL_MAX_TARGETS);
	if (request->op == BROKER_ATTACH)
		fuzz__require(request->site.pid > 0 && request->site.pid != OWN &&
			      (unsigned int)request->site.event < PROBE_EVENT_COUNT &&
			      request->size && request->size <= PROGRAM_PLACES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iovec ranges[16];
	__u64 offsets[16];
	struct broker_request request;
	size_t n = min_of(size, sizeof(request)), total = 0;

	memset(&request, 0, sizeof(request));
	memcpy(&request, data, n);
	if (!broker_request__check(&request, size, &files, OWN, WORKER)) {
		fuzz__require(request.op < BROKER_OPS && size <= sizeof(request));
		if (request.op <= BROKER_EVIDENCE_OPEN)
			require_file(&request);
		else if (request.op == BROKER_EVIDENCE && request.flags == EVIDENCE_APPEND)
			fuzz__require(request.handle < EVIDENCE_FILES &&
				      request.size <= ACCESS_EVIDENCE_PART);
		else if (request.op == BROKER_HOLD || request.op == BROKER_MEMORY_OPEN)
			fuzz__require(request.pid > 0 && request.pid != OWN);
		require_program(&request);
	}
	n = min_of(size / sizeof(ranges[0]), ARRAY_SIZE(ranges));
	memcpy(ranges, data, n * sizeof(ranges[0]));
	if (broker_ranges__check(ranges, n, BROKER_MEMORY_MAX))
		return 0;
	for (size_t i = 0; i < n; i++)
		total += ranges[i].iov_len;
	fuzz__require(total <= BROKER_MEMORY_MAX);
	memcpy(offsets, data + size - n * sizeof(offsets[0]), n * sizeof(offsets[0]));
	if (broker_ranges__check_offsets(ranges, offsets, n, BROKER_MEMORY_MAX))
		return 0;
	for (size_t i = 0; i < n; i++)
		fuzz__require(offsets[i] <= BROKER_MEMORY_MAX &&
			      offsets[i] + ranges[i].iov_len <= BROKER_MEMORY_MAX);
	return 0;
}
