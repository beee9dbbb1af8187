/* The exponential function in plain C, for the compiler to vectorize; the includer chooses the instruction set. */
#include <string.h>

#include "tiles.h"

/* exp(x) = 2^k exp(r) where k is the integer next to x / log(2), the low bits of x / log(2) + 3 * 2^22, and exp(r) the
 * polynomial of Cephes' expf (Moshier, 1989). log(2) is taken in two parts: one of so few bits that k times it is
 * exact, and the rest. Below -87 the result would be denormal. */
static void exp_of_negative(float *x, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        const float shifted = x[i] * 1.44269504f + 12582912.0f, k = shifted - 12582912.0f;
        const float r = x[i] - k * 0.693359375f + k * 2.12194440e-4f;
        float power, y = 1.9875691500e-4f;
        uint32_t bits;
        y = y * r + 1.3981999507e-3f;
        y = y * r + 8.3334519073e-3f;
        y = y * r + 4.1665795894e-2f;
        y = y * r + 1.6666665459e-1f;
        y = y * r + 5.0000001201e-1f;
        y = y * r * r + r + 1;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits << 23) + 0x3f800000u;
        memcpy(&power, &bits, sizeof power);
        x[i] = x[i] < -87 ? 0 : y * power;
    }
}
