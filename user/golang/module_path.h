/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_MODULE_PATH_H
#define GLEAKD_GOLANG_MODULE_PATH_H

#include "base/common.h"

#define MODULE_PATH_SIZE    256
#define MODULE_VERSION_SIZE 128

struct module_version {
	char path[MODULE_PATH_SIZE];	   /* "github.com/hashicorp/go-memdb" */
	char version[MODULE_VERSION_SIZE]; /* "v1.3.3" */
};

/*
 * module_version__of_file - the module and version that a source file was compiled from, as the folder
 * of the module cache tells, or what -trimpath leaves of it: "github.com/hashicorp/go-memdb@v1.3.3/".
 * False where the path does not tell: code of the program itself, vendored, of the standard library.
 */
bool module_version__of_file(const char *file, struct module_version *ret_version);

/*
 * module_path__of_function - the import path of the package that @function, named as the linker does, is
 * in, with the linker's escapes undone; "" when it has none, cut to @size.
 */
void module_path__of_function(const char *function, char *path, size_t size);

#endif /* GLEAKD_GOLANG_MODULE_PATH_H */
