from libc.stdint cimport uint64_t

from skbnn.network._batch_norm cimport BatchNorm
from skbnn.network._binarize cimport SurrogateGradient
from skbnn.network._dense cimport BinaryDense
from skbnn.network._losses cimport Loss
from skbnn.network._optimizers cimport Optimizer
from skbnn.network._random cimport RandomBits
from skbnn.network._team cimport Share, Team


cdef struct Batch:
    Py_ssize_t n_rows
    const double *weights  # of the rows
    double total_weight
    const float *targets
    Py_ssize_t n_targets  # numbers a row of targets
    const float *offsets  # of the scores, or NULL for none


cdef struct Update:
    long long number  # counted from 1
    double weights_rate, norm_rate  # learning rates of latent weights and of batch norm


cdef class Layer:
    cdef readonly BinaryDense dense
    cdef readonly BatchNorm norm
    cdef Optimizer weights_optimizer, gain_optimizer, bias_optimizer
    cdef RandomBits weights_random  # None: binarize by the sign
    cdef readonly float[:, :, ::1] normalized  # blocks, as the next
    cdef float[:, :, ::1] gradient
    cdef void affine(self, const Team *team, const uint64_t *bits, const uint64_t *mask,
                     const Batch *batch) noexcept nogil
    cdef void affine_backward(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                              const Batch *batch, const Update *update) noexcept nogil
    cdef void activate(self, Py_ssize_t block, Py_ssize_t n_rows) noexcept nogil
    cdef void activate_backward(self, Py_ssize_t block, Py_ssize_t n_rows) noexcept nogil
    cdef void learn(self, const Team *team, Py_ssize_t n_rows, const Update *update) noexcept nogil
    cdef void learn_weights(self, const float *gradient, Share units, const Update *update) noexcept nogil
    cdef Py_ssize_t scratch_bytes(self) noexcept nogil
    cdef void binarize(self, const Team *team) noexcept nogil
    cdef void draw(self, const Team *team, Py_ssize_t n_rows) noexcept nogil
    cdef double gradients(self, const Team *team, const uint64_t *bits, const uint64_t *mask, float *d_x,
                          const Batch *batch, const Update *update) noexcept nogil


cdef class HiddenLayer(Layer):
    cdef readonly Layer after
    cdef SurrogateGradient surrogate
    cdef Dropout dropout
    cdef RandomBits activations_random  # None: binarize by the sign
    cdef uint64_t[:, ::1] bits
    cdef float[::1] noise


cdef class OutputLayer(Layer):
    cdef Loss loss
    cdef Py_ssize_t n_outputs, units_per_output
    cdef float[:, ::1] scores, d_scores
    cdef double[::1] losses
    cdef void start_scores(self, Share rows, const float *offsets) noexcept nogil
    cdef void add_to_scores(self, Py_ssize_t block, Share rows) noexcept nogil
    cdef void spread_gradient(self, Py_ssize_t block, Share rows) noexcept nogil
    cdef Share outputs_of(self, Py_ssize_t block) noexcept nogil
    cdef Share units_of(self, Py_ssize_t output, Py_ssize_t block) noexcept nogil


cdef class Dropout:
    cdef double probability
    cdef RandomBits random
    cdef readonly uint64_t[:, ::1] mask
    cdef Py_ssize_t n_units
    cdef void draw(self, Py_ssize_t n_rows) noexcept nogil
    cdef void backward(self, Py_ssize_t block, Py_ssize_t first, float *gradient, Py_ssize_t n_rows) noexcept nogil
