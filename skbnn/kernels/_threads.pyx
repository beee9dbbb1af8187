"""How many threads to use, by scikit-learn's conventions."""

import os


cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define SKBNN_OPENMP 1
    #else
    #define SKBNN_OPENMP 0
    static int omp_get_max_threads(void) { return 1; }
    static int omp_in_parallel(void) { return 0; }
    #endif

    #if defined(_OPENMP) && !defined(_WIN32)
    #include <pthread.h>
    static void end_idle_threads(void) { omp_pause_resource_all(omp_pause_soft); }
    static void end_idle_threads_at_fork(void) { pthread_atfork(end_idle_threads, NULL, NULL); }
    #else
    static void end_idle_threads_at_fork(void) {}
    #endif
    """
    const bint SKBNN_OPENMP
    int omp_get_max_threads() nogil
    int omp_in_parallel() nogil
    void end_idle_threads_at_fork()


# GNU's OpenMP keeps a thread's helpers for its next parallel loop. A forked child has none of them, and would wait for
# them for ever. So a thread that forks ends them first; they start anew when needed, in the parent and in the child.
end_idle_threads_at_fork()


def openmp_enabled():
    """Whether the package was built with OpenMP."""
    return SKBNN_OPENMP


# Physical cores that this process may use, by its affinity mask and its container's quota; asked once, as it is slow.
_n_cores = None


def effective_n_threads():
    """Threads that a parallel loop may use now.

    OpenMP's maximum, which ``OMP_NUM_THREADS``, threadpoolctl and joblib's workers set, and at most one thread a
    physical core unless ``OMP_NUM_THREADS`` asks for more; 1 inside another parallel region.
    """
    global _n_cores
    if not SKBNN_OPENMP or omp_in_parallel():
        return 1
    if os.environ.get("OMP_NUM_THREADS"):
        return omp_get_max_threads()
    if _n_cores is None:
        try:
            from joblib import cpu_count  # not at the top: a server of a packed network need not have it

            _n_cores = cpu_count(only_physical_cores=True)
        except ImportError:
            _n_cores = os.cpu_count() or 1
    return min(omp_get_max_threads(), _n_cores)
