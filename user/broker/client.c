// SPDX-License-Identifier: Apache-2.0
#include "broker/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/client_private.h"
#include "host/channel.h"
#include "host/process.h"
#include "host/process_stop.h"

struct broker_client broker_client = {.lock = PTHREAD_MUTEX_INITIALIZER, .channel = -1};

/* The broker has gone: there is nothing left to work for, and the kernel is about to say so. */
static _Noreturn void give_in(void)
{
	_exit(1);
}

int64_t broker_client__ask(struct broker_request *request, int fd, struct broker_got *got)
{
	struct broker_answer answer;
	ssize_t n;

	__atomic_fetch_add(&broker_client.asked, 1, __ATOMIC_RELAXED);
	if (channel__send(broker_client.channel, request, BROKER_REQUEST_MIN + request->text_size,
			  &fd, fd >= 0))
		give_in();
	n = channel__receive(broker_client.channel, &answer, sizeof(answer), got->fds,
			     BROKER_MAX_FDS, &got->n_fds);
	if (n != sizeof(answer))
		give_in();
	got->failure = answer.failure;
	got->at = answer.at;
	return answer.result;
}

/* --- requests ------------------------------------------------------------------------------------ */

/* Appends @text and its NUL; false: it does not fit. */
static bool put_text(struct broker_request *request, const char *text)
{
	size_t size = strlen(text) + 1;

	if (size > BROKER_TEXT_MAX - request->text_size)
		return false;
	memcpy(request->text + request->text_size, text, size);
	request->text_size += (__u32)size;
	return true;
}

void broker_client__begin(struct broker_request *request, enum broker_op op)
{
	memset(request, 0, BROKER_REQUEST_MIN);
	request->op = op;
}

int64_t broker_client__ask_for(struct broker_request *request, void *out, size_t out_size,
			       bool exact, struct broker_got *got)
{
	struct broker_got none;
	int64_t result;

	pthread_mutex_lock(&broker_client.lock);
	result = broker_client__ask(request, -1, got ? got : &none);
	if (result >= 0 && out)
		memcpy(out, broker_client.shared->window,
		       exact ? out_size : min_of((size_t)result, out_size));
	pthread_mutex_unlock(&broker_client.lock);
	return result;
}

int broker_client__fd_of(int64_t result, const struct broker_got *got)
{
	if (result < 0)
		return (int)result;
	return got->n_fds ? got->fds[0] : -EPROTO;
}

int broker_client__ask_for_fd(struct broker_request *request)
{
	struct broker_got got = {.n_fds = 0};
	int64_t result = broker_client__ask_for(request, NULL, 0, false, &got);

	return broker_client__fd_of(result, &got);
}

/* --- files --------------------------------------------------------------------------------------- */

static int client_open(const char *path, int flags)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_OPEN);
	request.flags = (__u32)flags;
	return put_text(&request, path) ? broker_client__ask_for_fd(&request) : -ENAMETOOLONG;
}

static int client_open_below(const char *root, const char *path, int flags)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_OPEN_BELOW);
	request.flags = (__u32)flags;
	return put_text(&request, root) && put_text(&request, path) ?
		       broker_client__ask_for_fd(&request) :
		       -ENAMETOOLONG;
}

static ssize_t client_read(const char *path, void *buffer, size_t size)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_READ);
	request.size = size;
	return put_text(&request, path) ?
		       broker_client__ask_for(&request, buffer, size, false, NULL) :
		       -ENAMETOOLONG;
}

static ssize_t client_link(const char *path, char *text, size_t size)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_LINK);
	request.size = size;
	return put_text(&request, path) ?
		       broker_client__ask_for(&request, text, size, false, NULL) :
		       -ENAMETOOLONG;
}

static int client_stat(const char *path, unsigned int mask, struct statx *ret_stat)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_STAT);
	request.flags = mask;
	return put_text(&request, path) ?
		       (int)broker_client__ask_for(&request, ret_stat, sizeof(*ret_stat), true,
						   NULL) :
		       -ENAMETOOLONG;
}

