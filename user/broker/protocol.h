/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_PROTOCOL_H
#define GLEAKD_BROKER_PROTOCOL_H

/*
 * What the worker, which has no privileges, asks of the broker, which has them. One request and one
 * answer at a time, as packets of a socketpair(2), descriptors with them; what is long lies in memory
 * that both have mapped. The worker is not to be trusted: it has read what others wrote.
 *
 * Both are the same program, forked, so there are no versions and no byte order.
 */
#include <limits.h>
#include <linux/types.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/common.h"
#include "base/failure.h"
#include "host/access.h"
#include "host/access_guard.h"
#include "probe/programs.h"

enum broker_op {
	/* Files; the path is text[]. */
	BROKER_OPEN,	      /* flags -> descriptor */
	BROKER_OPEN_BELOW,    /* text[]: the root, NUL, the path; flags -> descriptor */
	BROKER_READ,	      /* size -> bytes in the window */
	BROKER_LINK,	      /* likewise */
	BROKER_STAT,	      /* flags: the mask -> struct statx in the window */
	BROKER_LIST,	      /* -> pid_t in the window; the result is their number */
	BROKER_INPUT,	      /* a file that the user named, flags -> descriptor */
	BROKER_OUTPUT,	      /* likewise; flags: enum access_output -> descriptor, or 0 */
	BROKER_EVIDENCE_OPEN, /* a folder that the user named; slot: folders, size: bytes */
	/* Processes; pid. */
	BROKER_PIDFD,	   /* -> descriptor */
	BROKER_OWNER,	   /* flags: its uid -> uid */
	BROKER_HOSTNAME,   /* -> text in the window, the result is its length */
	BROKER_MARK_PAGES, /* soft-dirty */
	BROKER_HOLD,	   /* size: at most so many ns -> struct broker_held, then its threads */
	BROKER_RELEASE,	   /* -> struct broker_held */
	BROKER_COME_FIRST, /* flags: whether the worker comes before everybody else on a processor */
	BROKER_MEMORY_OPEN, /* -> handle */
	/* Memory; handle. */
	BROKER_MEMORY_READ, /* size: the number of ranges in the shared memory -> bytes in the window */
	BROKER_SHARE,	    /* size: of memory for copies, 0: no more -> its descriptor */
	BROKER_MEMORY_COPY, /* size: the number of ranges in the shared memory -> bytes, at their offsets */
	BROKER_MEMORY_IN_USE,
	BROKER_MEMORY_CLOSE,
	/* Probes. */
	BROKER_FOLLOW,	/* -> descriptors of struct process_programs */
	BROKER_PREPARE, /* -> struct programs_outlook in the window */
	/* handle: enum programs_kind. */
	BROKER_LOAD, /* size: of the ring -> its descriptor, and of goroutines that of their counts */
	BROKER_UNLOAD,
	BROKER_HIT_COST, /* -> struct alloc_cost in the window */
	BROKER_DESCRIBE, /* slot, target */
	BROKER_COUNTS,	 /* of allocations; slot -> union program_counts in the window */
	BROKER_DRAW,	 /* slot; size: the gap */
	/* site, the executable's descriptor; size: the number of places in the shared memory -> a link's */
	BROKER_ATTACH,
	/* The rest. */
	BROKER_GIVE_UP,	    /* flags: probes are wanted -> capabilities that the broker kept */
	BROKER_NOTIFY,	    /* text[] to the service manager */
	BROKER_USAGE,	    /* flags: all of it -> struct access_usage in the window */
	BROKER_QUARANTINED, /* -> struct quarantine_entry in the window; the result is their number */
	BROKER_QUARANTINE, /* .quarantine */
	BROKER_USER_NAME,  /* flags: the uid -> its name in the window, the result is its length */
	BROKER_USER_ID,	   /* text[] -> uid */
	/* flags: enum access_evidence_step; pid; handle: the site, or the file; size: bytes in the window. */
	BROKER_EVIDENCE, /* -> the name in the window */
	BROKER_OPS,
};

/* Two paths with their NULs. */
#define BROKER_TEXT_MAX (2 * PATH_MAX)

struct broker_request {
	__u32 op; /* enum broker_op */
	__u32 flags;
	__s32 pid;
	__u32 handle;
	__u64 size;
	__u64 slot;
	union program_target target;
	struct quarantine_entry quarantine;
	struct program_site site; /* the descriptor in it means nothing */
	__u32 text_size;	  /* of text[]; the packet ends with it */
	char text[BROKER_TEXT_MAX];
};

#define BROKER_REQUEST_MIN offsetof(struct broker_request, text)

/* As many descriptors as PROCESS_PROGRAM_FDS come with it at most. */
struct broker_answer {
	__s64 result; /* -errno */
	__u64 at;     /* of the window's bytes, the first that belongs to it */
	struct failure failure;
};

#define BROKER_MAX_FDS PROCESS_PROGRAM_FDS

/* Addresses that the memory for copies takes in both; pages that nothing was copied to do not exist. */
#define BROKER_SHARE_MAX (1ull << 40)

/* Memory of a process that is open at one time; each has a descriptor. */
#define BROKER_MAX_MEMORIES 8192

/* One read: what is written here is read by the other processor a moment later, from its cache. */
#define BROKER_MEMORY_MAX ACCESS_GUARD_MEMORY_MAX

/* The threads of a process that stands still, PROCESS_STOP_MAX_THREADS of them, and any other answer. */
#define BROKER_WINDOW (8u << 20)

struct broker_held {
	__u64 begin_ns; /* when its first thread was stopped; or how long it stood still */
	__u64 n_threads;
};

/* Both write to it at any time: what the broker judges it copies first. */
struct broker_shared {
	struct iovec ranges[ACCESS_RANGES_MAX]; /* of the process whose memory it is */
	__u64 offsets[ACCESS_COPY_RANGES];	/* where each of them goes that is copied */
	struct program_place places[PROGRAM_PLACES_MAX];
	/* Behind that of answers those where helpers leave what they read. */
	__u8 window[BROKER_WINDOW + ACCESS_GUARD_WINDOWS * BROKER_MEMORY_MAX];
};

#endif /* GLEAKD_BROKER_PROTOCOL_H */
