/*
 * threads.c: threads that share one handle, wait for each other, and close it while others are inside.
 *
 *     threads DIRECTORY        (an empty one)
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <pthread.h>
#include <time.h>

enum { THREADS = 8, BUYS = 50 };

static pt_account *account;

/* What one thread did. Threads do not use EXPECT, whose `error` belongs to the main thread. */
typedef struct worker {
    pthread_t thread;
    int number;
    int bought;
    pt_status last; /* the first status that was not PT_OK, or PT_OK */
    pt_error error;
    int has_arrived; /* guarded by `arrival` */
} worker;

static pthread_mutex_t arrival = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;

static void start(worker *worker, int number, void *(*body)(void *)) {
    memset(worker, 0, sizeof *worker);
    worker->number = number;
    if (pthread_create(&worker->thread, NULL, body, worker) != 0) {
        perror("pthread_create");
        exit(2);
    }
}

/* A thread says that it is where the main thread waits for it to be. */
static void arrive(worker *worker) {
    pthread_mutex_lock(&arrival);
    worker->has_arrived = 1;
    pthread_cond_signal(&arrived);
    pthread_mutex_unlock(&arrival);
}

static void await(worker *worker) {
    pthread_mutex_lock(&arrival);
    while (!worker->has_arrived) pthread_cond_wait(&arrived, &arrival);
    pthread_mutex_unlock(&arrival);
}

/* What a thread came to, as a sentence for CHECK. */
static const char *ended(const worker *worker, const char *sentence) {
    static char text[800];
    snprintf(text, sizeof text, "%s (%s %.500s)", sentence, pt_status_name(worker->last), worker->error.message);
    return text;
}

static void sleep_milliseconds(long milliseconds) {
    struct timespec span;
    span.tv_sec = milliseconds / 1000;
    span.tv_nsec = milliseconds % 1000 * 1000000;
    nanosleep(&span, NULL);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *buy(void *context) {
    worker *worker = context;
    char own[8];
    snprintf(own, sizeof own, "OWN-%d", worker->number);
    while (worker->bought < BUYS && worker->last == PT_OK) {
        worker->last = pt_buy(account, worker->bought % 2 ? own : "SHARED", 0.1, 1.1, NULL, &worker->error);
        if (worker->last == PT_OK) worker->bought++;
    }
    return NULL;
}

static void buys_from_eight_threads(const char *path) {
    worker workers[THREADS];
    pt_account_summary summary;
    pt_position_info position;
    int i;
    account = open_account(path);
    for (i = 0; i < THREADS; i++) start(&workers[i], i, buy);
    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK(workers[i].bought == BUYS, "every thread buys what it wants");
    }
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account has a summary");
    CHECK(summary.cash == 9956 && summary.total_cost == 44, "400 x 0.11 were paid, exactly");
    CHECK(summary.position_count == THREADS + 1, "there are nine positions");
    EXPECT(PT_OK, pt_position(account, "SHARED", &position, &error), "all threads bought one of them");
    CHECK(position.shares == 20 && position.cost == 22 && position.cost_basis == 1.1, "200 x 0.1 shares, exactly");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
}

/* Batches of one thread are whole for the others. */
static void *move(void *context) {
    worker *worker = context;
    while (worker->bought < BUYS && worker->last == PT_OK) {
        if ((worker->last = pt_begin(account, PT_WAIT_FOREVER, &worker->error)) != PT_OK) break;
        pt_withdraw(account, 7, NULL, NULL);
        pt_deposit(account, 7, NULL, NULL);
        worker->last = worker->number % 2 ? pt_commit(account, &worker->error) : pt_rollback(account);
        worker->bought++;
    }
    return NULL;
}

static void batches_from_eight_threads(const char *path) {
    worker workers[THREADS];
    pt_account_summary summary;
    int i, wrong = 0;
    account = open_account(path);
    for (i = 0; i < THREADS; i++) start(&workers[i], i, move);
    for (i = 0; i < 200; i++) {
        if (pt_summary(account, &summary, NULL) != PT_OK || summary.cash != 10000) wrong++;
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK(workers[i].last == PT_OK, ended(&workers[i], "every batch ends well"));
    }
    CHECK(wrong == 0, "no other thread ever saw the middle of a batch");
    EXPECT(PT_MISUSE, pt_commit(account, &error), "this thread has no batch");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
}

