/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_VERSION_IN_CODE_H
#define GLEAKD_GOLANG_VERSION_IN_CODE_H

/*
 * The Go version of a program whose build information was cut out after linking, as some publishers
 * do to make their builds reproducible. The runtime keeps its own copy: the variable
 * runtime.buildVersion, which schedinit refers to so that the linker cannot leave it out
 * (src/runtime/proc.go).
 */
#include "base/common.h"
#include "golang/buildinfo.h"
#include "elf/image.h"

/*
 * go_version__from_code - what runtime.buildVersion holds in the file. In position-independent
 * executables the loader writes the string's pointer: found only where the linker did so as well.
 * Errors: -ENOENT no such variable, or more than one that could be it; as pclntab__open().
 */
int go_version__from_code(struct elf_image *image, struct go_version *ret_version) __must_check;

#endif /* GLEAKD_GOLANG_VERSION_IN_CODE_H */
