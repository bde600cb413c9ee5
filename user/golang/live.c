// SPDX-License-Identifier: Apache-2.0
#include "golang/live.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int live__read_target(struct live *live, uint64_t target, void *buffer, size_t size,
		      const char *what)
{
	int err = remote__read(live->remote, target, buffer, size);

	if (err == -ESRCH)
		return failure__set(live->failure, err, "the process has ended");
	if (err == -EFAULT)
		return live__refuse(live, "%s at 0x%llx is not readable memory", what,
				    (unsigned long long)target);
	if (err)
		return failure__set(live->failure, err, "cannot read the process's memory: %s",
				    strerror(-err));
	return 0;
}

int live__read(struct live *live, uint64_t address, void *buffer, size_t size, const char *what)
{
	return live__read_target(live, address + live->bias, buffer, size, what);
}

int live__refuse(struct live *live, const char *format, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	if (live->guess)
		return failure__set(
			live->failure, -EOPNOTSUPP,
			"%s: %s is not a release that this gleakd knows (Go 1.%d to 1.%d), the "
			"file has no debug information that tells its layout, and that of Go 1.%d "
			"does not fit: %s. A newer gleakd may know it; a program built without "
			"-ldflags=-w can be watched in any case",
			elf_image__name(live->image), live->version, go_layout__oldest()->minor,
			go_layout__newest()->minor, live->guess, what);
	return failure__set(
		live->failure, -EOPNOTSUPP,
		"%s (%s): the process does not look the way Go 1.%d lays it out: %s. "
		"A patched Go toolchain, or a process that replaced its own code, gives "
		"this; otherwise please report it with the output of `gleakd --version`",
		elf_image__name(live->image), live->version, live->layout->minor, what);
}

int live__not_yet(struct live *live, const char *what)
{
	return failure__set(live->failure, -EAGAIN,
			    "the Go runtime of the process has not started yet: %s", what);
}
