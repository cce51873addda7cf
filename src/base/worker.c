/**
 * @file worker.c  A thread for what blocks
 *
 * Two sides share one queue under one mutex: the owner, a thread with a libre
 * loop, and the worker's own thread.  Neither calls out with the mutex held.
 * The queue outlives the owner's handle for as long as the thread is stuck in
 * somebody's blocking call, and the last side to leave frees it.  The thread
 * never touches the owner's loop except for one mqueue message when results
 * begin to wait, and never once the owner has closed.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <offhook/compat.h>
#include <offhook/worker.h>


enum {
	JOBS_MAX = 256,       /* posted and not given back yet     */
	CLOSE_WAIT_MS = 200,  /* for running work, when freed      */
};

struct job {
	struct job *next;
	worker_work_h *work;
	worker_done_h *done;
	worker_done_h *drop;
	void *arg;
};

struct jobs {
	struct job *first;
	struct job **last;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t todo_cond;   /* there is work, or it is over       */
	pthread_cond_t end_cond;    /* the thread has ended               */
	struct jobs todo;
	struct jobs results;
	struct mqueue *mq;          /* owner's; not touched once closed   */
	unsigned refs;              /* owner, a handler, the thread       */
	bool closed;                /* the owner has left                 */
	bool ended;                 /* the thread has left                */
};

struct worker {
	struct queue *q;
	unsigned jobs;              /* posted and not given back          */
	bool started;
	pthread_t thread;
	char name[16];
};


static void jobs_init(struct jobs *l)
{
	l->first = NULL;
	l->last = &l->first;
}


static void jobs_append(struct jobs *l, struct job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
}


static struct job *jobs_take(struct jobs *l)
{
	struct job *job = l->first;

	if (job) {
		l->first = job->next;
		if (!l->first)
			l->last = &l->first;
	}

	return job;
}


static void job_drop(struct job *job)
{
	if (job->drop)
		job->drop(job->arg);
	free(job);
}


static int queue_alloc(struct queue **qp)
{
	struct queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;

	if (!q)
		return ENOMEM;

	/* with default attributes none of these can fail on Linux */
	(void)pthread_mutex_init(&q->lock, NULL);
	(void)pthread_cond_init(&q->todo_cond, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&q->end_cond, &attr);
	(void)pthread_condattr_destroy(&attr);

	jobs_init(&q->todo);
	jobs_init(&q->results);
	q->refs = 1;

	*qp = q;

	return 0;
}


/* Locked on entry, unlocked and perhaps gone on return */
static void queue_leave(struct queue *q)
{
	const bool last = --q->refs == 0;

	(void)pthread_mutex_unlock(&q->lock);

	if (!last)
		return;

	(void)pthread_cond_destroy(&q->todo_cond);
	(void)pthread_cond_destroy(&q->end_cond);
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}


static void *worker_thread(void *arg)
{
	struct queue *q = arg;

	(void)pthread_mutex_lock(&q->lock);

	for (;;) {
		struct job *job;

		while (!q->closed && !q->todo.first)
			(void)pthread_cond_wait(&q->todo_cond, &q->lock);

		if (q->closed)
			break;

		job = jobs_take(&q->todo);

		(void)pthread_mutex_unlock(&q->lock);
		job->work(job->arg);
		(void)pthread_mutex_lock(&q->lock);

		if (q->closed) {
			(void)pthread_mutex_unlock(&q->lock);
			job_drop(job);
			(void)pthread_mutex_lock(&q->lock);
			break;
		}

		/* one message for all that wait: the pipe cannot fill up */
		if (!q->results.first)
			(void)mqueue_push(q->mq, 0, NULL);

		jobs_append(&q->results, job);
	}

	q->ended = true;
	(void)pthread_cond_signal(&q->end_cond);
	queue_leave(q);

	return NULL;
}


