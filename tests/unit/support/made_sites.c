// SPDX-License-Identifier: Apache-2.0
#include "made_sites.h"

#include <stdio.h>
#include <string.h>

void made_sites__init(struct made_sites *made)
{
	memset(made, 0, sizeof(*made));
	for (unsigned int i = 0; i < MADE_SITES; i++) {
		struct report_site *site = &made->sites[i];

		snprintf(made->names[i], sizeof(made->names[i]), "main.f%u", i);
		snprintf(site->id, sizeof(site->id), "%08x", 0xabc00000 + i * 0x11111);
		site->view.verdict = VERDICT_IDLE;
		site->start_function = made->names[i];
		site->view.goroutines = i + 1;
	}
	made->target = (struct report_target){.sites = made->sites, .n_sites = MADE_SITES};
	made->report = (struct report){
		.end = REPORT_INTERRUPTED, .targets = &made->target, .n_targets = 1};
}
