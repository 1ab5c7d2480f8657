/*
 * forked.c: a child process and its parent's handles: every call is refused, nothing of the parent's is disturbed, and a handle of
 * the child's own works, also when its threads open theirs at once.
 *
 *     forked DIRECTORY        (an empty one)
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int32_t ignore(void *context, const pt_event *event) {
    (void)context, (void)event;
    return 0;
}

static int32_t judge(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time, (void)out;
    return PT_NO_OPINION;
}

static int32_t look(void *context, const pt_cycle *cycle) {
    (void)context, (void)cycle;
    return 0;
}

#define REFUSED(call) EXPECT(PT_FORKED, call, "a child does not use its parent's handles")
#define REFUSED_PLAIN(call) EXPECT_PLAIN(PT_FORKED, call, "a child does not use its parent's handles")

/* Tests/C/run looks whether this is every call on an account or a lock. */
static void refused(pt_account *account, pt_lock *lock, const char *backup) {
    pt_account_summary summary;
    pt_position_info position;
    pt_valuation valuation;
    pt_fill fill;
    pt_order order = PT_ORDER_INIT;
    pt_opportunity opportunity = PT_OPPORTUNITY_INIT;
    int64_t time;
    int32_t is_open;
    size_t count;
    order.side = PT_BUY, order.symbol = "A", order.shares = 1, order.price = 1;
    opportunity.symbol = "A", opportunity.signal = PT_SIGNAL_BUY;
    REFUSED(pt_reload(account, &error));
    REFUSED(pt_reset(account, 1, NULL, &error));
    REFUSED(pt_backup(account, backup, &error));
    REFUSED(pt_buy(account, "A", 1, 1, NULL, &error));
    REFUSED(pt_sell(account, "A", 1, 1, NULL, &error));
    REFUSED(pt_submit(account, &order, NULL, &error));
    REFUSED(pt_deposit(account, 1, NULL, &error));
    REFUSED(pt_withdraw(account, 1, NULL, &error));
    REFUSED(pt_split(account, "A", 2, 1, NAN, NULL, &error));
    REFUSED(pt_dividend(account, "A", 1, NULL, &error));
    REFUSED(pt_write_off(account, "A", NULL, &error));
    REFUSED(pt_begin(account, 0, &error));
    REFUSED(pt_commit(account, &error));
    REFUSED_PLAIN(pt_rollback(account));
    REFUSED(pt_summary(account, &summary, &error));
    REFUSED(pt_position(account, "A", &position, &error));
    REFUSED(pt_positions(account, NULL, 0, &count, &error));
    REFUSED(pt_value(account, NULL, 0, &valuation, &error));
    REFUSED(pt_history(account, 1, ignore, NULL, &error));
    REFUSED(pt_find_request(account, "id", &fill, &error));
    REFUSED(pt_enqueue(account, "A", 50, PT_SIGNAL_BUY, NAN, NULL, &error));
    REFUSED(pt_submit_opportunity(account, &opportunity, NULL, &error));
    REFUSED(pt_queue(account, NULL, 0, &count, &error));
    REFUSED(pt_dequeue_all(account, NULL, 0, &count, &error));
    REFUSED(pt_clear_queue(account, NULL, NULL, &error));
    REFUSED(pt_execute_queue(account, judge, NULL, NULL, 0, &count, &error));
    REFUSED(pt_monitoring_cycle(account, judge, NULL, NULL, NULL, &error));
    REFUSED(pt_trading_cycle(account, judge, NULL, NULL, NULL, &error));
    REFUSED(pt_cycles(account, 1, look, NULL, &error));
    REFUSED(pt_next_cycle(account, PT_TRADING, PT_TIME_NOW, &time, &error));
    REFUSED(pt_signals(account, NULL, 0, &count, &error));
    REFUSED(pt_market_is_open(account, PT_TIME_NOW, &is_open, &error));
    REFUSED(pt_market_next_open(account, PT_TIME_NOW, &time, &error));
    REFUSED(pt_market_next_close(account, PT_TIME_NOW, &time, &error));
    REFUSED(pt_account_lock(account, 0, &error));
    REFUSED_PLAIN(pt_account_unlock(account));
    REFUSED_PLAIN(pt_close(account));
    REFUSED(pt_lock_acquire(lock, 0, &error));
    REFUSED(pt_lock_acquire_retrying(lock, 0, 2, 0, &error));
    REFUSED_PLAIN(pt_lock_release(lock));
    REFUSED_PLAIN(pt_lock_close(lock));
}

enum { THREADS = 4, FORKS = 500 };

static pthread_barrier_t together;

/* Opens a lock of its own and uses it. Threads do not use EXPECT, whose `error` belongs to the main thread. */
static void *use_own_lock(void *path) {
    pt_lock *lock;
    pt_status status;
    int i;
    pthread_barrier_wait(&together);
    status = pt_lock_open(path, &lock, NULL);
    for (i = 0; status == PT_OK && i < 5; i++) {
        status = pt_lock_acquire(lock, 0, NULL);
        if (status == PT_OK) status = pt_lock_release(lock);
    }
    if (status == PT_OK) status = pt_lock_close(lock);
    if (status != PT_OK) printf("%s: %s\n", (char *)path, pt_status_name(status));
    return status == PT_OK ? NULL : path;
}

/* Threads that make the child's first calls at once. Whether each one's handle leads to its own lock. */
static int child_with_threads(char paths[THREADS][1024]) {
    pthread_t threads[THREADS];
    void *failed;
    int i, is_wrong = 0;
    pthread_barrier_init(&together, NULL, THREADS);
    for (i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, use_own_lock, paths[i]) != 0) exit(2);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &failed);
        if (failed != NULL) is_wrong = 1;
    }
    return is_wrong;
}

static void children_with_threads(const char *directory) {
    char paths[THREADS][1024];
    int i, status, wrong = 0;
    for (i = 0; i < THREADS; i++) snprintf(paths[i], sizeof paths[i], "%s/thread-%d.lock", directory, i);
    for (i = 0; i < FORKS; i++) {
        pid_t pid;
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            int failed = child_with_threads(paths);
            fflush(stdout);
            _exit(failed);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) wrong++;
    }
    CHECK(wrong == 0, "each thread of a child gets handles of its own");
}

static int child(pt_account *account, pt_lock *lock, const char *path, const char *lock_path) {
    pt_account_summary summary;
    pt_account *own = NULL;
    int32_t held = 0;
    refused(account, lock, in(path, "backup"));
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
    children_with_threads(argv[1]);
    EXPECT_PLAIN(PT_OK, pt_lock_release(lock), "the parent still holds its lock, and releases it");
    EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "the lock closes");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    return finish();
}
