/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_LAYOUT_DWARF_H
#define GLEAKD_GOLANG_LAYOUT_DWARF_H

/*
 * The layout of the runtime's structs as the compiler wrote it down in the program's DWARF. It is
 * what the table is made from, for programs that the table does not know.
 *
 * Go's linker describes all types in the compilation unit of package runtime, which comes early.
 * Only what lies before its end is decompressed, at most 64 MiB.
 */
#include "base/failure.h"
#include "elf/image.h"
#include "golang/layout.h"

/*
 * layout_dwarf__read - fills the offsets of @ret_layout and leaves minor, measured and the wait
 * reasons alone. Every offset is inside its struct, every struct at most LAYOUT_DWARF_MAX_STRUCT
 * bytes; fields that the oldest or the newest Go of the table does not have may be absent, and
 * so may all that only the heap is read with.
 * Errors: -ENOENT no DWARF, or none of the runtime, or it is damaged; -EOPNOTSUPP the runtime's
 * structs are there and are not what gleakd expects (the failure names the field); -ENOMEM.
 */
int layout_dwarf__read(struct elf_image *image, struct go_layout *ret_layout,
		       struct failure *failure) __must_check;

#define LAYOUT_DWARF_MAX_STRUCT (4u << 20) /* a heapArena of Go 1.18 has 2.1 MiB */

#endif /* GLEAKD_GOLANG_LAYOUT_DWARF_H */
