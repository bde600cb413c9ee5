/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_BUILDINFO_H
#define GLEAKD_GOLANG_BUILDINFO_H

/*
 * The build information which the Go linker leaves in every binary, stripped or not
 * (src/debug/buildinfo/buildinfo.go). Format of Go 1.18 and later is inline; the older pointer
 * format is read only far enough to say which version it is.
 */
#include "base/common.h"
#include "base/failure.h"
#include "elf/image.h"

#define GO_MINOR_UNKNOWN (-1)

struct go_version {
	int minor; /* 26 of go1.26.8; GO_MINOR_UNKNOWN where the text is no version of Go 1 */
	int patch; /* 8; 0 for go1.26 and for development versions */
	/* as in the binary: "go1.26.8", "go1.27-devel_...", with " X:..." experiments */
	char text[96];
};

#define BUILD_INFO_MAX_LOCAL 32 /* the rest counts as foreign */

struct go_build_info {
	struct go_version version;
	char main_path[256];	  /* import path of the main package: "path" line */
	char module_path[256];	  /* "mod" line; "" for a GOPATH or command-line-arguments build */
	char module_version[128]; /* "v2.7.6", "(devel)" or "" */
	/*
	 * Dependencies that were built from a folder rather than from a release: other modules of
	 * the workspace, what is replaced by a path, the module of a file named to `go run`.
	 */
	char local_modules[BUILD_INFO_MAX_LOCAL][128];
	size_t n_local_modules;
	bool race;	       /* -race=true */
	bool plugin;	       /* -buildmode=plugin; not recorded before Go 1.20 */
	char experiments[128]; /* GOEXPERIMENT setting, "" when default */
	/* The commit that it was built from, as the version control system names it; "" */
	char vcs_revision[72];
	bool vcs_modified; /* ... and there was more */
};

/*
 * go_build_info__read - find and parse it. A version may be any text: whoever builds Go, or links with
 * -X runtime.buildVersion, chooses it.
 * Errors: -ENOEXEC not a Go program (or gccgo, TinyGo, packed: the failure says what speaks for
 * it), -EOPNOTSUPP Go older than 1.18, -EPROTO damaged.
 */
int go_build_info__read(struct elf_image *image, struct go_build_info *ret_info,
			struct failure *failure) __must_check;

/*
 * go_build_info__modules - the lines about the modules it was built from, as in the binary
 * (src/runtime/debug/mod.go ParseBuildInfo); what a terminal would act on is '?', but for tabs and ends of
 * lines. The caller frees it. Errors: -ENOENT there are none, -ENOMEM.
 */
int go_build_info__modules(struct elf_image *image, char **ret_text) __must_check;

/*
 * go_version__parse - "go1.26.8", "go1.21rc2", "devel go1.22-abc Tue ...", "go1.27-devel_abc"; also
 * without the "go", as private builds write it. -EINVAL for anything else.
 */
int go_version__parse(const char *text, struct go_version *ret_version) __must_check;

#endif /* GLEAKD_GOLANG_BUILDINFO_H */
