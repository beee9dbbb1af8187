"""Picks the register tiles once, when first imported; a test can force any that this CPU runs."""

from contextlib import contextmanager


cdef extern from "tiles.h" nogil:
    const Tiles *avx512_vnni_tiles()
    const Tiles *avx512_tiles()
    const Tiles *avx2_tiles()
    const Tiles *popcnt_tiles()
    const Tiles *neon_tiles()
    const Tiles *portable_tiles()


cdef const Tiles *candidates[6]
candidates[:] = [
    avx512_vnni_tiles(), avx512_tiles(), avx2_tiles(), neon_tiles(), popcnt_tiles(), portable_tiles()
]  # fastest first
cdef const Tiles *in_use = NULL


cdef const Tiles* tiles() noexcept nogil:
    return in_use


cdef const Int8Tiles* int8_tiles() noexcept nogil:
    """Products of bytes, whichever set is in use, or NULL where this CPU has none; there is one implementation."""
    for candidate in candidates:
        if candidate is not NULL and candidate.int8 is not NULL:
            return candidate.int8
    return NULL


cdef const Tiles* find(str name) except NULL:
    for candidate in candidates:
        if candidate is not NULL and candidate.name.decode() == name:
            return candidate
    raise ValueError(f"instruction set must be one of {available_instruction_sets()}, got {name!r}")


def available_instruction_sets():
    """Names of the instruction sets that this CPU runs, fastest first."""
    return [candidate.name.decode() for candidate in candidates if candidate is not NULL]


def instruction_set():
    """Name of the instruction set in use."""
    return in_use.name.decode()


def has_int8_products():
    """Whether the instruction set in use has products of bytes."""
    return in_use.int8 is not NULL


@contextmanager
def use_instruction_set(str name):
    """Use one of ``available_instruction_sets()`` within a ``with`` block, in every thread; of several, the last's.

    All sets compute the same bits, so that what is under way may go on with another. Training has two kinds of
    products, though: a fit keeps the kind of the set that was in use when it began.
    """
    block = object()
    find(name)
    open_blocks[block] = name
    use_last()
    try:
        yield
    finally:
        del open_blocks[block]
        use_last()


open_blocks = {}


cdef use_last():
    global in_use
    in_use = find(next(reversed(open_blocks.values()), available_instruction_sets()[0]))


use_last()
