/*
 * replay.c: feeds files to a fuzzer's entry point, without the fuzzer.
 *
 *     replay FILE...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int main(int argc, char **argv) {
    static uint8_t bytes[1 << 20];
    int i;
    for (i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        uint8_t *copy;
        size_t size;
        if (file == NULL) {
            perror(argv[i]);
            return 2;
        }
        size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        /* Exactly as large as it is, so that valgrind sees a read beyond it. */
        if ((copy = malloc(size > 0 ? size : 1)) == NULL) return 2;
        for (size_t k = 0; k < size; k++) copy[k] = bytes[k];
        LLVMFuzzerTestOneInput(copy, size);
        free(copy);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