static void *buy_until_closed(void *context) {
    worker *worker = context;
    while (worker->last == PT_OK) {
        worker->last = pt_buy(account, "A", 0.001, 1, NULL, &worker->error);
        if (worker->last == PT_OK) worker->bought++;
        arrive(worker);
    }
    return NULL;
}

static void closing_while_others_are_inside(const char *path) {
    worker workers[THREADS];
    pt_position_info position;
    int i, bought = 0;
    account = open_account(path);
    for (i = 0; i < THREADS; i++) start(&workers[i], i, buy_until_closed);
    for (i = 0; i < THREADS; i++) await(&workers[i]);
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes while eight threads use it");
    for (i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK(workers[i].last == PT_CLOSED && workers[i].bought > 0, ended(&workers[i], "every thread buys, and learns that it is closed"));
        bought += workers[i].bought;
    }
    account = open_account(path);
    EXPECT(PT_OK, pt_position(account, "A", &position, &error), "something was bought");
    CHECK(position.shares == bought / 1000.0, "what was acknowledged was bought, and nothing else");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
}

/* A batch or lock of a thread that is not inside a call is taken from it. */
static void *hold(void *context) {
    worker *worker = context;
    worker->last = worker->number ? pt_begin(account, 0, &worker->error) : pt_account_lock(account, 0, &worker->error);
    if (worker->last == PT_OK) worker->last = pt_withdraw(account, 1, NULL, &worker->error);
    arrive(worker);
    while (worker->last == PT_OK) {
        sleep_milliseconds(5);
        worker->last = worker->number ? pt_withdraw(account, 1, NULL, &worker->error) : pt_account_lock(account, 0, &worker->error);
    }
    return NULL;
}

static void closing_what_others_hold(const char *path) {
    worker holder;
    pt_account_summary summary;
    int is_batch;
    for (is_batch = 0; is_batch <= 1; is_batch++) {
        account = open_account(path);
        start(&holder, is_batch, hold);
        await(&holder);
        EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes while another thread holds its lock");
        pthread_join(holder.thread, NULL);
        CHECK(holder.last == PT_CLOSED, ended(&holder, "that thread learns that it is closed"));
        account = open_account(path);
        EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account opens again");
        CHECK(summary.cash == 9999, "what was committed has happened, an open batch has not");
        EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    }
}

/* Batches that end while the account is being closed have happened whole, or not at all. */
static void *move_until_closed(void *context) {
    worker *worker = context;
    while (worker->last == PT_OK) {
        if ((worker->last = pt_begin(account, PT_WAIT_DEFAULT, &worker->error)) != PT_OK) break;
        pt_withdraw(account, 1, NULL, NULL);
        pt_deposit(account, 2, NULL, NULL);
        worker->last = pt_commit(account, &worker->error);
        if (worker->last == PT_OK) worker->bought++;
    }
    return NULL;
}

static void closing_while_batches_end(const char *path) {
    worker workers[THREADS];
    pt_account_summary summary;
    pt_verify_report report;
    int i, round, committed = 0;
    for (round = 0; round < 100; round++) {
        account = open_account(path);
        for (i = 0; i < THREADS; i++) start(&workers[i], i, move_until_closed);
        sleep_milliseconds(round % 4);
        EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes while batches begin and end");
        for (i = 0; i < THREADS; i++) {
            pthread_join(workers[i].thread, NULL);
            CHECK(workers[i].last == PT_CLOSED, ended(&workers[i], "every thread learns that it is closed"));
            committed += workers[i].bought;
        }
    }
    account = open_account(path);
    EXPECT(PT_OK, pt_summary(account, &summary, &error), "the account opens again");
    CHECK(summary.cash == 10000 + committed, "every acknowledged batch has happened, and no other");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    EXPECT(PT_OK, pt_verify(path, &report, &error), "the account is proved");
}

