/* Asks for memory before it is read. */
#ifndef SKBNN_PREFETCH_H
#define SKBNN_PREFETCH_H

#include <stddef.h>

#define CACHE_LINE 64 /* bytes */
#define COLUMNS_AHEAD \
    32 /* between the ones that are read and those that are asked for: no hardware foresees the latter */

/* Have the cache lines of n_bytes > 0 brought, where the compiler knows how to ask. */
static inline void prefetch(const char *start, ptrdiff_t n_bytes) {
#if defined(__GNUC__)
    for (ptrdiff_t at = 0; at < n_bytes; at += CACHE_LINE) __builtin_prefetch(start + at);
    __builtin_prefetch(start + n_bytes - 1);
#else
    (void)start;
    (void)n_bytes;
#endif
}

#endif
