// SPDX-License-Identifier: Apache-2.0
/*
 * Whose code a function is. A Go function's name begins with its package's import path, in which
 * the linker escapes the dots after the last slash (src/cmd/internal/objabi/path.go), so the first
 * dot there ends the path: "gopkg.in/yaml%2ev3.(*Decoder).Decode".
 */
#include <string.h>

#include "golang/symbolize.h"

#include "golang/module_path.h"

#define MAX_PATH 512

/* Packages below the runtime that are called by it, and hardly by anything else. */
static const char *const runtime_packages[] = {
	"runtime",
	"internal/runtime",
	"internal/abi",
	"internal/bytealg",
	"internal/chacha8rand",
	"internal/cpu",
	"internal/stringslite",
};

/* Whether @path is @parent or something below it. */
static bool is_below(const char *path, const char *parent, size_t length)
{
	return length && !strncmp(path, parent, length) &&
	       (path[length] == '\0' || path[length] == '/');
}

static bool is_runtime(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(runtime_packages); i++) {
		if (is_below(path, runtime_packages[i], strlen(runtime_packages[i])))
			return true;
	}
	return false;
}

/* The tests of package p may be a package p_test beside it (cmd/go/internal/load/test.go). */
static void drop_test_suffix(char path[MAX_PATH])
{
	static const char suffix[] = "_test";
	size_t n = strlen(path);

	if (n > strlen(suffix) && !strcmp(path + n - strlen(suffix), suffix))
		path[n - strlen(suffix)] = '\0';
}

/* Without modules, the packages next to the main package are taken to be of the same project. */
static bool is_main(const char *path, const struct go_build_info *info)
{
	const char *slash;

	if (!strcmp(path, "main"))
		return true;
	/* Without modules, what was vendored keeps the path of the folder it is in. */
	if (strstr(path, "/vendor/"))
		return false;
	for (size_t i = 0; i < info->n_local_modules; i++) {
		if (is_below(path, info->local_modules[i], strlen(info->local_modules[i])))
			return true;
	}
	if (info->module_path[0])
		return is_below(path, info->module_path, strlen(info->module_path));
	slash = strrchr(info->main_path, '/');
	return slash && is_below(path, info->main_path, (size_t)(slash - info->main_path));
}

/* A program that was installed from the cache is there itself. */
static bool is_of_library(const char *file, const struct go_build_info *info)
{
	struct module_version from;

	return file && module_version__of_file(file, &from) &&
	       strcmp(from.path, info->module_path) != 0;
}

enum frame_owner frame_owner__of(const char *function, const char *file,
				 const struct go_build_info *info)
{
	char path[MAX_PATH];
	size_t first;

	/* Hash and equality functions that the compiler makes for types. */
	if (!strncmp(function, "type:.", 6) || !strncmp(function, "type..", 6))
		return FRAME_RUNTIME;
	module_path__of_function(function, path, sizeof(path));
	/* Assembly of the runtime, "gogo", and what cgo adds have no package; nor has an address. */
	if (!path[0] || is_runtime(path))
		return FRAME_RUNTIME;
	drop_test_suffix(path);
	if (is_main(path, info))
		return is_of_library(file, info) ? FRAME_DEPENDENCY : FRAME_MAIN;
	/* "vendor/golang.org/x/net/..." is the standard library's own copy. */
	first = strcspn(path, "/");
	return memchr(path, '.', first) ? FRAME_DEPENDENCY : FRAME_STDLIB;
}
