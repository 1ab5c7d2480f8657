/* The few calls that Swift's Glibc module does not show, because the C library declares them for _GNU_SOURCE only or as
 * macros. Each wrapper is the call and nothing else. */
#ifndef PAPERTRADE_CSYSTEM_H
#define PAPERTRADE_CSYSTEM_H

#include <errno.h>
#include <locale.h>
#include <stdint.h>

#if defined(__linux__)
#include <sys/vfs.h>

extern int renameat2(int old_directory, const char *old_name, int new_directory, const char *new_name, unsigned int flags);
extern int sync_file_range(int fd, int64_t offset, int64_t count, unsigned int flags);
extern int gettid(void);

/* RENAME_EXCHANGE and SYNC_FILE_RANGE_WRITE of the kernel's interface. */
static const unsigned int pt_rename_exchange = 1u << 1;
static const unsigned int pt_sync_file_range_write = 2;

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

#if defined(__APPLE__)
#include <xlocale.h>
#else
typedef struct __locale_struct *pt_locale;
extern pt_locale newlocale(int mask, const char *name, pt_locale base);
extern pt_locale uselocale(pt_locale locale);
extern void freelocale(pt_locale locale);
#endif

#endif
