// SPDX-License-Identifier: Apache-2.0
/*
 * The compiled-in table: build/generated/go_layout_table.inc, which tools/layout-table.sh makes
 * from data/go-layout.tsv and data/go-wait-reasons.tsv. Rows are ordered by version and the
 * initialisers are by name; together with the count below that makes the columns of the file and
 * the members of struct go_layout the same set.
 */
#include "golang/layout.h"

#include "go_layout_table.inc"

enum {
#define X(field) FIELD_##field,
	GO_LAYOUT_FIELDS(X)
#undef X
		N_FIELDS
};

_Static_assert(GO_LAYOUT_TABLE_COLUMNS == N_FIELDS,
	       "data/go-layout.tsv does not have the columns of GO_LAYOUT_FIELDS");

const struct go_layout *go_layout__find(int minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(go_layout_table); i++) {
		if (go_layout_table[i].minor == minor)
			return &go_layout_table[i];
	}
	return NULL;
}

const struct go_layout *go_layout__oldest(void)
{
	return &go_layout_table[0];
}

const struct go_layout *go_layout__newest(void)
{
	return &go_layout_table[ARRAY_SIZE(go_layout_table) - 1];
}

static size_t count_differences(const struct go_layout *a, const struct go_layout *b)
{
	size_t n = 0;

#define X(field) n += a->field != b->field;
	GO_LAYOUT_FIELDS(X)
#undef X
	return n;
}

const struct go_layout *go_layout__nearest(const struct go_layout *layout)
{
	const struct go_layout *nearest = go_layout__newest();

	for (size_t i = ARRAY_SIZE(go_layout_table); i-- > 0;) {
		if (count_differences(&go_layout_table[i], layout) <
		    count_differences(nearest, layout))
			nearest = &go_layout_table[i];
	}
	return nearest;
}

const char *go_layout__wait_reason(const struct go_layout *layout, uint8_t reason)
{
	if (reason >= layout->n_wait_reasons)
		return "unknown";
	return layout->wait_reasons[reason];
}
