// SPDX-License-Identifier: Apache-2.0
#include "state/saver.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/thread.h"

/* A save: the thread's until it is over, and for good once it is abandoned. */
struct save {
	pthread_t thread;
	int (*commit)(struct state_writer *writer, struct failure *failure);
	struct state_writer *writer;

	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t ended;
	bool over, abandoned;
	int err;
	struct failure failure;
};

struct state_saver {
	int (*commit)(struct state_writer *writer, struct failure *failure);
	struct save *save; /* under way, or not asked about yet; NULL: none */
};

int state_saver__new(int (*commit)(struct state_writer *writer, struct failure *failure),
		     struct state_saver **ret_saver)
{
	struct state_saver *saver = calloc(1, sizeof(*saver));

	if (!saver)
		return -ENOMEM;
	saver->commit = commit;
	*ret_saver = saver;
	return 0;
}

/* --- the thread ----------------------------------------------------------------------------------- */

static void free_save(struct save *save)
{
	pthread_cond_destroy(&save->ended);
	pthread_mutex_destroy(&save->lock);
	free(save);
}

static void *run(void *arg)
{
	struct save *save = arg;
	struct failure failure = {""};
	int err = save->commit(save->writer, &failure);
	bool abandoned;

	pthread_mutex_lock(&save->lock);
	save->err = err;
	save->failure = failure;
	save->over = true;
	abandoned = save->abandoned;
	pthread_cond_signal(&save->ended);
	pthread_mutex_unlock(&save->lock);
	if (abandoned)
		free_save(save);
	return NULL;
}

static struct save *new_save(void)
{
	struct save *save = calloc(1, sizeof(*save));
	pthread_condattr_t attributes;

	if (!save)
		return NULL;
	pthread_mutex_init(&save->lock, NULL);
	/* The wall clock may be set while somebody waits. */
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&save->ended, &attributes);
	pthread_condattr_destroy(&attributes);
	return save;
}

int state_saver__start(struct state_saver *saver, struct state_writer *writer,
		       struct failure *failure)
{
	struct save *save;

	if (saver->save) {
		state_writer__abort(writer);
		return failure__set(failure, -EBUSY, "the state is being saved already");
	}
	save = new_save();
	if (!save)
		return saver->commit(writer, failure);
	save->commit = saver->commit;
	save->writer = writer;
	if (thread__start(&save->thread, 0, run, save)) {
		free_save(save);
		return saver->commit(writer, failure);
	}
	saver->save = save;
	return 0;
}

/* --- its outcome ---------------------------------------------------------------------------------- */

/* By the clock of this time namespace, which is the one that pthreads wait by. */
static struct timespec after(uint64_t limit_ns)
{
	struct timespec now = {0};
	uint64_t nanoseconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	nanoseconds = (uint64_t)now.tv_nsec + limit_ns % NSEC_PER_SEC;
	return (struct timespec){
		.tv_sec = now.tv_sec + (time_t)(limit_ns / NSEC_PER_SEC) +
			  (time_t)(nanoseconds / NSEC_PER_SEC),
		.tv_nsec = (long)(nanoseconds % NSEC_PER_SEC),
	};
}

static bool wait_until_over(struct save *save, uint64_t limit_ns)
{
	const struct timespec end = after(limit_ns);
	bool over;
	int err = 0;

	pthread_mutex_lock(&save->lock);
	while (!save->over && limit_ns && !err)
		err = pthread_cond_timedwait(&save->ended, &save->lock, &end);
	over = save->over;
	pthread_mutex_unlock(&save->lock);
	return over;
}

int state_saver__reap(struct state_saver *saver, uint64_t limit_ns, struct failure *failure)
{
	struct save *save = saver->save;
	int err;

	if (!save)
		return 0;
	if (!wait_until_over(save, limit_ns))
		return failure__set(failure, -EINPROGRESS, "the state is still being saved");
	pthread_join(save->thread, NULL);
	saver->save = NULL;
	err = save->err ? failure__set(failure, save->err, "%s", save->failure.text) : 1;
	free_save(save);
	return err;
}

static void abandon(struct save *save)
{
	bool over;

	pthread_detach(save->thread);
	pthread_mutex_lock(&save->lock);
	save->abandoned = true;
	over = save->over;
	pthread_mutex_unlock(&save->lock);
	if (over)
		free_save(save);
}

void state_saver__free(struct state_saver *saver)
{
	if (!saver)
		return;
	if (saver->save)
		abandon(saver->save);
	free(saver);
}