static void *buy_once(void *context) {
    worker *worker = context;
    worker->last = pt_buy(account, "A", 1, 1, NULL, &worker->error);
    return NULL;
}

static void waiting_for_the_lock(const char *path) {
    worker waiting;
    pt_account *holder = open_account(path);
    pt_options options = PT_OPTIONS_INIT;
    double began;

    options.lock_timeout_ms = 50;
    EXPECT(PT_OK, pt_open(path, &options, &account, &error), "the account opens twice");
    EXPECT(PT_OK, pt_account_lock(holder, 0, &error), "one handle holds the lock");
    began = seconds();
    start(&waiting, 0, buy_once);
    pthread_join(waiting.thread, NULL);
    CHECK(waiting.last == PT_BUSY && seconds() - began >= 0.05, "another thread waits for as long as its handle says");
    CHECK(strstr(waiting.error.message, "this process since") != NULL, "and is told who holds the lock, and since when");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the handle closes");

    options.lock_timeout_ms = PT_WAIT_FOREVER;
    EXPECT_PLAIN(PT_OK, pt_account_unlock(holder), "the lock is released, for the other handle to open");
    EXPECT(PT_OK, pt_open(path, &options, &account, &error), "the account opens twice");
    EXPECT(PT_OK, pt_account_lock(holder, 0, &error), "one handle holds the lock");
    start(&waiting, 0, buy_once);
    sleep_milliseconds(50); /* nothing tells that a thread waits inside a call; one that comes later is refused as well */
    began = seconds();
    EXPECT_PLAIN(PT_OK, pt_close(account), "the other one closes although a thread waits in it for ever");
    pthread_join(waiting.thread, NULL);
    CHECK(waiting.last == PT_CLOSED, ended(&waiting, "that thread learns that it is closed"));
    CHECK(seconds() - began < 5, "soon");
    EXPECT_PLAIN(PT_OK, pt_account_unlock(holder), "the holder is not disturbed");
    EXPECT_PLAIN(PT_OK, pt_close(holder), "the account closes");
}

/* What a callback of the call in the other thread uses, and the closing thread may throw away when the account is closed. */
typedef struct used {
    volatile int entered, calls, is_gone, was_gone;
} used;

static used in_use;

static void use(void *context) {
    used *used = context;
    used->calls++;
    used->entered = 1;
    sleep_milliseconds(200);
    if (used->is_gone) used->was_gone = 1;
}

static int32_t slow_event(void *context, const pt_event *event) {
    (void)event;
    use(context);
    return 0;
}

static int32_t slow_cycle(void *context, const pt_cycle *cycle) {
    (void)cycle;
    use(context);
    return 0;
}

static int32_t slow_analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)symbol, (void)time, (void)out;
    use(context);
    return PT_NO_OPINION;
}

static void slow_log(void *context, int32_t level, const char *message) {
    (void)level, (void)message;
    use(context);
}

static int64_t slow_clock(void *context) {
    use(context);
    return 1400000000000000;
}

enum { HISTORY, CYCLES, QUEUE, MONITORING, LOG, CLOCK, KINDS };

static void *call_slowly(void *context) {
    worker *worker = context;
    pt_cycle_options options = PT_CYCLE_OPTIONS_INIT;
    pt_execution executions[2];
    options.flags = PT_CYCLE_IGNORE_SCHEDULE;
    switch (worker->number) {
    case HISTORY: worker->last = pt_history(account, 1, slow_event, &in_use, &worker->error); break;
    case CYCLES: worker->last = pt_cycles(account, 1, slow_cycle, &in_use, &worker->error); break;
    case QUEUE: worker->last = pt_execute_queue(account, slow_analyst, &in_use, executions, 2, NULL, &worker->error); break;
    case MONITORING: worker->last = pt_monitoring_cycle(account, slow_analyst, &in_use, &options, NULL, &worker->error); break;
    default: worker->last = pt_deposit(account, 1, NULL, &worker->error);
    }
    return NULL;
}

static int32_t nothing(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time, (void)out;
    return PT_NO_OPINION;
}

