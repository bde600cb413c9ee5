// SPDX-License-Identifier: Apache-2.0
#include "discover/look_shares.h"

#include "host/owner.h"

/* The largest executables take a second: what one of them costs is not all paid. */
#define MAX_GAP_NS (10 * NSEC_PER_SEC)

void look_shares__limit(struct look_shares *shares, double share)
{
	*shares = (struct look_shares){.share = share};
}

static struct look_share *share_of(struct look_shares *shares, uid_t owner)
{
	struct look_share *first = &shares->all[0];

	for (size_t i = 0; i < shares->n; i++) {
		if (shares->all[i].owner == owner)
			return &shares->all[i];
		if (shares->all[i].next_ns < first->next_ns)
			first = &shares->all[i];
	}
	if (shares->n < LOOK_SHARES_MAX)
		first = &shares->all[shares->n++];
	*first = (struct look_share){.owner = owner};
	return first;
}

uint64_t look_shares__turn(struct look_shares *shares, uid_t owner, uint64_t now_ns)
{
	struct look_share *share;

	if (!look_shares__any(shares) || owner__is_host(owner))
		return now_ns;
	share = share_of(shares, owner);
	if (share->held_ns > now_ns)
		return share->held_ns;
	if (share->next_ns <= now_ns)
		return now_ns;
	share->last_ns = max_of(share->next_ns, share->last_ns + share->gap_ns);
	share->last_ns = min_of(share->last_ns, now_ns + LOOK_SHARES_WAIT_NS);
	return share->last_ns;
}

void look_shares__hold(struct look_shares *shares, uid_t owner, uint64_t until_ns)
{
	if (!owner__is_host(owner))
		share_of(shares, owner)->held_ns = until_ns;
}

void look_shares__pay(struct look_shares *shares, uid_t owner, uint64_t cpu_ns, uint64_t now_ns)
{
	struct look_share *share;
	uint64_t gap_ns;

	if (shares->share <= 0 || owner__is_host(owner))
		return;
	share = share_of(shares, owner);
	gap_ns = (uint64_t)min_of((double)cpu_ns / shares->share, (double)MAX_GAP_NS);
	share->gap_ns = share->gap_ns ? (3 * share->gap_ns + gap_ns) / 4 : gap_ns;
	share->next_ns = max_of(share->next_ns, now_ns) + gap_ns;
}
