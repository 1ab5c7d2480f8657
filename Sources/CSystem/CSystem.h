/* The few calls that Swift's Glibc module does not show, because the C library declares them for _GNU_SOURCE only or as
 * macros. Each wrapper is the call and nothing else. */
#ifndef PAPERTRADE_CSYSTEM_H
#define PAPERTRADE_CSYSTEM_H

#include <errno.h>
#include <locale.h>
#include <stdint.h>

#if defined(__linux__)
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

extern int renameat2(int old_directory, const char *old_name, int new_directory, const char *new_name, unsigned int flags);
extern int sync_file_range(int fd, int64_t offset, int64_t count, unsigned int flags);
extern int gettid(void);

/* RENAME_EXCHANGE and SYNC_FILE_RANGE_WRITE of the kernel's interface. */
static const unsigned int pt_rename_exchange = 1u << 1;
static const unsigned int pt_sync_file_range_write = 2;

/* The first page of a file, to be read by the kernel alone: a file that somebody cuts short would end a process that reads it
 * here. Not inherited by children, whose mapping would keep the file open. NULL on failure. */
static inline const void *pt_map_first_page(int fd) {
    void *page = mmap(0, 4, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) return 0;
    if (madvise(page, 4, MADV_DONTFORK) == 0) return page;
    munmap(page, 4);
    return 0;
}

static inline void pt_unmap_first_page(const void *page) { munmap((void *)(uintptr_t)page, 4); }

/* FUTEX_WAIT: sleeps while the word there is `value`, until pt_futex_wake, a signal or the end of the time; -1 with errno EAGAIN if
 * it is another word, ETIMEDOUT, EINTR, EFAULT where the file is shorter. FUTEX_WAKE: wakes the process that has slept longest. */
static inline int pt_futex_wait(const void *address, uint32_t value, int64_t nanoseconds) {
    struct { long seconds, nanoseconds; } span = {(long)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
    return (int)syscall(SYS_futex, address, 0, value, &span, 0, 0);
}

static inline void pt_futex_wake(const void *address) { syscall(SYS_futex, address, 1, 1, 0, 0, 0); }

/* F_SETLEASE with F_WRLCK. Whoever opens the file waits then until it is closed here, which a signal asks for: SIGURG does nothing unless a host
 * wants it to, but the default, SIGIO, would end one. F_SETSIG, F_SETLEASE. */
static inline int pt_lease(int fd) { return fcntl(fd, 10, SIGURG) != 0 ? -1 : fcntl(fd, 1024, F_WRLCK); }

/* The type of the file system that `fd` is on: f_type of fstatfs(2); -1 with errno set on failure. */
static inline int64_t pt_file_system_type(int fd) {
    struct statfs status;
    if (fstatfs(fd, &status) != 0) return -1;
    return (int64_t)(uint64_t)(unsigned long)status.f_type;
}
#else
#include <sys/mount.h>
#include <sys/param.h>
#include <string.h>
static inline int64_t pt_file_system_is_local(int fd) {
    struct statfs status;
    if (fstatfs(fd, &status) != 0) return -1;
    return (status.f_flags & MNT_LOCAL) != 0;
}
#endif

/* CRC-32C by the processor's own instruction, which has taken the place of tables in every x86-64 since 2008. */
#if defined(__x86_64__)
#include <cpuid.h>
#include <string.h>

static inline int pt_has_crc32c(void) {
    unsigned int a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) != 0;
}

/* The register after `count` more bytes. Only where pt_has_crc32c. */
__attribute__((target("sse4.2"))) static inline uint32_t pt_crc32c(uint32_t crc, const uint8_t *bytes, int64_t count) {
    uint64_t wide = crc;
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; count > 0; count--, bytes++) crc = __builtin_ia32_crc32qi(crc, *bytes);
    return crc;
}
#else
static inline int pt_has_crc32c(void) { return 0; }
static inline uint32_t pt_crc32c(uint32_t crc, const uint8_t *bytes, int64_t count) {
    (void)bytes, (void)count;
    return crc;
}
#endif

#if defined(__APPLE__)
#include <xlocale.h>
#else
typedef struct __locale_struct *pt_locale;
extern pt_locale newlocale(int mask, const char *name, pt_locale base);
extern pt_locale uselocale(pt_locale locale);
extern void freelocale(pt_locale locale);
#endif

#endif
