// SPDX-License-Identifier: Apache-2.0
/* The input is a file of any kind, as on a host full of programs that are not written in Go. */
#include "golang/go_sniff.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

#define IMAGE 0x7f0000000000

/* The same file where a process has mapped it. */
static void sniff_memory(const uint8_t *data, size_t size)
{
	const struct remote_range range = {IMAGE, data, size};
	struct remote *remote;

	fuzz__require(!remote__open_image(&range, 1, &remote));
	(void)go_sniff__memory(remote, IMAGE);
	remote__free(remote);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = fuzz__next_descriptor();
	int fd = fuzz__memfd(data, size);
	struct go_sniff sniff;

	fuzz__require(!go_sniff__file(fd, &sniff));
	fuzz__require(sniff.kind <= GO_SNIFF_UNSURE);
	fuzz__require(memchr(sniff.version, '\0', sizeof(sniff.version)));
	fuzz__require(!sniff.version[0] || sniff.kind == GO_SNIFF_GO);
	for (const char *p = sniff.version; *p; p++)
		fuzz__require((unsigned char)*p >= ' ' && *p != 0x7f);
	fuzz__require(!go_sniff__library(fd, &sniff));
	fuzz__require(sniff.kind == GO_SNIFF_GO || sniff.kind == GO_SNIFF_NO);
	close(fd);
	sniff_memory(data, size);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
