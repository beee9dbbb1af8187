"""How much memory training takes: what is too much is refused before any of it is used."""

from itertools import pairwise
from mmap import mmap

# Of each weight of a network: itself, two moments and its gradient as float32, of which all is in memory for Bop alone;
# without VNNI its sign as well.
BYTES_OF_A_WEIGHT = 20

# Of each row of a mini-batch: signs of a layer's inputs, as float32 without VNNI; of its units dot products, gradients
# and these as integers.
BYTES_OF_AN_INPUT, BYTES_OF_A_UNIT = 4, 12

# Of each unit of the widest layer: popcounts and dot products of the rows of a block.
BYTES_OF_A_DOT, ROWS_OF_A_BLOCK = 12, 4096

# While encodings are compared: that of the features, and one with combinations, which may be twice as long.
COPIES_OF_BITS = 3

# Of each row beside its bits: weights, places and, for each output unit, targets and scores. Of each feature:
# thresholds, and the values by which importances are told.
BYTES_OF_A_ROW, BYTES_OF_AN_OUTPUT, BYTES_OF_A_FEATURE = 64, 8, 640


def bytes_of_training(layer_sizes, n_networks, batch_size, n_rows, n_features):
    """Bytes that a fit takes at most beside X and an additive model, for networks of these sizes, inputs first."""
    n_weights = sum(fan_in * n_units for fan_in, n_units in pairwise(layer_sizes))
    of_batch = batch_size * (BYTES_OF_AN_INPUT * sum(layer_sizes[:-1]) + BYTES_OF_A_UNIT * sum(layer_sizes[1:]))
    of_networks = n_networks * (n_weights * BYTES_OF_A_WEIGHT + of_batch)
    of_dots = BYTES_OF_A_DOT * min(n_rows, ROWS_OF_A_BLOCK) * max(layer_sizes[1:])
    of_bits = COPIES_OF_BITS * -(-layer_sizes[0] // 64) * 8
    of_rows = n_rows * (of_bits + BYTES_OF_A_ROW + BYTES_OF_AN_OUTPUT * layer_sizes[-1])
    return of_networks + of_dots + of_rows + BYTES_OF_A_FEATURE * n_features


def check_room(parameters, layer_sizes, samples):
    """Raise MemoryError if networks of these sizes, inputs first, do not fit into memory.

    The system is asked for all of it at once, which takes no time as none of it is touched.
    """
    n_bytes = bytes_of_training(layer_sizes, parameters.n_estimators, parameters.batch_size, *samples.X.shape)
    try:
        mmap(-1, n_bytes).close()
    except (OSError, OverflowError) as error:  # the latter of more than an address can tell
        raise MemoryError(
            f"Training takes {n_bytes:,} bytes: n_estimators={parameters.n_estimators} networks of "
            f"{layer_sizes[0]:,} bits, which a lower n_thresholds lessens, and "
            f"hidden_layer_sizes={parameters.hidden_layer_sizes}."
        ) from error
