// SPDX-License-Identifier: Apache-2.0
#include "golang/build_id.h"

#include <ctype.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

#define NOTE_GO_BUILD_ID 4 /* src/cmd/internal/buildid/note.go, elfGoBuildIDTag */

/* Both names take four bytes: "GNU", and Go's with two zero bytes (src/cmd/link/internal/ld/elf.go). */
#define NAME_SIZE 4

/* What the note in @section describes, at most @size bytes; 0: there is no such note. */
static size_t read_note(struct elf_image *image, const char *section, const char name[NAME_SIZE],
			uint32_t type, uint8_t *out, size_t size)
{
	struct elf_section at;
	Elf64_Nhdr note;
	char found[NAME_SIZE];

	if (elf_image__section(image, section, &at) || !at.has_bits ||
	    elf_image__read_offset(image, at.offset, &note, sizeof(note)) || note.n_type != type ||
	    note.n_namesz != NAME_SIZE || note.n_descsz > size ||
	    elf_image__read_offset(image, at.offset + sizeof(note), found, NAME_SIZE) ||
	    memcmp(found, name, NAME_SIZE) != 0 ||
	    elf_image__read_offset(image, at.offset + sizeof(note) + NAME_SIZE, out, note.n_descsz))
		return 0;
	return note.n_descsz;
}

void build_id__read(struct elf_image *image, char out[BUILD_ID_TEXT])
{
	uint8_t id[BUILD_ID_TEXT];
	size_t n = read_note(image, ".note.gnu.build-id", ELF_NOTE_GNU, NT_GNU_BUILD_ID, id,
			     BUILD_ID_TEXT / 2 - 1);

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, BUILD_ID_TEXT - 2 * i, "%02x", id[i]);
	if (n)
		return;
	n = read_note(image, ".note.go.buildid", "Go\0", NOTE_GO_BUILD_ID, id, BUILD_ID_TEXT - 1);
	for (size_t i = 0; i < n; i++)
		out[i] = isgraph(id[i]) ? (char)id[i] : '?';
	out[n] = '\0';
}