static int client_list(const char *path, pid_t **ret_numbers, size_t *ret_n)
{
	struct broker_request request;
	pid_t *numbers = NULL;
	struct broker_got got;
	int64_t n;

	broker_client__begin(&request, BROKER_LIST);
	if (!put_text(&request, path))
		return -ENAMETOOLONG;
	pthread_mutex_lock(&broker_client.lock);
	n = broker_client__ask(&request, -1, &got);
	if (n >= 0)
		numbers = calloc((size_t)n + 1, sizeof(*numbers));
	if (numbers)
		memcpy(numbers, broker_client.shared->window, (size_t)n * sizeof(*numbers));
	pthread_mutex_unlock(&broker_client.lock);
	if (n < 0)
		return (int)n;
	*ret_numbers = numbers;
	*ret_n = (size_t)n;
	return numbers ? 0 : -ENOMEM;
}

static int client_input(const char *path, int flags)
{
	/* What anybody may read, and descriptors of our own ("/dev/fd/63"). */
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	struct broker_request request;

	if (fd >= 0 || (errno != EACCES && errno != EPERM))
		return fd >= 0 ? fd : -errno;
	broker_client__begin(&request, BROKER_INPUT);
	request.flags = (__u32)flags;
	if (!put_text(&request, path))
		return -ENAMETOOLONG;
	return broker_client__ask_for_fd(&request);
}

static int client_output(enum access_output step, const char *path)
{
	struct broker_request request;
	struct broker_got got = {.n_fds = 0};
	int64_t result;

	broker_client__begin(&request, BROKER_OUTPUT);
	request.flags = step;
	if (!put_text(&request, path))
		return -ENAMETOOLONG;
	result = broker_client__ask_for(&request, NULL, 0, false, &got);
	return result || !got.n_fds ? (int)result : got.fds[0];
}

static int client_evidence(const struct access_evidence *evidence, struct failure *failure)
{
	bool opens = evidence->step == EVIDENCE_OPEN, appends = evidence->step == EVIDENCE_APPEND;
	struct broker_request request;
	struct broker_got got;
	int64_t err;

	broker_client__begin(&request, opens ? BROKER_EVIDENCE_OPEN : BROKER_EVIDENCE);
	request.flags = evidence->step;
	request.pid = evidence->pid;
	request.handle = appends ? evidence->file : evidence->site;
	request.slot = evidence->limits.items;
	request.size =
		opens ? evidence->limits.bytes : min_of(evidence->size, ACCESS_EVIDENCE_PART);
	if (opens && !put_text(&request, evidence->path))
		return -ENAMETOOLONG;
	pthread_mutex_lock(&broker_client.lock);
	if (appends)
		memcpy(broker_client.shared->window, evidence->bytes, (size_t)request.size);
	err = broker_client__ask(&request, -1, &got);
	if (evidence->name)
		memcpy(evidence->name, broker_client.shared->window, EVIDENCE_NAME_SIZE);
	pthread_mutex_unlock(&broker_client.lock);
	if (err && failure)
		*failure = got.failure;
	return (int)err;
}

/* --- processes ----------------------------------------------------------------------------------- */

static int client_pidfd(pid_t pid)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_PIDFD);
	request.pid = pid;
	return broker_client__ask_for_fd(&request);
}

static uid_t client_owner(const char *proc_root __maybe_unused, pid_t pid, uid_t uid)
{
	struct broker_request request;
	int64_t owner;

	broker_client__begin(&request, BROKER_OWNER);
	request.pid = pid;
	request.flags = uid;
	owner = broker_client__ask_for(&request, NULL, 0, false, NULL);
	return owner < 0 ? uid : (uid_t)owner;
}

static ssize_t client_hostname(const char *proc_root __maybe_unused, pid_t pid, char *name,
			       size_t size)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_HOSTNAME);
	request.pid = pid;
	return broker_client__ask_for(&request, name, size, false, NULL);
}

static int client_mark_pages(pid_t pid)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_MARK_PAGES);
	request.pid = pid;
	return (int)broker_client__ask_for(&request, NULL, 0, false, NULL);
}

static int client_hold(const char *proc_root __maybe_unused, pid_t pid, uint64_t limit_ns,
		       struct process_stop **ret_stop, struct failure *failure)
{
	const struct broker_held *held = (const void *)broker_client.shared->window;
	struct broker_request request;
	struct broker_got got;
	int64_t err;

	broker_client__begin(&request, BROKER_HOLD);
	request.pid = pid;
	request.size = limit_ns;
	pthread_mutex_lock(&broker_client.lock);
	err = broker_client__ask(&request, -1, &got);
	if (!err)
		err = process_stop__describe(pid, held->begin_ns,
					     (const struct stopped_thread *)(held + 1),
					     (size_t)held->n_threads, ret_stop);
	else if (failure)
		*failure = got.failure;
	pthread_mutex_unlock(&broker_client.lock);
	return (int)err;
}

