/* The floor: the system calls of a commit, as few as can be, and nothing between them.
 *
 *     floor make   DIRECTORY LINE_BYTES PORTFOLIO_BYTES FILE
 *     floor commit DIRECTORY LINE_BYTES PORTFOLIO_BYTES DURABILITY SECONDS FILE
 *
 * flock on an open file, a temporary file opened, pwrite of a journal line into a file that was filled ahead, the start of its write-back, the
 * temporary file written, its exchange with the published one, unlock, fdatasync (with DURABILITY full). The order is the library's, and so is where
 * the inodes are. With FILE new the temporary file is made, and what was swapped out removed, by each commit, as everybody does it who publishes by
 * renaming; with FILE old it is the published file before last, which is written over, as the library does it. Whether somebody sees the file that
 * is written over, what others wrote, configuration and permissions are not looked at: they are the library's price.
 *
 * Any number of processes may commit in one directory: where the next line goes stands in memory that they share, the lock file's, and the
 * kernel decides who gets the lock next. */
#include "slice.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void check(int passed, const char *what) {
    if (!passed) fail(what, strerror(errno));
}

static const size_t block = 1 << 16;

static int directory, makes_files;
static char *fill, *line, *portfolio;
static size_t line_count, portfolio_count;

/* What the processes share. */
typedef struct end {
    off_t offset, size;
} end;

static void *filled(size_t count, int byte) {
    char *bytes = malloc(count);
    check(bytes != NULL, "malloc");
    return memset(bytes, byte, count);
}

static int open_file(const char *name, int flags) {
    int file = openat(directory, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0600);
    check(file >= 0, name);
    return file;
}

static void write_at(int file, const void *bytes, size_t count, off_t offset) {
    check(pwrite(file, bytes, count, offset) == (ssize_t)count, "pwrite");
}

static ino_t inode_block(int file) {
    struct stat status;
    check(fstat(file, &status) == 0, "fstat");
    return (status.st_ino - 1) / 16;
}

/* A new file whose inode is not in the block of the others': those in the wrong place stay open until the program ends. */
static int make_apart(const char *name, int other, int another) {
    for (;;) {
        int file = open_file(name, O_CREAT | O_EXCL);
        ino_t found = inode_block(file);
        if (found != inode_block(other) && found != inode_block(another)) return file;
        check(unlinkat(directory, name, 0) == 0, "unlink");
    }
}

/* Leaves no room beside a file's inode for those of files that are made later. */
static void fill_block_of(int file) {
    for (char name[] = "beside-a"; ; name[7]++) {
        int other = open_file(name, O_CREAT | O_EXCL), is_beside = inode_block(other) == inode_block(file);
        check(close(other) == 0, "close");
        if (is_beside) continue;
        check(unlinkat(directory, name, 0) == 0, "unlink");
        return;
    }
}

static void make(void) {
    end end = {0, (off_t)block};
    int lock = open_file(".lock", O_CREAT | O_EXCL), journal = make_apart("journal.jsonl", directory, lock);
    write_at(lock, &end, sizeof end, 0);
    write_at(journal, fill, block, 0);
    check(fdatasync(journal) == 0, "fdatasync");
    write_at(make_apart("portfolio.json", journal, journal), portfolio, portfolio_count, 0);
    if (makes_files)
        fill_block_of(journal);
    else
        write_at(make_apart("portfolio.json.tmp", journal, journal), portfolio, portfolio_count, 0);
}

static void commit(int journal, int lock, end *end, int is_durable) {
    check(flock(lock, LOCK_EX) == 0, "flock");
    if (end->offset + (off_t)line_count > end->size) {
        write_at(journal, fill, block, end->size);
        check(fdatasync(journal) == 0, "fdatasync");
        end->size += (off_t)block;
    }
    int temporary = open_file("portfolio.json.tmp", makes_files ? O_CREAT | O_EXCL : 0);
    write_at(journal, line, line_count, end->offset);
    if (is_durable) sync_file_range(journal, end->offset, (off_t)line_count, SYNC_FILE_RANGE_WRITE);
    end->offset += (off_t)line_count;
    write_at(temporary, portfolio, portfolio_count, 0);
    check(close(temporary) == 0, "close");
    check(renameat2(directory, "portfolio.json.tmp", directory, "portfolio.json", RENAME_EXCHANGE) == 0, "renameat2");
    if (makes_files) check(unlinkat(directory, "portfolio.json.tmp", 0) == 0, "unlink");
    check(flock(lock, LOCK_UN) == 0, "unlock");
    if (is_durable) check(fdatasync(journal) == 0, "fdatasync");
}

static void commit_all_the_time(const char *durability, double seconds) {
    int is_durable = strcmp(durability, "full") == 0, journal = open_file("journal.jsonl", 0), lock = open_file(".lock", 0);
    end *end = mmap(NULL, sizeof *end, PROT_READ | PROT_WRITE, MAP_SHARED, lock, 0);
    check(end != MAP_FAILED, "mmap");
    for (int done = 0; done < WARM_UP; done++) commit(journal, lock, end, is_durable);
    wait_for_start();
    slice slice = begin_slice(seconds);
    do {
        commit(journal, lock, end, is_durable);
    } while (goes_on(&slice, 1));
    print_slice(&slice);
}

int main(int count, char **words) {
    const char *what = count >= 6 ? words[1] : "", *file = words[count - 1];
    if (!(strcmp(what, "make") == 0 && count == 6) && !(strcmp(what, "commit") == 0 && count == 8)) fail("floor", "see the head of floor.c");
    makes_files = strcmp(file, "new") == 0;
    if (!makes_files && strcmp(file, "old") != 0) fail(file, "is not new or old");
    directory = open(words[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(directory >= 0, "open the directory");
    line_count = (size_t)atol(words[3]), portfolio_count = (size_t)atol(words[4]);
    fill = filled(block, '\n'), line = filled(line_count, 'x'), portfolio = filled(portfolio_count, ' ');
    line[line_count - 1] = '\n';
    if (strcmp(what, "make") == 0)
        make();
    else
        commit_all_the_time(words[5], atof(words[6]));
    return 0;
}
