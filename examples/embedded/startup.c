/* From reset to main, for Cortex-M and for 32-bit RISC-V; and semihosting, in place of a serial port. */
#include "board.h"

int main(void);

extern uint32_t stack_end[], data_start[], data_end[], data_in_flash[], bss_start[], bss_end[];

static void run(void) {
    const uint32_t *from = data_in_flash;
    for (uint32_t *to = data_start; to < data_end; to++) *to = *from++;
    for (uint32_t *to = bss_start; to < bss_end; to++) *to = 0;
    board_exit(main());
}

#define UNUSED 0x5afe5afeu

void board_mark_stack(void) {
    for (volatile uint32_t *at = bss_end; at < (uint32_t *)__builtin_frame_address(0) - 8; at++) *at = UNUSED;
}

uint32_t board_stack_used(void) {
    const volatile uint32_t *at = bss_end;
    while (*at == UNUSED) at++;
    return (uint32_t)__builtin_frame_address(0) - (uint32_t)at;
}

static void semihosting(uint32_t operation, uint32_t argument);

void board_print(const char *text) { semihosting(0x04, (uint32_t)text); /* SYS_WRITE0 */ }

void board_exit(int status) {
    const uint32_t stopped[2] = {0x20026, (uint32_t)status}; /* by itself, with this status */
    semihosting(0x20, (uint32_t)stopped);                    /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

#ifdef __arm__

#define SYSTICK ((volatile uint32_t *)0xe000e010)

#ifdef __ARM_ARCH_6M__
#define TICKS_PER_SECOND 16000000u /* of QEMU's microbit; an instruction takes a nanosecond */
#else
#define TICKS_PER_SECOND 25000000u /* of its mps2 boards */
#endif

static void semihosting(uint32_t operation, uint32_t argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register uint32_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

uint32_t board_instructions(void) {
    return (uint32_t)((0xffffffu - SYSTICK[2]) * (uint64_t)(1000000000u / 500000u) / (TICKS_PER_SECOND / 500000u));
}

void reset(void) {
#ifdef __ARM_FP
    *(volatile uint32_t *)0xe000ed88 |= 0xf00000; /* switches the FPU on */
#endif
    SYSTICK[1] = 0xffffff; /* counts down from here, by the processor's clock */
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
    run();
}

static void fault(void) { board_exit(1); }

/* What a Cortex-M reads first: the stack, and where to go after a reset, an NMI and a hard fault. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[3])(void);
} vectors = {stack_end, {reset, fault, fault}};

#else

/* The three instructions together are the call; they may not lie on two pages. */
__attribute__((naked, aligned(16), noinline)) static void semihosting(uint32_t operation, uint32_t argument) {
    (void)operation;
    (void)argument;
    __asm__ volatile(
        ".option push\n.option norvc\n"
        "slli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n"
        ".option pop\nret");
}

uint32_t board_instructions(void) {
    uint32_t count;
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(count));
    return count;
}

__attribute__((naked, section(".vectors"), used)) void reset(void) {
    __asm__ volatile("la sp, stack_end\nj %0" : : "i"(run));
}

#endif
