// SPDX-License-Identifier: Apache-2.0
#include "probe/detacher.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

/* Fewer than the service's TasksMax= (deploy/systemd/gleakd.service). */
#define MAX_THREADS 16u
/* close(2). */
#define STACK_BYTES (64u << 10)

struct job {
	struct job *next;
	struct detachment what;
	unsigned int taken, done; /* of what.links */
};

struct detacher {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *jobs; /* not done, or with a slot to be fetched */
	unsigned int threads;
};

int detacher__new(struct detacher **ret_detacher)
{
	struct detacher *detacher = calloc(1, sizeof(*detacher));

	if (!detacher)
		return -ENOMEM;
	pthread_mutex_init(&detacher->lock, NULL);
	pthread_cond_init(&detacher->changed, NULL);
	*ret_detacher = detacher;
	return 0;
}

/* The next link that no thread has taken. The lock is held. */
static struct probe_link *next_link(struct detacher *detacher, struct job **ret_job)
{
	for (struct job *job = detacher->jobs; job; job = job->next) {
		if (job->taken == PROBE_EVENT_COUNT)
			continue;
		*ret_job = job;
		return &job->what.links[job->taken++];
	}
	return NULL;
}

static bool is_done(const struct job *job)
{
	return job->done == PROBE_EVENT_COUNT;
}

static void drop(struct detacher *detacher, struct job *job)
{
	struct job **link = &detacher->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	free(job);
}

static void detach_all(struct detacher *detacher)
{
	struct probe_link *link;
	struct job *job;

	while ((link = next_link(detacher, &job))) {
		pthread_mutex_unlock(&detacher->lock);
		probe_link__detach(link);
		pthread_mutex_lock(&detacher->lock);
		job->done++;
		if (is_done(job) && !job->what.gives_slot)
			drop(detacher, job);
		pthread_cond_broadcast(&detacher->changed);
	}
}

static void *run(void *ctx)
{
	struct detacher *detacher = ctx;

	pthread_mutex_lock(&detacher->lock);
	detach_all(detacher);
	detacher->threads--;
	pthread_cond_broadcast(&detacher->changed);
	pthread_mutex_unlock(&detacher->lock);
	return NULL;
}

static void start_thread(struct detacher *detacher)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (detacher->threads == MAX_THREADS || pthread_attr_init(&attr))
		return;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES + PTHREAD_STACK_MIN);
	if (!pthread_create(&thread, &attr, run, detacher))
		detacher->threads++;
	pthread_attr_destroy(&attr);
}

static void detach_now(const struct detachment *detachment)
{
	for (int event = 0; event < PROBE_EVENT_COUNT; event++) {
		struct probe_link link = detachment->links[event];

		probe_link__detach(&link);
	}
}

void detacher__take(struct detacher *detacher, const struct detachment *detachment)
{
	struct job *job = malloc(sizeof(*job));

	pthread_mutex_lock(&detacher->lock);
	if (job) {
		*job = (struct job){.next = detacher->jobs, .what = *detachment};
		detacher->jobs = job;
		for (int event = 0; event < PROBE_EVENT_COUNT; event++)
			if (detachment->links[event].attached)
				start_thread(detacher);
		/* There is no link to detach, or no thread to do it. */
		if (!detacher->threads)
			detach_all(detacher);
	}
	pthread_mutex_unlock(&detacher->lock);
	/* Its slot is then never used again, one of thousands. */
	if (!job)
		detach_now(detachment);
}

bool detacher__slot(struct detacher *detacher, size_t *ret_slot)
{
	struct job *job;

	pthread_mutex_lock(&detacher->lock);
	job = detacher->jobs;
	while (job && !is_done(job))
		job = job->next;
	if (job) {
		*ret_slot = job->what.slot;
		drop(detacher, job);
	}
	pthread_mutex_unlock(&detacher->lock);
	return job;
}

static bool is_under_way(const struct detacher *detacher, pid_t pid)
{
	for (const struct job *job = detacher->jobs; job; job = job->next)
		if (!is_done(job) && (!pid || job->what.pid == pid))
			return true;
	return false;
}

void detacher__wait(struct detacher *detacher, pid_t pid)
{
	pthread_mutex_lock(&detacher->lock);
	while (is_under_way(detacher, pid))
		pthread_cond_wait(&detacher->changed, &detacher->lock);
	pthread_mutex_unlock(&detacher->lock);
}

void detacher__free(struct detacher *detacher)
{
	if (!detacher)
		return;
	pthread_mutex_lock(&detacher->lock);
	while (detacher->threads)
		pthread_cond_wait(&detacher->changed, &detacher->lock);
	while (detacher->jobs)
		drop(detacher, detacher->jobs);
	pthread_mutex_unlock(&detacher->lock);
	pthread_cond_destroy(&detacher->changed);
	pthread_mutex_destroy(&detacher->lock);
	free(detacher);
}
