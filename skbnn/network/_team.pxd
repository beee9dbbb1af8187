"""The threads that take training steps together: each does its share of the rows, then its share of the columns.

Columns are the units of a layer, which are the inputs of the next one. Whatever is summed is summed by one thread, that
has the row, or the column, of the sum, always in the same order. So any number of threads learns the same.

What a layer computes for each row and unit lies in blocks of ``COLUMNS`` units, (n_blocks, max_rows, COLUMNS), the last
one padded: a thread works in memory of its own, and goes from one loop over a block's rows to the next while it is in
cache.
"""

from libc.stdint cimport uint8_t


cdef extern from "barrier.h" nogil:
    ctypedef struct Barrier:
        pass
    void barrier_init(Barrier *barrier)
    void barrier_destroy(Barrier *barrier)
    void barrier_wait(Barrier *barrier, int n_threads)


cdef struct Team:
    Barrier *barrier  # NULL for a thread alone
    int thread, n_threads
    uint8_t *scratch  # of this thread alone


cdef struct Share:
    Py_ssize_t start, stop


# Multiples in which rows and columns are shared. A block's columns are the bits of a word.
cdef enum:
    ROWS = 16
    COLUMNS = 64


cdef inline Share share(const Team *team, Py_ssize_t n, Py_ssize_t multiple) noexcept nogil:
    """This thread's part of ``n``; parts are consecutive."""
    cdef Py_ssize_t n_parts = (n + multiple - 1) // multiple
    return Share(n_parts * team.thread // team.n_threads * multiple,
                 min(n, n_parts * (team.thread + 1) // team.n_threads * multiple))


cdef inline Share rows_of(const Team *team, Py_ssize_t n_rows) noexcept nogil:
    return share(team, n_rows, ROWS)


cdef inline Share columns_of(const Team *team, Py_ssize_t n_columns) noexcept nogil:
    return share(team, n_columns, COLUMNS)


cdef inline Share blocks_of(const Team *team, Py_ssize_t n_columns) noexcept nogil:
    return share(team, n_blocks(n_columns), 1)


cdef inline Py_ssize_t n_blocks(Py_ssize_t n_columns) noexcept nogil:
    return (n_columns + COLUMNS - 1) // COLUMNS


cdef inline Py_ssize_t width(Py_ssize_t block, Py_ssize_t n_columns) noexcept nogil:
    """Columns of a block."""
    return min(<Py_ssize_t>COLUMNS, n_columns - block * COLUMNS)


cdef inline void wait(const Team *team) noexcept nogil:
    """Return when all threads of the team have called this."""
    if team.n_threads > 1:
        barrier_wait(team.barrier, team.n_threads)


cdef inline Team alone(uint8_t *scratch) noexcept nogil:
    """A team of one."""
    return Team(NULL, 0, 1, scratch)