static void closing_while_callbacks_run(const char *directory) {
    int kind;
    for (kind = 0; kind < KINDS; kind++) {
        pt_options options = PT_OPTIONS_INIT;
        worker calling;
        char path[1024], name[1100];
        snprintf(path, sizeof path, "%s/callback-%d", directory, kind);
        snprintf(name, sizeof name, "%s/config.json", path);
        account = open_account(path);
        write_file(name, "{\"watchlist\": [\"A\", \"B\"]}");
        EXPECT(PT_OK, pt_enqueue(account, "A", 90, PT_SIGNAL_BUY, NAN, NULL, &error), "something is queued");
        EXPECT(PT_OK, pt_enqueue(account, "B", 90, PT_SIGNAL_BUY, NAN, NULL, &error), "and something else");
        EXPECT(PT_OK, pt_monitoring_cycle(account, nothing, NULL, NULL, NULL, &error), "there is a cycle");
        EXPECT(PT_OK, pt_monitoring_cycle(account, nothing, NULL, NULL, NULL, &error), "and another one");
        EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
        if (kind == LOG) options.log = slow_log;
        if (kind == CLOCK) options.clock = slow_clock;
        options.log_context = options.clock_context = &in_use;
        EXPECT(PT_OK, pt_open(path, &options, &account, &error), "it opens with callbacks");
        if (kind == LOG) write_file(name, "not JSON");
        memset(&in_use, 0, sizeof in_use);
        start(&calling, kind, call_slowly);
        while (!in_use.entered) sleep_milliseconds(1);
        EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes while another thread is in a callback");
        in_use.is_gone = 1;
        pthread_join(calling.thread, NULL);
        CHECK(!in_use.was_gone && in_use.calls == 1, "the callback has returned by then, and was not called again");
        CHECK(calling.last == (kind == LOG ? PT_OK : PT_CLOSED), ended(&calling, "the call ends"));
    }
}

/* Two threads, each in a callback of one account, close each other's. */
static pt_account *two[2];
static pthread_barrier_t both;

static int32_t close_the_other(void *context, const pt_event *event) {
    worker *worker = context;
    (void)event;
    pthread_barrier_wait(&both);
    worker->last = pt_close(two[1 - worker->number]);
    pthread_barrier_wait(&both);
    return 0;
}

static void *close_in_callback(void *context) {
    worker *worker = context;
    pt_status status = pt_history(two[worker->number], 1, close_the_other, worker, &worker->error);
    if (worker->last == PT_OK) worker->last = status;
    return NULL;
}

static void closing_each_other(const char *directory) {
    worker workers[2];
    int i;
    two[0] = open_account(in(directory, "one"));
    two[1] = open_account(in(directory, "two"));
    pthread_barrier_init(&both, NULL, 2);
    for (i = 0; i < 2; i++) start(&workers[i], i, close_in_callback);
    for (i = 0; i < 2; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK(workers[i].last == PT_CLOSED, ended(&workers[i], "both close the other's account, and learn that theirs is closed"));
    }
    pthread_barrier_destroy(&both);
}

static pt_lock *lock;

static void *acquire_for_ever(void *context) {
    worker *worker = context;
    worker->last = worker->number == 0 ? pt_lock_acquire(lock, PT_WAIT_FOREVER, &worker->error)
                                       : pt_lock_acquire_retrying(lock, 0, 2, 100000, &worker->error);
    return NULL;
}

static void closing_a_lock_that_is_waited_for(const char *path) {
    pt_lock *holder;
    worker waiting;
    int32_t held = 1;
    int is_retrying;
    for (is_retrying = 0; is_retrying <= 1; is_retrying++) {
        double began = seconds();
        EXPECT(PT_OK, pt_lock_open(path, &holder, &error), "a lock opens");
        EXPECT(PT_OK, pt_lock_open(path, &lock, &error), "it opens twice");
        EXPECT(PT_OK, pt_lock_acquire(holder, 0, &error), "one handle holds it");
        start(&waiting, is_retrying, acquire_for_ever);
        sleep_milliseconds(50);
        EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "the other one closes although a thread waits in it");
        sleep_milliseconds(is_retrying ? 0 : 200);
        EXPECT_PLAIN(PT_OK, pt_lock_release(holder), "the holder releases it");
        pthread_join(waiting.thread, NULL);
        CHECK(waiting.last == PT_CLOSED, ended(&waiting, "the thread learns that its handle is closed"));
        CHECK(seconds() - began < 5, "soon");
        EXPECT(PT_OK, pt_lock_is_held(path, &held, &error), "the lock is asked about");
        CHECK(held == 0, "nobody holds it");
        EXPECT_PLAIN(PT_OK, pt_lock_close(holder), "the lock closes");
    }
}

