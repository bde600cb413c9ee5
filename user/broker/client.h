/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_CLIENT_H
#define GLEAKD_BROKER_CLIENT_H

/*
 * The worker's side: what host/access.h and probe/programs.h promise, by asking the broker. Any thread may
 * ask; one request is under way at a time.
 */
#include "broker/protocol.h"

/* broker_client__use - from now on everything is asked of the broker at the other end of @channel. */
void broker_client__use(int channel, struct broker_shared *shared);

/*
 * broker_client__give_up - what the broker need not be able to do from now on. Returns the capabilities
 * that it keeps.
 */
uint64_t broker_client__give_up(bool probes);

/* broker_client__notify - a message for the service manager. False: it was not taken. */
bool broker_client__notify(const char *message);

/* broker_client__in_use - whether there is a broker to ask. */
bool broker_client__in_use(void);

#endif /* GLEAKD_BROKER_CLIENT_H */
