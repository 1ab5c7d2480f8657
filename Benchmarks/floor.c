/* The floor: the system calls that a commit cannot do without, and nothing between them.
 *
 *     floor DIRECTORY DURABILITY SECONDS LINE_BYTES PORTFOLIO_BYTES
 *
 * flock on an open file, pwrite of a journal line into a file that was filled ahead, the start of its write-back, a temporary file,
 * its exchange with the published one, unlink, unlock, fdatasync (with DURABILITY full). The order is the library's. Opening the
 * lock for each commit, reading what others wrote, looking at configuration and permissions are not here: they are the library's price. */
#include "slice.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

static void check(int passed, const char *what) {
    if (!passed) fail(what, strerror(errno));
}

static int make_file(int directory, const char *name, const char *bytes, size_t count) {
    int file = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    check(file >= 0, "open");
    check(pwrite(file, bytes, count, 0) == (ssize_t)count, "pwrite");
    return file;
}

int main(int count, char **words) {
    if (count != 6) fail("floor", "see the head of floor.c");
    int is_durable = strcmp(words[2], "full") == 0;
    double seconds = atof(words[3]);
    size_t line_count = (size_t)atol(words[4]), portfolio_count = (size_t)atol(words[5]), block = 1 << 16;

    int directory = open(words[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    check(directory >= 0, "open the directory");
    char *fill = malloc(block), *line = malloc(line_count), *portfolio = malloc(portfolio_count);
    check(fill && line && portfolio, "malloc");
    memset(fill, '\n', block);
    memset(line, 'x', line_count);
    line[line_count - 1] = '\n';
    memset(portfolio, ' ', portfolio_count);
    int journal = make_file(directory, "journal.jsonl", fill, block), lock = make_file(directory, ".lock", "", 0);
    check(close(make_file(directory, "portfolio.json", portfolio, portfolio_count)) == 0, "close");
    check(fdatasync(journal) == 0, "fdatasync");

    off_t size = (off_t)block, offset = 0;
    wait_for_start();
    slice slice = begin_slice(seconds);
    do {
        check(flock(lock, LOCK_EX | LOCK_NB) == 0, "flock");
        if (offset + (off_t)line_count > size) {
            check(pwrite(journal, fill, block, size) == (ssize_t)block, "extend");
            check(fdatasync(journal) == 0, "fdatasync");
            size += (off_t)block;
        }
        int temporary = make_file(directory, "portfolio.json.tmp", portfolio, portfolio_count);
        check(close(temporary) == 0, "close");
        check(pwrite(journal, line, line_count, offset) == (ssize_t)line_count, "pwrite");
        if (is_durable) sync_file_range(journal, offset, (off_t)line_count, SYNC_FILE_RANGE_WRITE);
        offset += (off_t)line_count;
        check(renameat2(directory, "portfolio.json.tmp", directory, "portfolio.json", RENAME_EXCHANGE) == 0, "renameat2");
        check(unlinkat(directory, "portfolio.json.tmp", 0) == 0, "unlink");
        check(flock(lock, LOCK_UN) == 0, "unlock");
        if (is_durable) check(fdatasync(journal) == 0, "fdatasync");
    } while (goes_on(&slice, 1));
    print_slice(&slice);
    return 0;
}