/* Closing at any moment, also just when the lock is taken. */
static void *acquire_once(void *context) {
    worker *worker = context;
    worker->last = pt_lock_acquire(lock, PT_WAIT_FOREVER, &worker->error);
    return NULL;
}

static void closing_a_lock_that_is_being_taken(const char *path) {
    worker taking;
    pt_lock *other;
    int round;
    for (round = 0; round < 2000; round++) {
        EXPECT(PT_OK, pt_lock_open(path, &lock, &error), "a lock opens");
        EXPECT(PT_OK, pt_lock_open(path, &other, &error), "it opens twice");
        start(&taking, 0, acquire_once);
        if (round % 2) sleep_milliseconds(0);
        EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "it closes while another thread takes it");
        EXPECT(PT_OK, pt_lock_acquire(other, 5000, &error), "then it is free, whatever came first");
        pthread_join(taking.thread, NULL);
        CHECK(taking.last == PT_OK || taking.last == PT_CLOSED, ended(&taking, "the thread had it, or learns that it is closed"));
        EXPECT_PLAIN(PT_OK, pt_lock_close(other), "the lock closes");
    }
}

static void *acquire(void *context) {
    worker *worker = context;
    worker->last = worker->number == 0 ? pt_lock_acquire(lock, 30, &worker->error)
                                       : pt_lock_acquire_retrying(lock, 5, worker->number, 10, &worker->error);
    return NULL;
}

static void *release(void *context) {
    worker *worker = context;
    worker->last = pt_lock_release(lock);
    return NULL;
}

static void locks_between_threads(const char *path) {
    worker worker;
    double began;
    EXPECT(PT_OK, pt_lock_open(path, &lock, &error), "a lock opens");
    EXPECT(PT_OK, pt_lock_acquire(lock, 0, &error), "a thread takes it");
    start(&worker, 0, acquire);
    pthread_join(worker.thread, NULL);
    CHECK(worker.last == PT_BUSY && strstr(worker.error.message, "this process since") != NULL, "another thread is kept out, and told by whom");
    began = seconds();
    start(&worker, 3, acquire);
    pthread_join(worker.thread, NULL);
    CHECK(worker.last == PT_BUSY && seconds() - began >= 0.035, "three attempts of 5 ms with 10 ms in between do not help");
    start(&worker, 1000, acquire);
    sleep_milliseconds(20);
    EXPECT_PLAIN(PT_OK, pt_lock_release(lock), "it is released");
    pthread_join(worker.thread, NULL);
    CHECK(worker.last == PT_OK, ended(&worker, "whoever goes on trying gets it"));
    start(&worker, 0, release);
    pthread_join(worker.thread, NULL);
    CHECK(worker.last == PT_OK, ended(&worker, "any thread may release it"));
    EXPECT_PLAIN(PT_OK, pt_lock_close(lock), "the lock closes");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: threads DIRECTORY\n");
        return 2;
    }
    buys_from_eight_threads(in(argv[1], "buys"));
    batches_from_eight_threads(in(argv[1], "batches"));
    closing_while_others_are_inside(in(argv[1], "closing"));
    closing_what_others_hold(in(argv[1], "held"));
    closing_while_batches_end(in(argv[1], "ending"));
    waiting_for_the_lock(in(argv[1], "waiting"));
    closing_while_callbacks_run(argv[1]);
    closing_each_other(argv[1]);
    locks_between_threads(in(argv[1], "jobs.lock"));
    closing_a_lock_that_is_waited_for(in(argv[1], "closing.lock"));
    closing_a_lock_that_is_being_taken(in(argv[1], "closing.lock"));
    return finish();
}
