/* How long a process takes to load a library: load LIBRARY. Prints seconds. */
#include "slice.h"

#include <dlfcn.h>

int main(int count, char **words) {
    if (count != 2) fail("load", "see the head of load.c");
    double begun = now();
    if (!dlopen(words[1], RTLD_NOW)) fail("dlopen", dlerror());
    printf("1 %.9f\n", now() - begun);
    return 0;
}
