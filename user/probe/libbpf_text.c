// SPDX-License-Identifier: Apache-2.0
#include "probe/libbpf_text.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/capability.h"

/*
 * The end of a long warning is kept: a verifier log, which libbpf prints as one warning, ends with
 * the reason.
 */
static char kept[400];

static void append(const char *text, size_t length)
{
	size_t old = strlen(kept);
	size_t room = sizeof(kept) - 1;
	size_t drop;

	if (length > room) {
		text += length - room;
		length = room;
	}
	drop = old + length > room ? old + length - room : 0;
	memmove(kept, kept + drop, old - drop);
	memcpy(kept + old - drop, text, length);
	kept[old - drop + length] = '\0';
	for (char *c = kept; *c; c++)
		if (*c == '\n')
			*c = ' ';
}

static int __printf_fmt(2, 0) keep(enum libbpf_print_level level, const char *format, va_list args)
{
	__cleanup_free char *text = NULL;
	int length;

	if (level != LIBBPF_WARN)
		return 0;
	length = vasprintf(&text, format, args);
	if (length < 0) {
		text = NULL;
		return 0;
	}
	append(text, (size_t)length);
	return length;
}

void libbpf_text__capture(void)
{
	kept[0] = '\0';
	libbpf_set_print(keep);
}

const char *libbpf_text__get(void)
{
	return kept[0] ? kept : "no details";
}

int libbpf_text__explain(int err, uint32_t ring_bytes, struct failure *failure)
{
	switch (err) {
	case 0:
		return 0;
	case -EPERM:
		return failure__set(
			failure, err,
			"the kernel does not let this process load BPF programs; it needs "
			"CAP_BPF and CAP_PERFMON (%s), and no lockdown or LSM in the way: "
			"%s",
			capability__advice(), libbpf_text__get());
	case -ENOMEM:
		return failure__set(failure, err,
				    "no memory for the BPF maps (ring buffer of %u bytes)",
				    ring_bytes);
	default:
		return failure__set(failure, -EINVAL,
				    "the kernel refused the BPF programs (%s): %s", strerror(-err),
				    libbpf_text__get());
	}
}
