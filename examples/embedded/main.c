/* Predicts each of the rows that train.py left, prints the classes, and says how many differ from Python's. */
#include "board.h"
#include "model.h"
#include "rows.h"

static uint8_t predicted[n_rows];

static void print_number(uint32_t number, const char *after) {
    char digits[11];
    char *at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    board_print(at);
    board_print(after);
}

/* Apart from main, so that the stack which it needs shows. */
__attribute__((noinline)) static uint8_t predict(const model_input_t *x) { return (uint8_t)model_predict(x); }

int main(void) {
    uint32_t wrong = 0, most = 0;
    board_mark_stack();
    const uint32_t start = board_instructions();
    uint32_t before = start;
    for (int i = 0; i < n_rows; i++) {
        predicted[i] = predict(rows[i]);
        const uint32_t after = board_instructions();
        most = after - before > most ? after - before : most;
        before = after;
    }
    const uint32_t stack = board_stack_used();
    for (int i = 0; i < n_rows; i++) {
        print_number(predicted[i], i + 1 < n_rows ? " " : "\n");
        wrong += predicted[i] != expected[i];
    }
    print_number(n_rows, " rows, ");
    print_number(wrong, " differ from Python; ");
    print_number((before - start) / n_rows, " instructions a row, ");
    print_number(most, " at most; ");
    print_number(stack, " bytes of stack\n");
    return wrong > 0;
}
