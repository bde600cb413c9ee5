// SPDX-License-Identifier: Apache-2.0
#include "host/capability.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * Numbers of include/uapi/linux/capability.h. Spelled out here because CAP_PERFMON and CAP_BPF
 * came with Linux 5.8, after the headers that some build hosts still have.
 */
static const struct {
	int cap;
	const char *name;
} known_caps[] = {
	{0, "CAP_CHOWN"},
	{1, "CAP_DAC_OVERRIDE"},
	{2, "CAP_DAC_READ_SEARCH"},
	{6, "CAP_SETGID"},
	{7, "CAP_SETUID"},
	{8, "CAP_SETPCAP"},
	{12, "CAP_NET_ADMIN"},
	{14, "CAP_IPC_LOCK"},
	{19, "CAP_SYS_PTRACE"},
	{23, "CAP_SYS_NICE"},
	{21, "CAP_SYS_ADMIN"},
	{24, "CAP_SYS_RESOURCE"},
	{34, "CAP_SYSLOG"},
	{38, "CAP_PERFMON"},
	{39, "CAP_BPF"},
	{40, "CAP_CHECKPOINT_RESTORE"},
};

const char *capability__name(int cap)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_caps); i++) {
		if (known_caps[i].cap == cap)
			return known_caps[i].name;
	}
	return NULL;
}

/*
 * The Name line comes first and holds a comm, which the process chooses. The kernel escapes its
 * newlines (fs/proc/array.c proc_task_name), so a match at the start of a line is the real one. A
 * line that is longer than the buffer (Groups) arrives in pieces, which start with digits.
 */
int capability__effective(const char *status_path, uint64_t *ret_set)
{
	FILE *file __cleanup_fclose = fopen(status_path, "re");
	char line[256];
	uint64_t set;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff:%" SCNx64, &set) == 1) {
			*ret_set = set;
			return 0;
		}
	}
	return ferror(file) ? -EIO : -EPROTO;
}

static struct {
	bool known;
	uint64_t set;
} agent;

void capability__set_agent(uint64_t set)
{
	agent.known = true;
	agent.set = set;
}

uint64_t capability__all(void)
{
	uint64_t set = 0;

	if (agent.known)
		return agent.set;
	/* Without /proc nothing is known, and nothing else will work either. */
	if (capability__effective("/proc/self/status", &set))
		return 0;
	return set;
}

static bool in_set(uint64_t set, int cap)
{
	return cap >= 0 && cap < 64 && (set >> cap & 1);
}

bool capability__has(int cap)
{
	return in_set(capability__all(), cap);
}

/* Append @name, or "capability 41" when it has none; what does not fit is cut. */
static void append_name(char *out, size_t out_size, const char *name, int cap)
{
	size_t used = strlen(out);
	const char *comma = used ? ", " : "";

	if (name)
		snprintf(out + used, out_size - used, "%s%s", comma, name);
	else
		snprintf(out + used, out_size - used, "%scapability %d", comma, cap);
}

size_t capability__missing(const int *caps, size_t n_caps, char *out, size_t out_size)
{
	uint64_t set = capability__all();
	size_t n_missing = 0;

	if (out_size)
		out[0] = '\0';
	for (size_t i = 0; i < n_caps; i++) {
		if (in_set(set, caps[i]))
			continue;
		n_missing++;
		if (out_size)
			append_name(out, out_size, capability__name(caps[i]), caps[i]);
	}
	return n_missing;
}

const char *capability__advice(void)
{
	return geteuid() == 0 ? "give them to the container or service that gleakd runs in" :
				"run gleakd with sudo";
}

int capability__refused(const char *what, const int *caps, size_t n_caps, struct failure *failure)
{
	char missing[128];

	if (capability__missing(caps, n_caps, missing, sizeof(missing)))
		return failure__set(failure, -EACCES, "%s may not be read without %s; %s", what,
				    missing, capability__advice());
	return failure__set(
		failure, -EACCES,
		"%s may not be read although gleakd has the capabilities for it: the "
		"process belongs to another user namespace, or a security module (SELinux, "
		"AppArmor) or a sandbox refuses; run gleakd on the host itself",
		what);
}

void capability__names(uint64_t set, char *out, size_t out_size)
{
	if (!out_size)
		return;
	out[0] = '\0';
	for (int cap = 0; cap < 64; cap++) {
		if (in_set(set, cap))
			append_name(out, out_size, capability__name(cap), cap);
	}
	if (!set)
		snprintf(out, out_size, "none");
}

