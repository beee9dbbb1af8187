/* What main.c needs of a board: here of one that QEMU emulates, with semihosting, the debugger's door to the host. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_print(const char *text);
void board_exit(int status) __attribute__((noreturn));

/* Instructions since the start, to the nearest 40 or so on Arm. Right under QEMU's "-icount shift=0" only. */
uint32_t board_instructions(void);

/* Bytes of stack that were needed since the first of these two calls, by the calls between them. */
void board_mark_stack(void);
uint32_t board_stack_used(void);

#endif
