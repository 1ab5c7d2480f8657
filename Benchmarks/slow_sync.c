/* A disk that is slower to sync: preloaded into a measured program, fsync and fdatasync take SLOW_SYNC_MICROSECONDS more.
 *
 *     env LD_PRELOAD=slow_sync.so SLOW_SYNC_MICROSECONDS=1000 SLOW_SYNC_FILE=FILE PROGRAM...
 *
 * The processes that share FILE share the disk. It does one sync after the other, and whoever comes while one is under way waits for the next
 * with all others that do: that is what Linux makes of a disk's flushes (block/blk-flush.c). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int file = -1;
static _Atomic unsigned long *begun; /* how many syncs have begun, by all processes */
static struct timespec duration;

__attribute__((constructor)) static void prepare(void) {
    const char *name = getenv("SLOW_SYNC_FILE"), *microseconds = getenv("SLOW_SYNC_MICROSECONDS");
    if (!name || !microseconds) abort();
    duration.tv_nsec = atol(microseconds) * 1000;
    file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof *begun) != 0) abort();
    begun = mmap(NULL, sizeof *begun, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (begun == MAP_FAILED) abort();
}

static int slowly(const char *name, int descriptor) {
    int (*sync)(int);
    *(void **)&sync = dlsym(RTLD_NEXT, name);
    int result = sync(descriptor);
    unsigned long before = *begun;
    if (flock(file, LOCK_EX) != 0) abort();
    /* One that has begun since is this one's, too, and is over. */
    if (*begun == before) {
        ++*begun;
        nanosleep(&duration, NULL);
    }
    flock(file, LOCK_UN);
    return result;
}

int fsync(int descriptor) { return slowly("fsync", descriptor); }
int fdatasync(int descriptor) { return slowly("fdatasync", descriptor); }
