/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_LAYOUT_CHOICE_H
#define GLEAKD_GOLANG_LAYOUT_CHOICE_H

/*
 * Which layout a program is read with. Releases of a minor version in the table do not move what is
 * in the table, so their row is right. Anything else may: a version that is newer than the table, a
 * development version, a vendor's build, experiments (GOEXPERIMENT). There the program's DWARF
 * decides, and where it has none, the row that is nearest is only a guess. A guess has to be borne
 * out by the program's code (code_fields.h) and by the process (cross_check.h).
 */
#include "base/failure.h"
#include "golang/buildinfo.h"
#include "elf/image.h"
#include "golang/layout.h"

enum layout_source {
	LAYOUT_TABLE,
	LAYOUT_DWARF,
	LAYOUT_GUESS,
};

struct layout_choice {
	struct go_layout layout; /* minor is that of the program, or what comes nearest */
	enum layout_source source;
	int row; /* the minor version whose row a guess takes */
};

/*
 * layout_choice__make - choose. Wait reasons are those of a row: unless the source is the table
 * they have to be read from the process.
 * Errors: -EOPNOTSUPP too old, or its DWARF describes another runtime; -ENOMEM.
 */
int layout_choice__make(struct elf_image *image, const struct go_build_info *info,
			struct layout_choice *ret_choice, struct failure *failure) __must_check;

#endif /* GLEAKD_GOLANG_LAYOUT_CHOICE_H */
