// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

int command__failed(int err, const struct failure *failure)
{
	log_error("%s", failure->text[0] ? failure->text : strerror(-err));
	return failure__exit_code(err);
}

int command__wrote(int err, const char *what)
{
	if (!err || err == -EPIPE)
		return 0;
	log_error("cannot write %s: %s", what, strerror(-err));
	return failure__exit_code(err);
}
