/*
 * forked.c: a child process and its parent's handles: every call is refused, nothing of the parent's is disturbed, and a handle of
 * the child's own works.
 *
 *     forked DIRECTORY        (an empty one)
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static int32_t ignore(void *context, const pt_event *event) {
    (void)context, (void)event;
    return 0;
}

static int child(pt_account *account, pt_lock *lock, const char *path, const char *lock_path) {
    static const char *const sentence = "a child does not use its parent's handles";
    pt_account_summary summary;
    pt_account *own = NULL;
    int32_t held = 0;
    size_t count;
    EXPECT(PT_FORKED, pt_buy(account, "A", 1, 1, NULL, &error), sentence);
    EXPECT(PT_FORKED, pt_summary(account, &summary, &error), sentence);
    EXPECT(PT_FORKED, pt_positions(account, NULL, 0, &count, &error), sentence);
    EXPECT(PT_FORKED, pt_history(account, 1, ignore, NULL, &error), sentence);
    EXPECT(PT_FORKED, pt_begin(account, 0, &error), sentence);
    EXPECT(PT_FORKED, pt_commit(account, &error), sentence);
    EXPECT_PLAIN(PT_FORKED, pt_account_unlock(account), sentence);
    EXPECT_PLAIN(PT_FORKED, pt_close(account), sentence);
    EXPECT(PT_FORKED, pt_lock_acquire(lock, 0, &error), sentence);
    EXPECT_PLAIN(PT_FORKED, pt_lock_release(lock), sentence);
    EXPECT_PLAIN(PT_FORKED, pt_lock_close(lock), sentence);
    EXPECT(PT_OK, pt_lock_is_held(lock_path, &held, &error), "a child asks about its parent's lock");
    CHECK(held == 1, "it is still held");
    EXPECT(PT_OK, pt_open(path, NULL, &own, &error), "a child opens the account itself");
    EXPECT(PT_FORKED, pt_summary(account, &summary, &error), "that does not change its parent's handle");
    EXPECT(PT_OK, pt_buy(own, "A", 1, 1, NULL, &error), "and buys");
    EXPECT_PLAIN(PT_OK, pt_close(own), "and closes its own handle");
    return finish();
}

int main(int argc, char **argv) {
    pt_account *account;
    pt_lock *lock = NULL;
    pt_account_summary summary;
    const char *path, *lock_path;
    int status = 0, round;
    if (argc != 2) {
        fprintf(stderr, "usage: forked DIRECTORY\n");
        return 2;
    }
    path = in(argv[1], "account");
    lock_path = in(argv[1], "jobs.lock");
    account = open_account(path);
    EXPECT(PT_OK, pt_lock_open(lock_path, &lock, &error), "a lock opens");
    EXPECT(PT_OK, pt_lock_acquire(lock, 0, &error), "it is taken");
    for (round = 1; round <= 3; round++) {
        pid_t pid;
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            int failed = child(account, lock, path, lock_path);
            fflush(stdout);
            _exit(failed);
        }
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child is content");
        EXPECT(PT_OK, pt_summary(account, &summary, &error), "the parent's handle goes on");
        CHECK(summary.cash == 10000 - round, "it sees what its children bought");
        EXPECT(PT_OK, pt_buy(account, "B", 1, 0.000001, NULL, &error), "and buys itself");
        EXPECT(PT_OK, pt_deposit(account, 0.000001, NULL, &error), "and puts the money back");
    }
    EXPECT_PLAIN(PT_OK, pt_lock_release(lock), "the parent still holds its lock, and releases it");
    EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "the lock closes");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    return finish();
}