/* On the owner's loop */
static void results_h(int id, void *data, void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->q;
	struct jobs results;
	struct job *job;
	bool closed = false;
	(void)id;
	(void)data;

	(void)pthread_mutex_lock(&q->lock);
	results = q->results;
	if (results.first)
		jobs_init(&q->results);
	else
		jobs_init(&results);
	++q->refs;
	(void)pthread_mutex_unlock(&q->lock);

	while ((job = jobs_take(&results))) {

		if (closed) {
			job_drop(job);
			continue;
		}

		--w->jobs;

		if (job->done)
			job->done(job->arg);
		free(job);

		/* done may have freed the worker: then w is gone, q is not */
		(void)pthread_mutex_lock(&q->lock);
		closed = q->closed;
		(void)pthread_mutex_unlock(&q->lock);
	}

	(void)pthread_mutex_lock(&q->lock);
	queue_leave(q);
}


static int thread_start(struct worker *w)
{
	sigset_t all, old;
	int err;

	/* signals are for main: a new thread inherits the mask */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&w->thread, NULL, worker_thread, w->q);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);

	if (err)
		return err;

	(void)pthread_setname_np(w->thread, w->name);
	w->started = true;
	++w->q->refs;           /* the caller holds the lock */

	return 0;
}


/* Locked. @return whether the thread has ended within the time we give it */
static bool thread_wait(struct queue *q)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += CLOSE_WAIT_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		++until.tv_sec;
	}

	while (!q->ended) {
		if (pthread_cond_timedwait(&q->end_cond, &q->lock, &until))
			break;
	}

	return q->ended;
}


static void destructor(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->q;
	struct jobs todo, results;
	struct job *job;
	bool ended = true;

	if (!q)
		return;

	(void)pthread_mutex_lock(&q->lock);

	q->closed = true;
	(void)pthread_cond_signal(&q->todo_cond);

	if (w->started)
		ended = thread_wait(q);

	q->mq = mem_deref(q->mq);

	jobs_init(&todo);
	while ((job = jobs_take(&q->todo)))
		jobs_append(&todo, job);

	jobs_init(&results);
	while ((job = jobs_take(&q->results)))
		jobs_append(&results, job);

	queue_leave(q);

	if (w->started) {
		if (ended)
			(void)pthread_join(w->thread, NULL);
		else
			(void)pthread_detach(w->thread);
	}

	while ((job = jobs_take(&results)))
		job_drop(job);

	while ((job = jobs_take(&todo)))
		job_drop(job);
}


int worker_alloc(struct worker **wp, const char *name)
{
	struct worker *w;
	int err;

	if (!wp || !name)
		return EINVAL;

	w = mem_zalloc(sizeof(*w), destructor);
	if (!w)
		return ENOMEM;

	(void)strncpy(w->name, name, sizeof(w->name) - 1);

	err = queue_alloc(&w->q);
	if (err)
		goto out;

	err = mqueue_alloc(&w->q->mq, results_h, w);

 out:
	if (err)
		mem_deref(w);
	else
		*wp = w;

	return err;
}


int worker_post(struct worker *w, worker_work_h *work, worker_done_h *done,
		worker_done_h *drop, void *arg)
{
	struct queue *q;
	struct job *job;
	int err = 0;

	if (!w || !work)
		return EINVAL;

	if (w->jobs >= JOBS_MAX)
		return EAGAIN;

	job = calloc(1, sizeof(*job));
	if (!job)
		return ENOMEM;

	job->work = work;
	job->done = done;
	job->drop = drop;
	job->arg = arg;

	q = w->q;
	(void)pthread_mutex_lock(&q->lock);

	if (!w->started)
		err = thread_start(w);

	if (!err) {
		jobs_append(&q->todo, job);
		++w->jobs;
		(void)pthread_cond_signal(&q->todo_cond);
	}

	(void)pthread_mutex_unlock(&q->lock);

	if (err)
		free(job);

	return err;
}