static uint64_t client_release(struct process_stop *stop)
{
	struct broker_request request;
	struct broker_held held = {0};

	broker_client__begin(&request, BROKER_RELEASE);
	(void)!broker_client__ask_for(&request, &held, sizeof(held), true, NULL);
	process_stop__release(stop);
	return held.begin_ns;
}

static void client_come_first(bool first)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_COME_FIRST);
	request.flags = first;
	(void)!broker_client__ask_for(&request, NULL, 0, false, NULL);
}

static void client_usage(struct access_usage *ret_usage, bool whole)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_USAGE);
	request.flags = whole;
	if (broker_client__ask_for(&request, ret_usage, sizeof(*ret_usage), true, NULL))
		*ret_usage = (struct access_usage){.cpu_seconds = 0};
}

static ssize_t client_user_name(uid_t uid, char *name, size_t size)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_USER_NAME);
	request.flags = uid;
	return broker_client__ask_for(&request, name, size, false, NULL);
}

static int64_t client_user_id(const char *name)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_USER_ID);
	return put_text(&request, name) ? broker_client__ask_for(&request, NULL, 0, false, NULL) :
					  -ENAMETOOLONG;
}

static size_t client_quarantined(struct quarantine_entry *entries, size_t max)
{
	struct broker_request request;
	struct broker_got got;
	int64_t n;

	broker_client__begin(&request, BROKER_QUARANTINED);
	pthread_mutex_lock(&broker_client.lock);
	n = min_of(max_of(broker_client__ask(&request, -1, &got), (int64_t)0), (int64_t)max);
	memcpy(entries, broker_client.shared->window, (size_t)n * sizeof(*entries));
	pthread_mutex_unlock(&broker_client.lock);
	return (size_t)n;
}

static void client_quarantine(const struct quarantine_entry *entry)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_QUARANTINE);
	request.quarantine = *entry;
	(void)!broker_client__ask_for(&request, NULL, 0, false, NULL);
}

static int client_follow(struct process_programs *ret_programs)
{
	struct broker_request request;
	struct broker_got got = {.n_fds = 0};
	int64_t err;

	broker_client__begin(&request, BROKER_FOLLOW);
	err = broker_client__ask_for(&request, NULL, 0, false, &got);
	if (err)
		return (int)err;
	memcpy(ret_programs->fds, got.fds, sizeof(ret_programs->fds));
	return 0;
}

static const struct access_ops access_ops = {
	.open = client_open,
	.open_below = client_open_below,
	.read = client_read,
	.link = client_link,
	.stat = client_stat,
	.list = client_list,
	.open_memory = broker_client__open_memory,
	.read_memory = broker_client__read_memory,
	.read_in_place = broker_client__read_in_place,
	.asked = broker_client__asked,
	.share = broker_client__share,
	.unshare = broker_client__unshare,
	.copy_memory = broker_client__copy_memory,
	.memory_in_use = broker_client__memory_in_use,
	.close_memory = broker_client__close_memory,
	.pidfd = client_pidfd,
	.owner = client_owner,
	.hostname = client_hostname,
	.input = client_input,
	.output = client_output,
	.evidence = client_evidence,
	.usage = client_usage,
	.user_name = client_user_name,
	.user_id = client_user_id,
	.follow = client_follow,
	.mark_pages = client_mark_pages,
	.hold = client_hold,
	.release = client_release,
	.come_first = client_come_first,
	.quarantined = client_quarantined,
	.quarantine = client_quarantine,
	.memory_max = BROKER_MEMORY_MAX,
	.one_at_a_time = true,
	.asks_another = true,
};

/* --- the interface ------------------------------------------------------------------------------- */

void broker_client__use(int channel, struct broker_shared *shared)
{
	broker_client.channel = channel;
	broker_client.shared = shared;
	access__use(&access_ops);
	programs__use(&broker_programs);
}

bool broker_client__in_use(void)
{
	return broker_client.channel >= 0;
}

uint64_t broker_client__give_up(bool probes)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_GIVE_UP);
	request.flags = probes;
	return (uint64_t)broker_client__ask_for(&request, NULL, 0, false, NULL);
}

bool broker_client__notify(const char *message)
{
	struct broker_request request;

	broker_client__begin(&request, BROKER_NOTIFY);
	return put_text(&request, message) &&
	       !broker_client__ask_for(&request, NULL, 0, false, NULL);
}
