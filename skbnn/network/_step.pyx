"""Mini-batches, from packed rows to updated parameters, without the GIL."""

import numpy as np
from cython.parallel cimport parallel
from libc.math cimport isfinite
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from skbnn.network._layers cimport Batch, Dropout, Layer, Update
from skbnn.network._team cimport Barrier, Share, Team, alone, barrier_destroy, barrier_init, n_blocks, rows_of, wait


cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #else
    static int omp_get_thread_num(void) { return 0; }
    static int omp_get_num_threads(void) { return 1; }
    #endif
    """
    int omp_get_thread_num() nogil
    int omp_get_num_threads() nogil  # it may be fewer than were asked for


cdef struct Data:
    const uint64_t *bits
    const float *targets
    const float *offsets
    const double *weights
    Py_ssize_t n_targets, n_outputs, offsets_stride


cdef class TrainingStep:
    """Gathers the rows of a mini-batch and sends them through the chain of layers that starts with ``first``.

    Parameters
    ----------
    first : Layer
        The first layer; it holds the one after it, and so on.
    dropout : Dropout or None
        Applied to the input bits.
    n_inputs, n_targets, n_outputs, max_rows : int
        Input bits a row, numbers a row of targets, scores a row, rows of the largest mini-batch.
    n_steps : ndarray of shape (1,), int64
        Counted up at each update.
    """

    cdef readonly Layer first
    cdef readonly Dropout dropout
    cdef Barrier barrier
    cdef Py_ssize_t n_words
    cdef uint64_t[:, ::1] bits
    cdef float[:, ::1] targets, offsets
    cdef double[::1] weights
    cdef int64_t[::1] n_steps

    def __cinit__(self, *_):
        barrier_init(&self.barrier)

    def __init__(self, Layer first not None, Dropout dropout, Py_ssize_t n_inputs, Py_ssize_t n_targets,
                 Py_ssize_t n_outputs, Py_ssize_t max_rows, int64_t[::1] n_steps):
        self.first, self.dropout, self.n_steps = first, dropout, n_steps
        self.n_words = n_blocks(n_inputs)
        self.bits = np.empty((max_rows, self.n_words), np.uint64)
        self.targets = np.empty((max_rows, n_targets), np.float32)
        self.offsets = np.empty((max_rows, n_outputs), np.float32)
        self.weights = np.empty(max_rows)

    def __dealloc__(self):
        barrier_destroy(&self.barrier)

    def train(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, :] offsets,
              const double[::1] weights, const int64_t[::1] rows, const int64_t[::1] starts,
              const double[:, ::1] rates, int n_threads):
        """Step along the gradients of one mini-batch after the other; returns the sum of their losses.

        Batch i is of ``rows[starts[i]:starts[i + 1]]``, and has a learning rate of the weights and one of the batch
        norms, ``rates[i]``. A loss that is not finite is the last.
        """
        cdef Data data = self.data(bits, targets, offsets, weights)
        cdef double total = 0
        cdef uint8_t[:, ::1] scratch = self.scratch(n_threads)
        cdef Team team = alone(&scratch[0, 0])
        if n_threads == 1:
            with nogil:
                self.train_in(&team, &data, &rows[0], &starts[0], &rates[0, 0], rates.shape[0], &total)
        else:
            with nogil, parallel(num_threads=n_threads):
                self.train_as_one_of_several(&data, &rows[0], &starts[0], &rates[0, 0], rates.shape[0], &scratch[0, 0],
                                             scratch.shape[1], &total)
        return total

    cdef uint8_t[:, ::1] scratch(self, int n_threads):
        """Uninitialized memory of each thread."""
        return np.empty((n_threads, (self.first.scratch_bytes() // 64 + 1) * 64), np.uint8)

    cdef void train_as_one_of_several(self, const Data *data, const int64_t *rows, const int64_t *starts,
                                      const double *rates, Py_ssize_t n_batches, uint8_t *scratch,
                                      Py_ssize_t scratch_bytes, double *total) noexcept nogil:
        cdef int thread = omp_get_thread_num()
        cdef Team team = Team(&self.barrier, thread, omp_get_num_threads(), scratch + thread * scratch_bytes)
        self.train_in(&team, data, rows, starts, rates, n_batches, total)

    cdef void train_in(self, const Team *team, const Data *data, const int64_t *rows, const int64_t *starts,
                       const double *rates, Py_ssize_t n_batches, double *total) noexcept nogil:
        cdef Py_ssize_t i
        cdef double loss, losses = 0
        cdef Update update
        cdef int64_t n_steps = self.n_steps[0]
        self.first.binarize(team)
        for i in range(n_batches):
            update = Update(n_steps + 1, rates[2 * i], rates[2 * i + 1])
            loss = self.loss(team, data, rows + starts[i], starts[i + 1] - starts[i], &update)
            losses += loss
            if not isfinite(loss):
                break
            n_steps += 1
        if team.thread == 0:
            total[0] = losses
            self.n_steps[0] = n_steps

    def gradients(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, :] offsets,
                  const double[::1] weights, const int64_t[::1] rows):
        """Loss of the mini-batch of these ``rows``, the mean by ``weights``; every gradient is left in its layer.

        ``offsets``, (n_rows, n_outputs), are added to the scores, unless None.
        """
        cdef uint8_t[:, ::1] scratch = self.scratch(1)
        cdef Team team = alone(&scratch[0, 0])
        cdef Data data = self.data(bits, targets, offsets, weights)
        self.first.binarize(&team)
        return self.loss(&team, &data, &rows[0], rows.shape[0], NULL)

    cdef Data data(self, const uint64_t[:, ::1] bits, const float[:, ::1] targets, const float[:, :] offsets,
                   const double[::1] weights):
        cdef Py_ssize_t n_targets = targets.shape[1], n_outputs = self.offsets.shape[1]
        cdef Data data = Data(&bits[0, 0], &targets[0, 0], NULL, &weights[0], n_targets, n_outputs, 0)
        if offsets is not None:
            if offsets.shape[1] > 1 and offsets.strides[1] != sizeof(float):
                raise ValueError("the offsets of a row must lie side by side")
            data.offsets, data.offsets_stride = &offsets[0, 0], offsets.strides[0] // <Py_ssize_t>sizeof(float)
        return data

    cdef double loss(self, const Team *team, const Data *data, const int64_t *rows, Py_ssize_t n_rows,
                     const Update *update) noexcept nogil:
        """The loss of a mini-batch; its gradients are ready, or the update made, when this returns."""
        cdef Batch batch
        cdef const uint64_t *mask = NULL
        cdef double loss
        self.gather(team, data, rows, n_rows, &batch)
        if self.dropout is not None:
            if team.thread == 0:
                self.dropout.draw(n_rows)
            mask = &self.dropout.mask[0, 0]
        self.first.draw(team, n_rows)
        wait(team)
        loss = self.first.gradients(team, &self.bits[0, 0], mask, NULL, &batch, update)
        wait(team)
        return loss

    cdef void gather(self, const Team *team, const Data *data, const int64_t *rows, Py_ssize_t n_rows,
                     Batch *batch) noexcept nogil:
        """Fill this thread's rows of the buffers, and ``batch``."""
        cdef Share share = rows_of(team, n_rows)
        cdef Py_ssize_t at
        cdef const float *offsets
        for at in range(share.start, share.stop):
            memcpy(&self.bits[at, 0], data.bits + rows[at] * self.n_words, self.n_words * sizeof(uint64_t))
            memcpy(&self.targets[at, 0], data.targets + rows[at] * data.n_targets, data.n_targets * sizeof(float))
            if data.offsets is not NULL:
                offsets = data.offsets + rows[at] * data.offsets_stride
                memcpy(&self.offsets[at, 0], offsets, data.n_outputs * sizeof(float))
            self.weights[at] = data.weights[rows[at]]
        batch.total_weight = 0
        for at in range(n_rows):
            batch.total_weight += data.weights[rows[at]]
        batch.n_rows, batch.n_targets, batch.weights = n_rows, data.n_targets, &self.weights[0]
        batch.targets, batch.offsets = &self.targets[0, 0], NULL if data.offsets is NULL else &self.offsets[0, 0]
