/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PROMETHEUS_EXPOSITION_H
#define GLEAKD_OUTPUT_PROMETHEUS_EXPOSITION_H

/*
 * Lines of Prometheus' text format 0.0.4, the only one that node_exporter's textfile collector
 * reads. One line that it cannot parse costs the whole file: so a label's value is always valid
 * UTF-8 and escaped, a number is always finite, and no line has a timestamp of its own.
 */
#include <stdio.h>

#include "base/common.h"

struct exposition_label {
	const char *name;
	const char *value; /* any bytes; NULL is "" */
};

#define EXPOSITION_LABELS(...)                          \
	(const struct exposition_label[]){__VA_ARGS__}, \
		ARRAY_SIZE(((const struct exposition_label[]){__VA_ARGS__}))

/*
 * exposition__clean - @text as a label would show it, to free(): valid UTF-8, nothing that a
 * terminal acts on, at most @columns wide. Values that have to stay different are compared in this
 * form. NULL without memory.
 */
char *exposition__clean(const char *text, size_t columns) __must_check;

/*
 * exposition__claimed - the same of a name that is the word of @claimant, who stands before it: "user 1000:
 * shop.service". "" or NULL: the name is trusted, and stands alone. An empty name is nobody's word.
 */
char *exposition__claimed(const char *claimant, const char *name, size_t columns) __must_check;

enum exposition_type {
	EXPOSITION_GAUGE,
	EXPOSITION_COUNTER,
	EXPOSITION_HISTOGRAM,
};

/* exposition__family - what goes before the samples of a metric. @help is a line of plain words. */
void exposition__family(FILE *out, const char *name, enum exposition_type type, const char *help);

/* exposition__count, exposition__number - one sample. What is not finite becomes 0. */
void exposition__count(FILE *out, const char *name, const struct exposition_label *labels,
		       size_t n_labels, uint64_t value);
void exposition__number(FILE *out, const char *name, const struct exposition_label *labels,
			size_t n_labels, double value);

#endif /* GLEAKD_OUTPUT_PROMETHEUS_EXPOSITION_H */
