"""The threads that take training steps together: each does its share of the rows, then its share of the units.

What is summed over rows is summed by the thread that has the unit, and over units by the one that has the row, always
in the same order. So any number of threads learns the same.
"""


cdef extern from "barrier.h" nogil:
    ctypedef struct Barrier:
        pass
    void barrier_init(Barrier *barrier)
    void barrier_destroy(Barrier *barrier)
    void barrier_wait(Barrier *barrier, int n_threads)


cdef struct Team:
    Barrier *barrier  # NULL for a thread alone
    int thread, n_threads


cdef struct Share:
    Py_ssize_t start, stop


# Multiples in which rows and units are shared: no two threads write into one cache line, and products come in blocks
# that do not depend on the number of threads.
cdef enum:
    ROWS = 16
    UNITS = 32


cdef inline Share share(const Team *team, Py_ssize_t n, Py_ssize_t multiple) noexcept nogil:
    """This thread's part of ``n``; parts are consecutive."""
    cdef Py_ssize_t n_blocks = (n + multiple - 1) // multiple
    return Share(n_blocks * team.thread // team.n_threads * multiple,
                 min(n, n_blocks * (team.thread + 1) // team.n_threads * multiple))


cdef inline Share rows_of(const Team *team, Py_ssize_t n_rows) noexcept nogil:
    return share(team, n_rows, ROWS)


cdef inline Share units_of(const Team *team, Py_ssize_t n_units) noexcept nogil:
    return share(team, n_units, UNITS)


cdef inline void wait(const Team *team) noexcept nogil:
    """Return when all threads of the team have called this."""
    if team.n_threads > 1:
        barrier_wait(team.barrier, team.n_threads)


cdef inline Team alone() noexcept nogil:
    """A team of one."""
    return Team(NULL, 0, 1)