/* --- giving up ---------------------------------------------------------------------------------- */

/* Spelled out for the same reason as above. */
#define BIT_DAC_OVERRIDE       (1ULL << 1)
#define BIT_DAC_READ_SEARCH    (1ULL << 2)
#define BIT_SYS_PTRACE	       (1ULL << 19)
#define BIT_SYS_NICE	       (1ULL << 23)
#define BIT_SYS_ADMIN	       (1ULL << 21)
#define BIT_PERFMON	       (1ULL << 38)
#define BIT_BPF		       (1ULL << 39)
#define BIT_CHECKPOINT_RESTORE (1ULL << 40)

struct own_sets {
	uint64_t effective, permitted, inheritable;
};

static int get_sets(struct own_sets *ret_sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data))
		return -errno;
	ret_sets->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	ret_sets->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	ret_sets->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
	return 0;
}

static int put_sets(const struct own_sets *sets)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(sets->effective >> 32 * i);
		data[i].permitted = (uint32_t)(sets->permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(sets->inheritable >> 32 * i);
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/*
 * Asks the kernel as a process without these capabilities, so that ACLs and read-only mounts count
 * too.
 */
bool capability__writable(const char *folder)
{
	struct own_sets sets, fewer;
	bool writable;

	if (get_sets(&sets))
		return false;
	fewer = sets;
	fewer.effective &= ~(BIT_DAC_OVERRIDE | BIT_DAC_READ_SEARCH);
	if (put_sets(&fewer))
		return false;
	writable = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
	/*
	 * The capabilities stayed permitted, so the kernel cannot refuse to make them effective
	 * again.
	 */
	return put_sets(&sets) == 0 && writable;
}

/*
 * Process memory and links in /proc of others: CAP_SYS_PTRACE. Their executables, when only the owner
 * may read them: CAP_DAC_READ_SEARCH. Libraries to which no path leads: CAP_CHECKPOINT_RESTORE, of Linux
 * 5.9 and later. To stop a process, and to have probes on its allocations, for no longer than was meant on a busy
 * machine: CAP_SYS_NICE. CAP_SYS_RESOURCE, for BPF memory before Linux 5.11, is not among them: without attach
 * cookies (5.15) there are no probes anyway (probe/kernel.c).
 */
uint64_t capability__needed(const struct capability_use *use)
{
	uint64_t set = BIT_SYS_PTRACE | BIT_DAC_READ_SEARCH | BIT_CHECKPOINT_RESTORE;

	if (use->probes)
		set |= BIT_BPF | BIT_PERFMON;
	if (use->probes && !use->uprobe_multi)
		set |= BIT_SYS_ADMIN;
	if (use->comes_first)
		set |= BIT_SYS_NICE;
	if (use->write_anywhere)
		set |= BIT_DAC_OVERRIDE;
	return set;
}

/*
 * The bounding set caps what an executed program gets. Without CAP_SETPCAP, as under the shipped
 * unit, it cannot be made smaller; no_new_privs then keeps programs from gaining what is gone from
 * the permitted set (security/commoncap.c cap_bprm_creds_from_file()).
 */
static int drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++) {
		if (in_set(keep, cap) || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return errno == EPERM ? 0 : -errno;
	}
	return 0;
}

static int give_up(uint64_t set)
{
	struct own_sets sets = {0};
	int err = get_sets(&sets);

	if (!err)
		err = drop_bounding(set);
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	/* EINVAL: before Linux 4.3 there is no ambient set. */
	if (!err && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		err = -errno;
	if (err)
		return err;
	sets.permitted &= set;
	sets.effective &= set;
	sets.inheritable = 0;
	return put_sets(&sets);
}

int capability__keep(uint64_t set, uint64_t *ret_kept, struct failure *failure)
{
	struct own_sets sets = {0};
	int err = give_up(set);

	if (get_sets(&sets) == 0)
		*ret_kept = sets.effective;
	if (err)
		return failure__set(failure, err,
				    "cannot give up capabilities: %s; a sandbox around gleakd "
				    "(seccomp) has to allow capset and prctl",
				    strerror(-err));
	if (sets.permitted & ~set)
		return failure__set(failure, -EPERM,
				    "the kernel left capabilities that were given up; take them "
				    "away from outside: CapabilityBoundingSet= in the unit");
	return 0;
}
