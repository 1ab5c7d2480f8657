/* The few calls that Swift's Glibc module does not show, because the C library declares them for _GNU_SOURCE only or as
 * macros. Each wrapper is the call and nothing else, but for the ids that are remembered. */
#ifndef PAPERTRADE_CSYSTEM_H
#define PAPERTRADE_CSYSTEM_H

#include <errno.h>
#include <locale.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__)
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

extern int renameat2(int old_directory, const char *old_name, int new_directory, const char *new_name, unsigned int flags);
extern int sync_file_range(int fd, int64_t offset, int64_t count, unsigned int flags);
extern int gettid(void);
extern void *memmem(const void *bytes, size_t count, const void *part, size_t part_count);

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

/* FUTEX_WAIT_BITSET: sleeps while the word there is `value`, until pt_futex_wake with one of the bits, a signal or the moment `end`, nanoseconds
 * of CLOCK_MONOTONIC; -1 with errno EAGAIN if it is another word, ETIMEDOUT, EINTR, EFAULT where the file is shorter. FUTEX_WAKE_BITSET: of
 * those who sleep with one of the bits it wakes so many, beginning with who has slept longest. */
static inline int pt_futex_wait(const void *address, uint32_t value, int64_t end, uint32_t bits) {
    struct { long seconds, nanoseconds; } moment = {(long)(end / 1000000000), (long)(end % 1000000000)};
    return (int)syscall(SYS_futex, address, 9, value, &moment, 0, bits);
}

static inline void pt_futex_wake(const void *address, int count, uint32_t bits) {
    syscall(SYS_futex, address, 10, count, 0, 0, bits);
}

/* A lock on one byte that belongs to the open file, and ends with it: F_OFD_SETLK. 0, or -1 with errno EAGAIN if another open file has it. And
 * whether another has it: F_OFD_GETLK; -1 with errno set on failure. */
static inline int pt_lock_byte(int fd, int64_t offset) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
    return fcntl(fd, 37, &lock);
}

static inline int pt_unlock_byte(int fd, int64_t offset) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
    return fcntl(fd, 37, &lock);
}

static inline int pt_byte_is_locked(int fd, int64_t offset) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
    return fcntl(fd, 36, &lock) != 0 ? -1 : lock.l_type != F_UNLCK;
}

/* What was written before is seen by other processors before what is read after it is read. */
static inline void pt_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* struct statx of the kernel's interface, which the C libraries declare for _GNU_SOURCE only. */
struct pt_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t link_count, user, group;
    uint16_t mode, unused;
    uint64_t inode, size, block_count, known_attributes;
    struct { int64_t seconds; uint32_t nanoseconds, unused; } times[4];
    uint32_t own_device_major, own_device_minor, device_major, device_minor;
    uint64_t more[14];
};

/* fstatat(2), or fstat(2) if `name` is NULL, without the times, which are 0: statx(2) with STATX_BASIC_STATS but for STATX_ATIME, STATX_MTIME and
 * STATX_CTIME. An older kernel, or a container that does not let it through, is asked for all. */
static inline int pt_status(int directory, const char *name, int flags, struct stat *status) {
    struct pt_statx found;
    int empty_path = name ? 0 : 0x1000; /* AT_EMPTY_PATH */
    if (syscall(SYS_statx, directory, name ? name : "", flags | empty_path, 0x07ffu & ~0x00e0u, &found) != 0) {
        if (errno != ENOSYS && errno != EPERM) return -1;
        return name ? fstatat(directory, name, status, flags) : fstat(directory, status);
    }
    struct stat result = {0};
    result.st_dev = makedev(found.device_major, found.device_minor);
    result.st_ino = found.inode;
    result.st_mode = found.mode;
    result.st_nlink = found.link_count;
    result.st_uid = found.user;
    result.st_gid = found.group;
    result.st_size = (off_t)found.size;
    *status = result;
    return 0;
}

/* O_NOATIME: reading the file leaves its inode as it is. Only for who owns it; EPERM for others. And the same for a file that is open, where
 * O_NONBLOCK stays set. */
