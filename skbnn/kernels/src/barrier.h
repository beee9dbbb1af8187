/* A barrier for threads that are to wait for each other thousands of times a second.
 *
 * OpenMP's own spins for about a millisecond. Where another process has one of the cores, that is time that the thread
 * waited for cannot have: steps took fifty times as long. This one spins for some fifty microseconds, then sleeps, and
 * whoever slept is the first whom the system lets run.
 */
#ifndef SKBNN_BARRIER_H
#define SKBNN_BARRIER_H

#if defined(_OPENMP) && defined(__GNUC__)
#include <pthread.h>

enum { SPINS = 5000 };

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t next_round;
    unsigned round;
    int n_waiting;
} Barrier;

static inline void barrier_init(Barrier *barrier) {
    pthread_mutex_init(&barrier->mutex, NULL);
    pthread_cond_init(&barrier->next_round, NULL);
    barrier->round = 0;
    barrier->n_waiting = 0;
}

static inline void barrier_destroy(Barrier *barrier) {
    pthread_cond_destroy(&barrier->next_round);
    pthread_mutex_destroy(&barrier->mutex);
}

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

/* Returns when n_threads have called it. */
static inline void barrier_wait(Barrier *barrier, int n_threads) {
    const unsigned round = __atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&barrier->n_waiting, 1, __ATOMIC_ACQ_REL) == n_threads) {
        pthread_mutex_lock(&barrier->mutex);
        barrier->n_waiting = 0;
        __atomic_store_n(&barrier->round, round + 1, __ATOMIC_RELEASE);
        pthread_cond_broadcast(&barrier->next_round);
        pthread_mutex_unlock(&barrier->mutex);
        return;
    }
    for (int i = 0; i < SPINS; i++) {
        if (__atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE) != round) return;
        relax();
    }
    pthread_mutex_lock(&barrier->mutex);
    while (__atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE) == round)
        pthread_cond_wait(&barrier->next_round, &barrier->mutex);
    pthread_mutex_unlock(&barrier->mutex);
}

#else /* OpenMP's own, or none for the one thread that there is */
typedef struct {
    int unused;
} Barrier;

static inline void barrier_init(Barrier *barrier) { (void)barrier; }
static inline void barrier_destroy(Barrier *barrier) { (void)barrier; }
static inline void barrier_wait(Barrier *barrier, int n_threads) {
    (void)barrier, (void)n_threads;
#ifdef _OPENMP
#pragma omp barrier
#endif
}
#endif

#endif
