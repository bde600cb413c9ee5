/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_SAMPLE_RESOURCES_H
#define GLEAKD_TESTS_SAMPLE_RESOURCES_H

/* What a process has open: files that grow, connections that do not, timers, and files that are lost. */
#include "track/resources.h"

const struct resource_lines *sample_resources(void);

#endif /* GLEAKD_TESTS_SAMPLE_RESOURCES_H */