static const int pt_no_access_time = 01000000;
static inline int pt_leave_access_time(int fd) { return fcntl(fd, F_SETFL, O_NONBLOCK | pt_no_access_time); }

/* A word in memory that a forked child finds 0: MADV_WIPEONFORK, Linux 4.14. NULL where that is not to be had. An emulator that says yes to every
 * advice, also to one that there is not, does not do it. */
static inline int32_t *pt_map_wiped_on_fork(void) {
    void *page = mmap(0, sizeof(int32_t), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return 0;
    if (madvise(page, sizeof(int32_t), 18) == 0 && madvise(page, sizeof(int32_t), -1) != 0) return (int32_t *)page;
    munmap(page, sizeof(int32_t));
    return 0;
}

/* getpid(2), asked once in each process if there is such a word to remember the answer in. */
static inline int32_t pt_process_id(int32_t *known) {
    int32_t process = known ? __atomic_load_n(known, __ATOMIC_RELAXED) : 0;
    if (process != 0) return process;
    process = getpid();
    if (known) __atomic_store_n(known, process, __ATOMIC_RELAXED);
    return process;
}

/* gettid(2), asked once by each thread of a process. */
static inline int32_t pt_thread_id(int32_t process) {
    static _Thread_local struct { int32_t process, thread; } known;
    if (known.process != process) {
        known.process = process;
        known.thread = gettid();
    }
    return known.thread;
}

/* F_SETLEASE with F_WRLCK. Whoever opens the file waits then until it is closed here, which a signal asks for: SIGURG does nothing unless a host
 * wants it to, but the default, SIGIO, would end one. F_SETSIG, F_SETLEASE. */
static inline int pt_lease(int fd) { return fcntl(fd, 10, SIGURG) != 0 ? -1 : fcntl(fd, 1024, F_WRLCK); }
static inline int pt_unlease(int fd) { return fcntl(fd, 1024, F_UNLCK); }

/* The type of the file system that `fd` is on: f_type of fstatfs(2); -1 with errno set on failure. */
static inline int64_t pt_file_system_type(int fd) {
    struct statfs status;
    if (fstatfs(fd, &status) != 0) return -1;
    return (int64_t)(uint64_t)(unsigned long)status.f_type;
}
#else
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <string.h>
static inline int pt_status(int directory, const char *name, int flags, struct stat *status) {
    return name ? fstatat(directory, name, status, flags) : fstat(directory, status);
}
static const int pt_no_access_time = 0;
static inline int pt_leave_access_time(int fd) { return fd < 0 ? -1 : 0; }
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

/* The registers after three stretches of `count` bytes each, a multiple of 8, that follow one another: the first one goes on from crc[0], the
 * others from crc[1] and crc[2]. The processor begins one such instruction each cycle, and takes three for it. Only where pt_has_crc32c. */
__attribute__((target("sse4.2"))) static inline void pt_crc32c_of_three(uint32_t crc[3], const uint8_t *bytes, int64_t count) {
    uint64_t first = crc[0], second = crc[1], third = crc[2];
    for (int64_t index = 0; index < count; index += 8) {
        uint64_t words[3];
        memcpy(&words[0], bytes + index, 8);
        memcpy(&words[1], bytes + count + index, 8);
        memcpy(&words[2], bytes + 2 * count + index, 8);
        first = __builtin_ia32_crc32di(first, words[0]);
        second = __builtin_ia32_crc32di(second, words[1]);
        third = __builtin_ia32_crc32di(third, words[2]);
    }
    crc[0] = (uint32_t)first, crc[1] = (uint32_t)second, crc[2] = (uint32_t)third;
}
#else
static inline int pt_has_crc32c(void) { return 0; }
static inline uint32_t pt_crc32c(uint32_t crc, const uint8_t *bytes, int64_t count) {
    (void)bytes, (void)count;
    return crc;
}
static inline void pt_crc32c_of_three(uint32_t crc[3], const uint8_t *bytes, int64_t count) { (void)crc, (void)bytes, (void)count; }
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
