/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_MEANINGS_H
#define GLEAKD_NAMING_MEANINGS_H

/*
 * What goroutines are that a library starts on the program's behalf. The stack of such a goroutine
 * holds no line of the program: what it waits for has to be said in words, and what a growing number
 * of them means.
 */
#include "naming/site_frames.h"
#include "track/tracker.h"

struct meaning {
	const char *
		text; /* "HTTP client: a response body that was neither read to its end nor closed" */
	enum site_nature nature;
};

/*
 * meanings__of - for the frames of a site and the runtime's words for its wait; NULL when nothing is
 * known of such goroutines. Of a goroutine of the program that waits inside of a library it tells
 * what for; its nature is unknown then, or that of the stream or pipe it waits for. Takes some 10 us:
 * ask once per site.
 */
const struct meaning *meanings__of(const struct site_frames *frames, const char *wait_reason);

#endif /* GLEAKD_NAMING_MEANINGS_H */
