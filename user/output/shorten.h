/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_SHORTEN_H
#define GLEAKD_OUTPUT_SHORTEN_H

/*
 * Names for a label with a limit, where two that differ have to stay different: what tells functions
 * and files apart stands at their end, so leading path elements go first, then the middle. All return
 * a string to free(), NULL without memory, and never more than @width columns (at least 8 are
 * assumed). What a terminal shows is cut otherwise, see output/text/screen.h.
 *
 * And numbers as people read them.
 */
#include "base/common.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* shorten__function - "example.org/shop/cart.(*Store).Load" -> "…/cart.(*Store).Load". */
char *shorten__function(const char *name, size_t width) __must_check;

/* shorten__location - "/src/shop/cart/store.go", 42 -> "…/cart/store.go:42". */
char *shorten__location(const char *file, uint32_t line, size_t width) __must_check;

/* shorten__text - any text, cut in the middle. */
char *shorten__text(const char *text, size_t width) __must_check;

/* shorten__count - "1,234,567" */
#define SHORTEN_COUNT_SIZE sizeof("18,446,744,073,709,551,615")
void shorten__count(uint64_t n, char out[SHORTEN_COUNT_SIZE]);

/* shorten__counted - "1 site", "1,234 sites", to free(). */
char *shorten__counted(uint64_t n, const char *noun) __must_check;

/* shorten__rate - with as many digits as say something: "0.03", "1.5", "20.5", "1,204". */
#define SHORTEN_RATE_SIZE 40
void shorten__rate(double rate, char out[SHORTEN_RATE_SIZE]);

#endif /* GLEAKD_OUTPUT_SHORTEN_H */
