/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_SHORTEN_H
#define GLEAKD_OUTPUT_SHORTEN_H

/*
 * Names for a label with a limit, where two that differ have to stay different: what tells functions
 * and files apart stands at their end, so leading path elements go first, then the middle. All return
 * a string to free(), NULL without memory, and never more than @width columns (at least 8 are
 * assumed). What a terminal shows is cut otherwise, see output/text/screen.h.
 */
#include "base/common.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* shorten__function - "example.org/shop/cart.(*Store).Load" -> "…/cart.(*Store).Load". */
char *shorten__function(const char *name, size_t width) __must_check;

/* shorten__location - "/src/shop/cart/store.go", 42 -> "…/cart/store.go:42". */
char *shorten__location(const char *file, uint32_t line, size_t width) __must_check;

/*
 * shorten__way - "stack of example.org/shop/cart.(*Store).run, in net/http.(*Server).Serve.Handler" -> "stack of
 * cart.(*Store).run, in http.(*Server).Serve.Handler", and then cut in the middle: how an object is reached is told by
 * where the way begins and by its last fields.
 */
char *shorten__way(const char *way, size_t width) __must_check;

/* shorten__text - any text, cut in the middle. */
char *shorten__text(const char *text, size_t width) __must_check;

#endif /* GLEAKD_OUTPUT_SHORTEN_H */
