/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_GOLANG_REAL_BINARIES_H
#define GLEAKD_TESTS_GOLANG_REAL_BINARIES_H

/*
 * Programs built by real Go toolchains from tests/programs/frames, one directory each with `prog`
 * and `expected.txt`, which is what the program itself printed about its own pcs. They are looked
 * for in $GLEAKD_TEST_BINARIES, or build/tests/binaries; a test that needs them is skipped when
 * there are none.
 */
#include "elf/image.h"
#include "golang/pclntab.h"

#define MAX_REAL_BINARIES 128

struct real_binary {
	char name[64]; /* of the directory: "1.26.8-static", VERSION-KIND */
	char program[512];
	char expected[512];
};

/* real_binaries__list - those that are there; ends the test as skipped when none is. */
size_t real_binaries__list(struct real_binary *binaries, size_t max);

/* real_binary__is - whether the part after the version is @kind. */
bool real_binary__is(const struct real_binary *binary, const char *kind);

/* real_binary__minor - 26 of "1.26.8-static". */
int real_binary__minor(const struct real_binary *binary);

/* Opens or fails the test. */
struct elf_image *real_binary__open(const struct real_binary *binary);

/* One line of expected.txt, cut at its tabs. */
struct expected_line {
	char text[2048];
	char *field[6];
	size_t n;
};

/* expected_line__next - the next line of an open expected.txt; false at its end. */
bool expected_line__next(void *file, struct expected_line *line);

#endif /* GLEAKD_TESTS_GOLANG_REAL_BINARIES_H */
