// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <string.h>

#include "golang/go_sniff.h"

#define MAX_SEGMENTS 64
#define MAX_NOTES    2048 /* bytes of one segment; Go's is among the first of some hundred */
#define NOTE_ALIGN   4

static uint32_t aligned(uint32_t size)
{
	return (size + NOTE_ALIGN - 1) & ~(uint32_t)(NOTE_ALIGN - 1);
}

/* A note of "Go" of type 4 (src/cmd/internal/buildid/note.go, elfGoNote). */
static bool has_go_note(const uint8_t *notes, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;

		memcpy(&note, notes + at, sizeof(note));
		if (note.n_namesz > size || note.n_descsz > size)
			return false;
		at += sizeof(note);
		if (note.n_type == 4 && note.n_namesz == 4 && size - at >= 4 &&
		    !memcmp(notes + at, "Go\0", 4))
			return true;
		if (aligned(note.n_namesz) + aligned(note.n_descsz) > size - at)
			return false;
		at += aligned(note.n_namesz) + aligned(note.n_descsz);
	}
	return false;
}

bool go_sniff__memory(struct remote *remote, uint64_t image)
{
	Elf64_Phdr segments[MAX_SEGMENTS];
	uint8_t notes[MAX_NOTES];
	uint64_t bias = image;
	Elf64_Ehdr header;

	if (!image || remote__read(remote, image, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(*segments) ||
	    header.e_phnum > MAX_SEGMENTS ||
	    remote__read(remote, image + header.e_phoff, segments,
			 header.e_phnum * sizeof(*segments)))
		return false;
	for (size_t i = 0; i < header.e_phnum; i++) {
		size_t size = (size_t)min_of(segments[i].p_memsz, (uint64_t)MAX_NOTES);

		if (segments[i].p_type == PT_LOAD && !segments[i].p_offset)
			bias = image - segments[i].p_vaddr;
		if (segments[i].p_type == PT_NOTE &&
		    !remote__read(remote, segments[i].p_vaddr + bias, notes, size) &&
		    has_go_note(notes, size))
			return true;
	}
	return false;
}
