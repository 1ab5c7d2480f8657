/* Preloaded into pt by the tests: makes system calls fail where the environment says so. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* SHIM_FDATASYNC=n: from the n-th flush on, the disk cannot keep what was written. */
int fdatasync(int file) {
    static int calls;
    const char *first = getenv("SHIM_FDATASYNC");
    if (first && ++calls >= atoi(first)) {
        errno = EIO;
        return -1;
    }
    return fsync(file);
}

/* SHIM_PUBLISH=1: portfolio.json cannot be replaced, which the writer learns only after a second. */
static int fails_to_publish(const char *name) {
    if (!getenv("SHIM_PUBLISH") || strncmp(name, "portfolio", 9) != 0) return 0;
    sleep(1);
    errno = EIO;
    return 1;
}

#include <sys/syscall.h>

int renameat2(int from, const char *name, int to, const char *new_name, unsigned flags) {
    if (fails_to_publish(name)) return -1;
    return (int)syscall(SYS_renameat2, from, name, to, new_name, flags);
}

int renameat(int from, const char *name, int to, const char *new_name) {
    if (fails_to_publish(name)) return -1;
    return (int)syscall(SYS_renameat2, from, name, to, new_name, 0);
}
