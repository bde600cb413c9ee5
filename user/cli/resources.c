// SPDX-License-Identifier: Apache-2.0
#include "cli/resources.h"

#include "cli/look.h"
#include "session/target_resources.h"

static int look(struct rounds *rounds, struct target *target,
		const struct target_view_options *options)
{
	return target_resources__take(target, options, &rounds->failure);
}

int command__resources(const struct options *options, const struct named *named)
{
	const struct look_ops ops = {.look = look};

	return look__run(options, named, &ops);
}
