/*
 * papertrade.h: a paper-trading account that any program can embed.
 *
 * An account is a directory of plain JSON. Any number of processes may open it at the same time, through this header, the
 * Python package or the Swift module, and it stays right: every change is made under a file lock after reading what the
 * others have done, is refused or takes effect whole, and is acknowledged only when it is on the disk.
 *
 *     #include <papertrade.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         pt_error error;
 *         pt_account *account;
 *         pt_fill fill;
 *         if (pt_open("my-account", NULL, &account, &error) != PT_OK ||
 *             pt_buy(account, "AAPL", 40, 150.00, &fill, &error) != PT_OK) {
 *             fprintf(stderr, "%s\n", error.message);
 *             pt_close(account);
 *             return 1;
 *         }
 *         printf("bought; cash is now %.2f\n", fill.cash_after);
 *         return pt_close(account) == PT_OK ? 0 : 1;
 *     }
 *
 *     cc trade.c -lpapertrade
 *
 * CONVENTIONS
 *
 *   Return values.  Every call that can fail returns a pt_status; PT_OK is 0. Statuses come in ranges (below). New codes may
 *     be added in later versions: treat an unknown one like any other of its range.
 *   Errors.  A last parameter pt_error * may be NULL. The caller owns it. It is written on every call: cleared on success, and
 *     on failure filled with the status and one line of English that says what was wrong, with which value, and what to do
 *     about it.
 *   Amounts.  Shares, prices and money are ordinary doubles that stand for whole millionths, up to 999,999,999.999999 either
 *     way. Within that bound the double is exact: 0.1 means one tenth. A value is taken as the nearest millionth; one that
 *     this would change by more than a ten-thousandth of itself (0.0000078) is PT_TOO_PRECISE. NaN, infinities and larger
 *     values are refused. shares x price is computed exactly and rounded once, half to even, to a millionth.
 *   Derived figures (cost basis, market value, return) that cannot be expressed are NaN.
 *   Time.  int64_t microseconds since 1970-01-01 00:00:00 UTC. Time spans and timeouts: int64_t milliseconds.
 *   Strings.  NUL-terminated UTF-8. Limits are in bytes; a string that is too long is refused, never cut.
 *   Ownership.  What you pass in stays yours and is not kept after the call. Out-structs contain no pointers and need no
 *     freeing. `*account` and `*lock` are NULL after a failure.
 *   In-structs start with struct_size and have an _INIT macro: always initialise with it. They grow at the end; programs
 *     compiled against an older header keep working, and so do those with a newer one that leave zero what this library does not know.
 *     Nothing is read beyond the size given, and members called reserved are zero. Out-structs never change size; their reserved space is zero.
 *   Lists.  `out, capacity, &count`: with NULL and 0 the call only counts. `count` receives the number there is; when it is
 *     more than capacity the call returns PT_BUFFER_TOO_SMALL, and a call that changes something has then changed nothing.
 *   Threads.  Every function may be called from any thread, also on one handle. Handles are independent of each other.
 *   Callbacks run on the calling thread, with no lock held. They must return (no longjmp, no exception), and not wait for a thread
 *     that closes the account: closing waits for them. Calling the same account from one is PT_MISUSE except where it is allowed
 *     explicitly.
 *
 * DURABILITY (the promise)
 *
 *   With PT_DURABILITY_FULL, the default, a change is acknowledged only after fdatasync of the journal has succeeded. It then
 *   survives a kill at any instruction, a crash of the operating system and a power cut, on a local file system and a device
 *   that honours flushes. Damage to acknowledged data is detected where it is read, which stops the account; opening reads the end of the
 *   journal only, pt_verify all of it. A call whose outcome cannot be known
 *   returns PT_UNCERTAIN; repeating it with the same request_id, after opening the account anew, is safe.
 *
 * CAVEATS
 *
 *   fork      A child must not use its parent's handles; every call returns PT_FORKED there. Open the account anew in the child. What a
 *             parent has open for writing is not inherited, so that its locks end with it and not with its children.
 *   Network   flock and fsync lie on many network file systems. They are refused unless PT_OPEN_ALLOW_NETWORK is given.
 *   Copies    Copy a live account with pt_backup, not cp: cp may see the files at different moments. A copy is the same
 *             account by name; let only one of them live on.
 *   Waiting   A trade that has to wait for the lock may be carried out by whoever has it, in another process: decided after that one's own, and
 *             committed with it. What it came to is the same, the call returns when it is as durable as the handle demands, and a trade whose
 *             time is over is carried out by nobody. Only if somebody is just doing it then, the call waits up to a second longer to learn what
 *             came of it. Not with a clock of the account's own, not with expected_seq, and not while the calling thread has a batch or the lock.
 *   Clocks    The order of events is their seq, never a time. A clock that jumps cannot reorder anything.
 *   Lock      Do not flock the account's .lock file yourself, and never delete it. pt_account_lock makes a critical section.
 */
#ifndef PAPERTRADE_H
#define PAPERTRADE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PT_VERSION_MAJOR 0
#define PT_VERSION_MINOR 1
#define PT_VERSION_PATCH 0

/* ------------------------------------------------------------------------------------------------------------------------
 * Statuses. Numbers are explicit and never reused.
 * ---------------------------------------------------------------------------------------------------------------------- */

typedef int32_t pt_status;

#define PT_OK 0

/* 1-99 are no statuses: callbacks use them. */

/* 100-199: refused by a rule of the account. Nothing has changed. */
#define PT_INSUFFICIENT_FUNDS 101  /* the cash does not cover the cost, commission included */
#define PT_INSUFFICIENT_SHARES 102 /* the position holds fewer shares than were to be sold */
#define PT_NO_POSITION 103         /* the symbol is not held */
#define PT_ALREADY_QUEUED 104      /* the symbol is in the buy queue already; error.seq names the entry */
#define PT_SEQ_MISMATCH 105        /* expected_seq was given and the account has moved on; error.seq is where it is */
#define PT_REQUEST_CONFLICT 106    /* the request_id was used before, for something else; error.seq is that event */
#define PT_TOTAL_IS_ZERO 107       /* the amount of money rounds to zero */
#define PT_OUT_OF_RANGE 108        /* the account would leave the range of amounts, or the batch hold more than 65,536 events */
#define PT_NOT_FOUND 109           /* no such request_id, or no such thing to report */
#define PT_NEEDS_PRICE 110         /* the split leaves nothing but a fraction, and no cash-in-lieu price was given */

/* 200-299: an argument is wrong. Nothing has changed. */
#define PT_INVALID_ARGUMENT 201   /* NULL, a wrong struct_size, an unknown flag or constant, a malformed account_id */
#define PT_INVALID_SYMBOL 202     /* not 1-32 characters of A-Z a-z 0-9 . _ - / ^ = : */
#define PT_INVALID_SHARES 203     /* not a number, not above zero, or too large */
#define PT_INVALID_PRICE 204      /* not a number, not above zero, or too large */
#define PT_INVALID_AMOUNT 205     /* not a number, not above zero (negative for initial_cash), or too large */
#define PT_TOO_PRECISE 206        /* rounding to a millionth would change the value by more than a ten-thousandth */
#define PT_INVALID_TEXT 207       /* note or reason: longer than 256 bytes, or not UTF-8 */
#define PT_INVALID_REQUEST_ID 208 /* not 1-64 bytes of UTF-8, or with one of U+0000-001F and U+007F */
#define PT_INVALID_TIME 209       /* outside the years 1970 to 9999 */
#define PT_INVALID_SCORE 210      /* not a number from 0 to 100 */
#define PT_INVALID_SIGNAL 211     /* not one of the six signals */
#define PT_INVALID_RATIO 212      /* a side of the split ratio is not above zero, too large, or both are the same */
#define PT_BUFFER_TOO_SMALL 213   /* count says how many there are */
#define PT_MISUSE 214             /* a call that is not allowed now: wrong thread, inside a callback, no batch, ... */
#define PT_CLOSED 215             /* the handle has been closed, or never was one */

/* 300-399: the environment does not allow it. Nothing has changed, but that a cycle leaves the record of its failure. */
#define PT_BUSY 301               /* the lock was not free within the timeout; the message names the holder */
#define PT_WOULD_DEADLOCK 302     /* the lock is held by this very process or thread in a way that waiting cannot end */
#define PT_FORKED 303             /* the handle belongs to the parent process */
#define PT_READ_ONLY 304          /* portfolio.json has no write permission, or the handle is read-only */
#define PT_NO_SPACE 305           /* disk full, quota or file size limit */
#define PT_IO 306                 /* the system reported an error; errno_value says which */
#define PT_PERMISSION 307         /* the system denied access */
#define PT_NETWORK_FILE_SYSTEM 308 /* see Caveats */
#define PT_UNSAFE_FILE 309        /* a symbolic link, FIFO, hard link, another user's file, a directory open to all, or data in place of a lock */
#define PT_NO_ACCOUNT 310         /* there is no account here, or it is not a directory */
#define PT_EXISTS 311             /* the destination exists already */
#define PT_NO_MEMORY 312
#define PT_STOPPED 313            /* a callback returned non-zero */
#define PT_REPLACED 314           /* the account's directory or journal was moved, deleted or replaced under the open handle */

/* 400-499: the data is not usable. Nothing has changed, but that a cycle leaves the record of its failure. */
#define PT_CORRUPT 401        /* acknowledged data is damaged; file, line and offset are in the message. See pt_recover */
#define PT_NEWER_FORMAT 402   /* written by a newer version of the library */
#define PT_WRONG_ACCOUNT 403  /* a file of another account is in the directory */
#define PT_MISSING_DATA 404   /* acknowledged events, or the journal itself, are missing */
#define PT_INVALID_CONFIG 405 /* config.json: file, line, key and what was expected are in the message */
#define PT_INVALID_IMPORT 406 /* one of the files to import is not usable */

/* 500-599: it is not known whether a change has happened: this one (PT_UNCERTAIN), or an earlier one of this handle. */
#define PT_UNCERTAIN 501 /* the journal could not be synced (or undone). Open anew; repeat with the same request_id */
#define PT_FAILED_HANDLE 502 /* an earlier call of this handle was uncertain: it accepts no more changes. Open anew */

/* The name of a status, such as "PT_BUSY"; "PT_UNKNOWN" for a number that is none. Never NULL, static. Any thread. */
const char *pt_status_name(pt_status status);

/* The version of the library in use, such as "0.1.0". Never NULL, static. Any thread. */
const char *pt_version(void);

/* What went wrong. Out-struct of every call; caller-owned, may be NULL. */
typedef struct pt_error {
    pt_status status;
    int32_t errno_value; /* the system's errno where one was involved, else 0 */
    uint64_t seq;        /* the event concerned, where there is one, else 0 */
    int64_t offset;      /* the byte offset in the file that the message names, else -1 */
    char message[512];   /* one line of UTF-8, control characters escaped; "" on success */
    uint8_t reserved[40];
} pt_error;

/* ------------------------------------------------------------------------------------------------------------------------
 * Limits and constants
 * ---------------------------------------------------------------------------------------------------------------------- */

#define PT_SYMBOL_MAX 32      /* bytes, without the terminating NUL */
#define PT_REQUEST_ID_MAX 64
#define PT_TEXT_MAX 256       /* note and reason */
#define PT_SECTOR_MAX 64
#define PT_ACCOUNT_ID_MAX 64

#define PT_AMOUNT_MAX 999999999.999999

#define PT_TIME_NOW INT64_MIN /* in a pt_request: let the account's clock say */
#define PT_WAIT_FOREVER (-1)  /* a timeout; 0 tries once */
#define PT_WAIT_DEFAULT (-2)  /* a timeout: the one in the options of the handle; for a pt_lock, which has none, 10000 */

#define PT_DURABILITY_FULL 0    /* acknowledged = on the disk */
#define PT_DURABILITY_PROCESS 1 /* acknowledged = handed to the system: survives a crash of the program, not a power cut */

#define PT_BUY 1
#define PT_SELL 2

/* Signals, weakest first. */
#define PT_SIGNAL_SELL 1
#define PT_SIGNAL_WEAK_SELL 2
#define PT_SIGNAL_HOLD 3
#define PT_SIGNAL_WEAK_BUY 4
#define PT_SIGNAL_BUY 5
#define PT_SIGNAL_STRONG_BUY 6

#define PT_LOG_INFO 1    /* something was mended: a view published again, an unacknowledged tail removed */
#define PT_LOG_WARNING 2 /* something needs attention: an edited file was kept aside, config.json is invalid */

typedef struct pt_account pt_account; /* opaque; from pt_open to pt_close */
typedef struct pt_lock pt_lock;       /* opaque; from pt_lock_open to pt_lock_close */

/* Diagnostics: one line. Called on the thread of the call that noticed, without locks; may call nothing of the same handle. */
typedef void (*pt_log_fn)(void *context, int32_t level, const char *message);

/* The account's clock: microseconds since 1970 UTC. It gives an event's `time` where the caller gives none (simulations set it);
 * the moment of recording, `at`, always comes from the system. A time outside the years 1970 to 9999 makes the call PT_INVALID_TIME. Called
 * without locks; may call nothing of the same handle. */
typedef int64_t (*pt_clock_fn)(void *context);

/* ------------------------------------------------------------------------------------------------------------------------
 * Account
 * ---------------------------------------------------------------------------------------------------------------------- */

#define PT_OPEN_READ_ONLY 1u     /* only read: no write permission needed, nothing is mended, changes are PT_READ_ONLY */
#define PT_OPEN_EXISTING 2u      /* do not create an account where there is none: PT_NO_ACCOUNT */
#define PT_OPEN_ALLOW_NETWORK 4u /* trust a network file system */

typedef struct pt_options {
    uint32_t struct_size;
    uint32_t flags;           /* PT_OPEN_... */
    double initial_cash;      /* for a new account: 0 to PT_AMOUNT_MAX; NAN: what config.json says, 10000 by default */
    int64_t lock_timeout_ms;  /* how long changes wait for the lock: >= 0 or PT_WAIT_FOREVER; PT_WAIT_DEFAULT = 10000 */
    int32_t durability;       /* PT_DURABILITY_... */
    int32_t reserved;
    const char *account_id;   /* for a new account: 1-64 of A-Z a-z 0-9 - _ ; NULL: random. Set it for reproducible tests */
    pt_log_fn log;            /* NULL: no diagnostics */
    void *log_context;
    pt_clock_fn clock;        /* NULL: the system's */
    void *clock_context;
} pt_options;

#define PT_OPTIONS_INIT {(uint32_t)sizeof(pt_options), 0, NAN, PT_WAIT_DEFAULT, PT_DURABILITY_FULL, 0, NULL, NULL, NULL, NULL, NULL}

/* What can accompany any change. */
typedef struct pt_request {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t expected_seq;  /* refuse (PT_SEQ_MISMATCH) unless this is the account's last seq; 0: any */
    int64_t time;           /* when it happened, for the rules; PT_TIME_NOW: the account's clock. One ahead of the clock makes nothing in the queue older */
    const char *request_id; /* makes the change safe to repeat; 1-64 bytes; NULL: none. See below */
    const char *note;       /* kept with the event; up to 256 bytes; NULL: none */
} pt_request;

#define PT_REQUEST_INIT {(uint32_t)sizeof(pt_request), 0, 0, PT_TIME_NOW, NULL, NULL}

/* request_id (brokers call it client order id) is unique over at least the last 65,536 events, across restarts and resets.
 * The same id with the same content returns the first outcome and changes nothing; with other content it is
 * PT_REQUEST_CONFLICT. Ids of refused requests are free. Time and expected_seq are not part of the content; the note is. */

/* Opens the account in the directory `path`, creating directory and account if there is none (see PT_OPEN_EXISTING).
 * Recovers what a crash left: publishes portfolio.json again when it is behind, removes an unacknowledged tail of the journal.
 * `options` may be NULL. A damaged account is not opened: PT_CORRUPT, PT_MISSING_DATA, PT_WRONG_ACCOUNT, PT_NEWER_FORMAT.
 * Also: PT_NO_ACCOUNT, PT_INVALID_ARGUMENT, PT_INVALID_AMOUNT, PT_INVALID_CONFIG (a new account needs a valid one), PT_BUSY,
 * PT_UNSAFE_FILE, PT_NETWORK_FILE_SYSTEM, PT_PERMISSION, PT_READ_ONLY, PT_NO_SPACE, PT_IO; PT_UNCERTAIN if a new account was made, and may
 * not be on the disk, or its config.json cannot be read: open it again. */
pt_status pt_open(const char *path, const pt_options *options, pt_account **account, pt_error *error);

/* Closes the handle: rolls back an open batch, releases the account's lock, publishes what is known to be durable, frees
 * everything. Calls of other threads still inside come back first: what is being committed is finished; waiting for a lock, the next event
 * and the next question to an analyst end with PT_CLOSED, a callback that runs has to return. After that nothing calls back any more, and what
 * callbacks use can be freed. (Inside a callback of another account it does not wait for callbacks: two such threads could wait for each
 * other.) Using the handle from then on is PT_CLOSED, and so is a second close, which does not wait for the first. NULL is a no-op. PT_MISUSE
 * from inside a callback of this account and PT_FORKED in a child leave the handle open; nothing else can fail. */
pt_status pt_close(pt_account *account);

/* Brings the handle up to date: reads config.json (PT_INVALID_CONFIG refuses it; the accepted rules stay in force) and the
 * events of other processes, and publishes portfolio.json again if it was edited or is behind. A changed configuration is one
 * event in the journal. Other statuses: as for a change. */
pt_status pt_reload(pt_account *account, pt_error *error);

/* Starts the account over with `initial_cash` (0 to PT_AMOUNT_MAX; NAN: what config.json says) and nothing else. The journal so far is sealed as
 * journal-<generation>.jsonl and kept. seq goes on. `request` may be NULL. Statuses: as for a change. */
pt_status pt_reset(pt_account *account, double initial_cash, const pt_request *request, pt_error *error);

/* What pt_verify found. */
typedef struct pt_verify_report {
    uint64_t events;           /* events read, over all generations */
    uint64_t first_seq, last_seq;
    uint64_t durable_seq;      /* the last event that is known to be on the disk */
    uint32_t generations;      /* journals read, sealed ones included */
    uint32_t problems;         /* 0 = everything agrees */
    int32_t portfolio_current; /* 1: portfolio.json is what the journal says; 0: behind, missing or edited (not a problem: it is a view) */
    int32_t unfinished_tail;   /* 1: the journal ends in an unacknowledged write that the next open removes */
    double cash, total_cost, net_deposits, realized_pnl; /* cash + total_cost = net_deposits + realized_pnl */
    char first_problem[512];   /* file, line, byte offset and what is wrong; "" if none */
    uint8_t reserved[64];
} pt_verify_report;

/* Proves the account from its journals: every checksum and link, every event computed again from the one before, the
 * invariant cash + total cost = net deposits + realized P&L after each, and portfolio.json against the result. Takes no lock and
 * changes nothing. Returns PT_OK when there is nothing wrong, else the status of the first problem (PT_CORRUPT, ...).
 * `report` may be NULL. */
pt_status pt_verify(const char *path, pt_verify_report *report, pt_error *error);

typedef struct pt_recover_report {
    uint64_t kept_seq;    /* the account was rebuilt from the events up to here */
    uint64_t lost_events; /* lines after it that could not be used; the old files keep them */
    uint64_t seq;         /* the first event of the new generation */
    uint32_t generation;  /* the new generation */
    int32_t from_portfolio; /* 1: rebuilt from portfolio.json, 0: from the journal */
    char kept_as[256];    /* the name under which the damaged journal was kept in the directory; "" if none was damaged */
    uint8_t reserved[64];
} pt_recover_report;

/* Rescues a damaged account, on request only: takes the longest good part of the journal, or portfolio.json where that is
 * newer and whole, and starts a new generation that says what it rests on. Every old file is kept under another name. Events
 * after the damage are lost to the account. A damaged journal of an earlier generation is only set aside: the account does not rest
 * on it (seq is 0 then). The request ids of before are forgotten: look into the kept file before you repeat a request.
 * PT_OK also when nothing was wrong (then nothing is changed, seq is 0 and kept_as is ""). PT_UNCERTAIN if it was begun and not finished:
 * recover again. `options` and `report` may be NULL. */
pt_status pt_recover(const char *path, const pt_options *options, pt_recover_report *report, pt_error *error);

/* Writes a consistent copy of the account, with its sealed journals and config.json, to `destination`, which must not
 * exist or be an empty directory (PT_EXISTS). Holds the account's lock meanwhile; the copy is on the disk when the call returns. */
pt_status pt_backup(pt_account *account, const char *destination, pt_error *error);

typedef struct pt_import_report {
    uint32_t positions, queued, transactions; /* taken over */
    uint32_t rounded;       /* values that were not whole millionths; each one is logged */
    double cash, net_deposits, realized_pnl;
    uint64_t seq;           /* the last event of the new account */
    char first_rounded[256]; /* "cash 99.99999999999999 became 100.0"; "" if none */
    uint8_t reserved[64];
} pt_import_report;

/* Makes a new account in `path` from the files of the Python system that this library descends from. `old_portfolio_json` names
 * paper_portfolio.json; transaction_log.json and buy_queue.json are taken from beside it if they exist. The originals are not
 * changed. PT_EXISTS if `path` holds an account, PT_INVALID_IMPORT with file, line and reason. `options`, `report` may be NULL. */
pt_status pt_import(const char *path, const char *old_portfolio_json, const pt_options *options, pt_import_report *report,
                    pt_error *error);

/* ------------------------------------------------------------------------------------------------------------------------
 * Changes. Each one takes the lock, reads what others have committed, decides, and commits: all of it or nothing.
 *
 * All of them can return, besides what is listed: PT_INVALID_..., PT_TOO_PRECISE, PT_SEQ_MISMATCH, PT_REQUEST_CONFLICT,
 * PT_OUT_OF_RANGE, PT_BUSY, PT_WOULD_DEADLOCK, PT_FORKED, PT_READ_ONLY, PT_NO_SPACE, PT_IO, PT_PERMISSION, PT_UNSAFE_FILE, PT_REPLACED,
 * PT_CORRUPT, PT_MISSING_DATA, PT_WRONG_ACCOUNT, PT_NEWER_FORMAT, PT_CLOSED, PT_MISUSE, PT_UNCERTAIN, PT_FAILED_HANDLE.
 * `request` may be NULL.
 * ---------------------------------------------------------------------------------------------------------------------- */

/* A trade as it was recorded. */
typedef struct pt_fill {
    uint64_t seq;
    int64_t time, at;       /* when it happened, when it was recorded */
    int32_t side;           /* PT_BUY or PT_SELL */
    int32_t repeated;       /* 1: the outcome of an earlier call with the same request_id */
    int32_t provisional;    /* 1: inside a batch, not committed yet */
    int32_t reserved0;
    double shares, price;
    double notional;        /* shares x price */
    double commission;      /* by the rules in config.json */
    double total;           /* what moved: notional + commission paid, or notional - commission received */
    double realized_pnl;    /* of a sale: total - cost of the shares sold; 0 for a buy */
    double cash_after;
    double position_shares; /* held after the trade */
    double position_cost;
    char symbol[40];        /* "" for events without one */
    char type[24];          /* "buy", "sell"; from pt_find_request also the other types of events */
    uint8_t reserved[40];
} pt_fill;

/* Buys `shares` of `symbol` at `price`, both above zero. Cost: shares x price + commission. `fill` may be NULL.
 * PT_INSUFFICIENT_FUNDS, PT_TOTAL_IS_ZERO. */
pt_status pt_buy(pt_account *account, const char *symbol, double shares, double price, pt_fill *fill, pt_error *error);

/* Sells `shares` of `symbol` at `price`. The cost of what is sold is its part of the position's cost (average cost), rounded
 * half to even; the last sale takes what is left. The commission never exceeds the proceeds. `fill` may be NULL.
 * PT_NO_POSITION, PT_INSUFFICIENT_SHARES, PT_TOTAL_IS_ZERO. */
pt_status pt_sell(pt_account *account, const char *symbol, double shares, double price, pt_fill *fill, pt_error *error);

#define PT_ALL_SHARES INFINITY /* in a sell order: the whole position */

typedef struct pt_order {
    uint32_t struct_size;
    int32_t side;              /* PT_BUY or PT_SELL */
    const char *symbol;
    double shares;             /* above zero; PT_ALL_SHARES sells everything */
    double price;              /* above zero */
    const pt_request *request; /* NULL: none */
} pt_order;

#define PT_ORDER_INIT {(uint32_t)sizeof(pt_order), 0, NULL, 0.0, 0.0, NULL}

/* pt_buy and pt_sell with everything that can accompany them. */
pt_status pt_submit(pt_account *account, const pt_order *order, pt_fill *fill, pt_error *error);

/* Adds or takes cash; `amount` is above zero. A withdrawal can be PT_INSUFFICIENT_FUNDS. */
pt_status pt_deposit(pt_account *account, double amount, const pt_request *request, pt_error *error);
pt_status pt_withdraw(pt_account *account, double amount, const pt_request *request, pt_error *error);

/* Turns every `old_shares` shares of `symbol` into `new_shares` (7 and 1 for 7:1, 1 and 10 for a reverse split). The position keeps what a
 * millionth of a share can hold; the fraction below that is paid at `cash_in_lieu_price`, a price after the split (NAN:
 * it is dropped, or PT_NEEDS_PRICE if nothing else is left). PT_INVALID_RATIO, PT_INVALID_PRICE, PT_NO_POSITION. */
pt_status pt_split(pt_account *account, const char *symbol, double new_shares, double old_shares, double cash_in_lieu_price,
                   const pt_request *request, pt_error *error);

/* Credits a cash dividend of `per_share` (above zero) on the shares held; it counts as realized P&L. PT_INVALID_PRICE,
 * PT_NO_POSITION, PT_TOTAL_IS_ZERO. */
pt_status pt_dividend(pt_account *account, const char *symbol, double per_share, const pt_request *request, pt_error *error);

/* Removes a worthless position; its cost becomes a realized loss. PT_NO_POSITION. */
pt_status pt_write_off(pt_account *account, const char *symbol, const pt_request *request, pt_error *error);

/* ------------------------------------------------------------------------------------------------------------------------
 * Batch: many requests, one commit. All happen or none.
 * ---------------------------------------------------------------------------------------------------------------------- */

/* Takes the lock (waiting `timeout_ms`, or PT_WAIT_FOREVER, PT_WAIT_DEFAULT) and begins a batch, which belongs to the calling thread. The changes
 * that this thread now makes on the account are decided at once, against each other's results, and committed together;
 * fills are provisional until then. A refusal does not end the batch. Other threads and processes wait. Not allowed in a batch (PT_MISUSE):
 * pt_begin, pt_reload, pt_reset, pt_backup, pt_execute_queue (but for counting), pt_monitoring_cycle, pt_trading_cycle. A batch holds at most 65,536 events. */
pt_status pt_begin(pt_account *account, int64_t timeout_ms, pt_error *error);

/* Commits the batch. Whatever it returns, the batch has ended; after anything but PT_OK or PT_UNCERTAIN nothing of it has happened. */
pt_status pt_commit(pt_account *account, pt_error *error);

/* Ends the batch; nothing of it has happened. PT_MISUSE without a batch or from another thread. */
pt_status pt_rollback(pt_account *account);

/* ------------------------------------------------------------------------------------------------------------------------
 * State. These calls take no lock, but for pt_find_request. Each one first reads what other processes have committed since; inside a batch its own
 * thread sees the batch's provisional state. Statuses: PT_INVALID_ARGUMENT, PT_INVALID_SYMBOL, PT_CLOSED, PT_FORKED, PT_IO, PT_CORRUPT, PT_MISSING_DATA, PT_REPLACED, and those listed.
 * ---------------------------------------------------------------------------------------------------------------------- */

typedef struct pt_account_summary {
    char account_id[72];
    uint64_t seq;         /* the last event */
    uint64_t durable_seq; /* the last event known to be on the disk */
    uint64_t position_count;
    uint64_t queued_count; /* without the entries that are too old */
    int64_t created_at, updated_at;
    double cash;
    double total_cost;    /* NaN if it is beyond PT_AMOUNT_MAX */
    double net_deposits, realized_pnl;
    uint32_t generation;
    uint32_t reserved0;
    uint8_t reserved[64];
} pt_account_summary;

pt_status pt_summary(pt_account *account, pt_account_summary *out, pt_error *error);

typedef struct pt_position_info {
    char symbol[40];
    double shares;
    double cost;        /* total paid for what is held, commissions included; exact */
    double cost_basis;  /* cost / shares, rounded */
    int64_t first_purchase_date;
    uint8_t reserved[64];
} pt_position_info;

/* One position. PT_NO_POSITION. */
pt_status pt_position(pt_account *account, const char *symbol, pt_position_info *out, pt_error *error);

/* All positions, ordered by symbol. PT_BUFFER_TOO_SMALL. */
pt_status pt_positions(pt_account *account, pt_position_info *out, size_t capacity, size_t *count, pt_error *error);

typedef struct pt_quote {
    const char *symbol;
    double price; /* above zero, or 0 for worthless */
} pt_quote;

typedef struct pt_valuation {
    uint64_t seq;
    uint64_t unpriced; /* positions without a quote; they are counted at cost */
    double cash, market_value, total_value; /* total_value = cash + market_value */
    double unrealized_pnl;                  /* market_value - total cost */
    double realized_pnl, total_pnl;         /* total_pnl = total_value - net deposits */
    double return_percent;                  /* 100 x total_pnl / net deposits; NaN if they are not above zero */
    uint8_t reserved[64];
} pt_valuation;

/* The account at the given prices. Quotes for symbols that are not held are ignored; of two for one symbol the last counts. PT_INVALID_PRICE,
 * PT_INVALID_ARGUMENT also for more quotes than memory can hold. */
pt_status pt_value(pt_account *account, const pt_quote *quotes, size_t quote_count, pt_valuation *out, pt_error *error);

/* One event. The pointers are valid during the callback only. Amounts that the event does not have are NaN. */
typedef struct pt_event {
    uint64_t seq;
    int64_t time, at;
    uint32_t generation;
    int32_t more;           /* 1: the next event belongs to the same commit */
    const char *type;       /* "buy", "sell", "deposit", ...: see the table in the README */
    const char *symbol;     /* NULL: none */
    const char *request_id; /* NULL: none */
    const char *note;       /* NULL: none */
    const char *json;       /* the line of the journal */
    double shares, price, commission, realized_pnl, cash;
} pt_event;

/* Return 0 to go on, anything else to stop (PT_STOPPED). Reading calls on the same account are allowed. */
typedef int32_t (*pt_event_fn)(void *context, const pt_event *event);

/* Calls back for every committed event from `from_seq` on (1: from the beginning), in order, through sealed journals too. */
pt_status pt_history(pt_account *account, uint64_t from_seq, pt_event_fn callback, void *context, pt_error *error);

/* The outcome of an earlier request: what its first event recorded. For trades `out` is the fill; for other changes side is 0,
 * `type` says what it was, `total` is the money that moved, and amounts that do not apply are NaN. PT_NOT_FOUND if it never happened (or is older than the last 65,536 events).
 * An event that is not known to be on the disk yet is confirmed first, under the lock and with a sync: then also PT_BUSY, PT_WOULD_DEADLOCK,
 * PT_UNCERTAIN, PT_FAILED_HANDLE and the other statuses of a change. Not through a read-only handle, which tells what it sees. */
pt_status pt_find_request(pt_account *account, const char *request_id, pt_fill *out, pt_error *error);

/* ------------------------------------------------------------------------------------------------------------------------
 * The buy queue: opportunities waiting to be bought. It lives in the same journal as the cash, so that executing it is one commit.
 * Entries older than queue.stale_after_hours (24) are removed by the next commit and never returned.
 * ---------------------------------------------------------------------------------------------------------------------- */

typedef struct pt_queue_entry {
    uint64_t seq;       /* the event that queued it: its identity */
    int64_t queued_at;
    double score;       /* 0-100 */
    double price;       /* NaN: unknown */
    int32_t signal;     /* PT_SIGNAL_... */
    int32_t reserved0;
    char symbol[40];
    char reason[264];
    uint8_t reserved[64];
} pt_queue_entry;

/* Queues an opportunity: score 0-100, price above zero or NAN for unknown, reason up to 256 bytes or NULL. One entry a symbol: PT_ALREADY_QUEUED. */
pt_status pt_enqueue(pt_account *account, const char *symbol, double score, int32_t signal, double price, const char *reason,
                     pt_error *error);

typedef struct pt_opportunity {
    uint32_t struct_size;
    int32_t signal;            /* PT_SIGNAL_... */
    const char *symbol;
    double score;              /* 0-100 */
    double price;              /* above zero; NAN: unknown */
    const char *reason;        /* NULL: none */
    const pt_request *request; /* NULL: none */
} pt_opportunity;

#define PT_OPPORTUNITY_INIT {(uint32_t)sizeof(pt_opportunity), 0, NULL, 0.0, NAN, NULL, NULL}

/* pt_enqueue with everything that can accompany it. `seq` (may be NULL) receives the event: the identity of the entry. */
pt_status pt_submit_opportunity(pt_account *account, const pt_opportunity *opportunity, uint64_t *seq, pt_error *error);

/* The queue in order; changes nothing. */
pt_status pt_queue(pt_account *account, pt_queue_entry *out, size_t capacity, size_t *count, pt_error *error);

/* Takes everything out of the queue and returns it, in one commit. With NULL and 0 it only counts. */
pt_status pt_dequeue_all(pt_account *account, pt_queue_entry *out, size_t capacity, size_t *count, pt_error *error);

/* Empties the queue. `removed` (may be NULL) receives the number of entries. */
pt_status pt_clear_queue(pt_account *account, size_t *removed, const pt_request *request, pt_error *error);

#define PT_CONFIDENCE_LOW 1
#define PT_CONFIDENCE_MEDIUM 2
#define PT_CONFIDENCE_HIGH 3

#define PT_NO_OPINION 1 /* what an analyst returns when it has nothing to say about a symbol */

/* An analyst's judgement of one symbol. The library initialises it with PT_ANALYSIS_INIT before the call. */
typedef struct pt_analysis {
    uint32_t struct_size;
    int32_t signal;      /* PT_SIGNAL_... */
    double score;        /* 0-100 */
    double price;        /* above zero */
    double shares;       /* how many to buy, or NAN */
    double amount;       /* how much money to spend at most, commission included, in whole shares; or NAN. Give one of the two */
    int64_t time;        /* when the judgement was made; PT_TIME_NOW: just now. An old one counts as no analysis */
    int32_t confidence;  /* PT_CONFIDENCE_...; 0: not given */
    int32_t reserved0;
    char reason[264];    /* up to 256 bytes of UTF-8; "" if none */
    char sector[72];     /* up to 64 bytes of UTF-8; "" if none */
} pt_analysis;

#define PT_ANALYSIS_INIT {(uint32_t)sizeof(pt_analysis), 0, NAN, NAN, NAN, NAN, PT_TIME_NOW, 0, 0, "", ""}

/* Judges `symbol` as of `time`. Return PT_OK with `out` filled, PT_NO_OPINION, PT_STOPPED to end the whole call with nothing changed, or
 * anything else for a failure, which counts as no analysis of this symbol; out->reason may then say why. Called without locks; reading
 * calls on the same account are allowed, changes are PT_MISUSE. */
typedef int32_t (*pt_analyst_fn)(void *context, const char *symbol, int64_t time, pt_analysis *out);

/* Why an opportunity was not bought, or something else not done (PT_BOUGHT: it was). */
#define PT_BOUGHT 0
#define PT_REJECTED_NO_ANALYSIS 1  /* the analyst had no opinion, failed, answered nonsense, or its judgement is too old */
#define PT_REJECTED_STALE 2        /* older than queue.stale_after_hours */
#define PT_REJECTED_SCORE_DROP 3   /* the score fell by more than queue.max_score_drop */
#define PT_REJECTED_DOWNGRADE 4    /* the signal is no longer BUY or STRONG BUY */
#define PT_REJECTED_SIZE 5         /* the analyst gave no usable size, or the amount does not buy one share */
#define PT_REJECTED_FUNDS 6        /* the cash does not cover it */
#define PT_REJECTED_CHANGED 7      /* the entry changed while the analyst was thinking: left for the next run */
#define PT_REJECTED_RULE 8         /* another rule of the account refused it; the message says which */
/* By the rules of the cycles only: */
#define PT_REJECTED_LOW_SCORE 9        /* below trading.min_score */
#define PT_REJECTED_MAX_POSITIONS 10   /* limits.max_positions are held */
#define PT_REJECTED_TRADES_PER_HOUR 11 /* the cycles have made limits.trades_per_hour within the hour */
#define PT_REJECTED_POSITION_LIMIT 12  /* the position is at limits.max_position_percent */
#define PT_REJECTED_SECTOR_LIMIT 13    /* its sector would be beyond limits.max_sector_percent */
#define PT_REJECTED_CASH_RESERVE 14    /* it would leave less than limits.cash_reserve_percent in cash */
#define PT_REJECTED_MIN_HOLDING 15     /* an exit: held for less than limits.min_holding_days */
#define PT_REJECTED_ALREADY_QUEUED 16  /* an upgrade: its symbol is in the queue */
#define PT_REJECTED_JUST_SOLD 17       /* the same cycle has sold its symbol */

typedef struct pt_execution {
    uint64_t queued_seq;  /* the entry */
    uint64_t seq;         /* the event that bought or rejected it; 0 for PT_REJECTED_CHANGED */
    int32_t outcome;      /* PT_BOUGHT or PT_REJECTED_... */
    int32_t reserved0;
    double shares, price, total; /* of the buy; NaN if rejected */
    double queued_score, score;  /* then and now; NaN if there is none */
    char symbol[40];
    char message[264];    /* one sentence */
    uint8_t reserved[64];
} pt_execution;

/* Executes the queue: asks the analyst about each entry (without holding the lock), then in one commit, in queue order,
 * re-validates every entry and either buys it or removes it with its reason. An opportunity leaves the queue in the same
 * instant as its buy enters the portfolio. `count` receives the number of entries dealt with. With NULL and 0 it only counts; the capacity
 * is checked before the analyst is asked. PT_STOPPED, PT_BUFFER_TOO_SMALL, PT_MISUSE inside a batch or while this thread holds the lock. */
pt_status pt_execute_queue(pt_account *account, pt_analyst_fn analyst, void *context, pt_execution *out, size_t capacity,
                           size_t *count, pt_error *error);

/* ------------------------------------------------------------------------------------------------------------------------
 * Cycles: a monitor that watches signals all day and a trader that acts at the close, safe side by side on one account, in any number
 * of processes. Each run is one commit, and leaves a record. The rules are in config.json: the table in the README lists them.
 * ---------------------------------------------------------------------------------------------------------------------- */

#define PT_MONITORING 1
#define PT_TRADING 2

#define PT_CYCLE_DONE 0
#define PT_CYCLE_SKIPPED 1 /* nothing to do: the market is closed, the session's cycle was done, system_active is false */
#define PT_CYCLE_FAILED 2  /* an error that the call returned, or the analyst failed on every symbol */

#define PT_CYCLE_IGNORE_SCHEDULE 1u /* flag: run also when the market is closed, or the session's trading cycle is done. A trading cycle
                                     * before its due time takes its place */

typedef struct pt_cycle_options {
    uint32_t struct_size;
    uint32_t flags; /* PT_CYCLE_... */
    int64_t time;   /* the moment for which it is run; PT_TIME_NOW: the account's clock. Same inputs, same events */
} pt_cycle_options;

#define PT_CYCLE_OPTIONS_INIT {(uint32_t)sizeof(pt_cycle_options), 0, PT_TIME_NOW}

/* The record of one run. */
typedef struct pt_cycle {
    uint64_t seq;       /* the record's own event, the last of the commit */
    uint64_t first_seq; /* the commit's first event, after a run: pt_history from here tells what it did; else 0 */
    int64_t time, at;   /* for which moment, and when it was recorded */
    int32_t kind;       /* PT_MONITORING or PT_TRADING */
    int32_t outcome;    /* PT_CYCLE_... */
    uint32_t analysed, unanalysed; /* symbols with a usable analysis, and without */
    uint32_t changes;              /* signal changes recorded */
    uint32_t queued, bought, sold;
    uint32_t rejected;  /* queue entries and exits that a rule forbade */
    uint32_t deferred;  /* exits for profit that wait for the signal */
    double value;       /* the account's value after it, at the analyst's prices; NaN if it is not known */
    char reason[264];   /* why it was skipped or failed; "" if done */
    char problem[264];  /* the first thing that went wrong: with a single symbol, or with the record before; "" if nothing */
    uint8_t reserved[64];
} pt_cycle;

/* Monitoring: asks the analyst about what is held and the watchlist, and records each signal that changed (pt_signals, and the events
 * of type "signal"). Then, if system_active: sells at once what fell critically, and queues what rose to BUY or better for trading. What a
 * cycle of a later moment has recorded meanwhile is not overwritten.
 *
 * Trading: asks the analyst about what is held and what is queued; sells by the exit rules (stop loss, signal, profit, age, in that
 * order); then buys from the queue, in its order, while cash and limits allow. It is due once a session, by default at the close, and
 * can be made up for until the next opening. The analyst's `shares` and `amount` are not used: the rules say how much. What it has just sold
 * it does not buy back.
 *
 * The analyst is called without locks, as in pt_execute_queue; one that fails or answers nonsense costs its symbol's turn and is reported in
 * `unanalysed`, `problem` and the log; what is queued stays queued until it is too old. If it fails on every symbol, nothing is changed, and
 * the outcome is PT_CYCLE_FAILED with PT_OK. PT_STOPPED from it ends the cycle with nothing changed and no record. `options` and `report` may be NULL.
 * A run that has nothing to do is PT_OK with the outcome PT_CYCLE_SKIPPED. PT_INVALID_CONFIG, PT_MISUSE (inside a batch, or while this
 * thread holds the account's lock), PT_STOPPED, and the statuses of a change; a failure is recorded where that is possible. */
pt_status pt_monitoring_cycle(pt_account *account, pt_analyst_fn analyst, void *context, const pt_cycle_options *options,
                              pt_cycle *report, pt_error *error);
pt_status pt_trading_cycle(pt_account *account, pt_analyst_fn analyst, void *context, const pt_cycle_options *options,
                           pt_cycle *report, pt_error *error);

/* Return 0 to go on, anything else to stop (PT_STOPPED). Reading calls on the same account are allowed. */
typedef int32_t (*pt_cycle_fn)(void *context, const pt_cycle *cycle);

/* Calls back for the record of every cycle from event `from_seq` on (1: from the beginning), in order. */
pt_status pt_cycles(pt_account *account, uint64_t from_seq, pt_cycle_fn callback, void *context, pt_error *error);

/* When a program should run the next cycle of `kind`: `time` itself (PT_TIME_NOW: the account's clock) if one is due, else a later moment.
 * A failed cycle is due again, once, after cycles.retry_minutes. A record that lies more than an hour ahead of `time` does not count: the
 * next cycle's `problem` says so. PT_NOT_FOUND if there is none until the end of the year 9999. */
pt_status pt_next_cycle(pt_account *account, int32_t kind, int64_t time, int64_t *next, pt_error *error);

/* What was last known of a security that a monitoring cycle analysed. */
typedef struct pt_known_signal {
    char symbol[40];
    int32_t signal;     /* PT_SIGNAL_... */
    int32_t confidence; /* PT_CONFIDENCE_...; 0: not given */
    double score;       /* 0-100 */
    double price;
    int64_t known_since;
    char sector[264];   /* "" if none */
    uint8_t reserved[64];
} pt_known_signal;

/* All of them, ordered by symbol. PT_BUFFER_TOO_SMALL. */
pt_status pt_signals(pt_account *account, pt_known_signal *out, size_t capacity, size_t *count, pt_error *error);

/* The market of the account's rule market.calendar at `time` (PT_TIME_NOW: the account's clock): 1 in `open` if it is open, else 0. It is
 * open at the moment of opening, and no longer at that of the close. New York's exchange is right from 1993 to 2030. */
pt_status pt_market_is_open(pt_account *account, int64_t time, int32_t *open, pt_error *error);

/* The first opening, or close, after `time`, not at it. PT_NOT_FOUND if there is none until the end of the year 9999. */
pt_status pt_market_next_open(pt_account *account, int64_t time, int64_t *next, pt_error *error);
pt_status pt_market_next_close(pt_account *account, int64_t time, int64_t *next, pt_error *error);

#ifdef PT_ANALYST_LIBRARY
/* What a shared library for `pt --analyst ./libmine.so` defines and exports; `context` is NULL. Define PT_ANALYST_LIBRARY before including this
 * header, and see CExamples/analyst.c. It runs in a process of its own: a crash or a hang there costs a symbol's turn, no more. */
int32_t pt_analyst(void *context, const char *symbol, int64_t time, pt_analysis *out);
#endif

/* ------------------------------------------------------------------------------------------------------------------------
 * Locks
 * ---------------------------------------------------------------------------------------------------------------------- */

/* Takes the account's own lock, so that several calls of this thread form one critical section. Counted: each call needs its
 * pt_account_unlock, on the same thread. PT_BUSY names the holder. */
pt_status pt_account_lock(pt_account *account, int64_t timeout_ms, pt_error *error);
pt_status pt_account_unlock(pt_account *account);

/* A lock on a file of its own, exclusive between processes and between threads. The file is created if missing and holds the
 * holder's pid and since when; it is never deleted. Do not lock a file of data: taking the lock on a file that holds anything else, or
 * has another name (a hard link), is PT_UNSAFE_FILE and changes nothing. Not for an account's .lock: while this process holds that, its
 * account calls are PT_WOULD_DEADLOCK. */
pt_status pt_lock_open(const char *path, pt_lock **lock, pt_error *error);

/* Takes the lock within `timeout_ms` (0: try once, PT_WAIT_FOREVER). PT_BUSY names the holder's pid ("this process" if it is
 * one's own) and since when. PT_WOULD_DEADLOCK if this thread already holds it, through this handle or another. PT_UNSAFE_FILE,
 * PT_PERMISSION, PT_NO_SPACE, PT_IO; PT_CLOSED if another thread closes the handle meanwhile: the lock is not taken then. */
pt_status pt_lock_acquire(pt_lock *lock, int64_t timeout_ms, pt_error *error);

/* Tries `attempts` times (>= 1), each for `timeout_ms`, with `delay_ms` (>= 0) in between. */
pt_status pt_lock_acquire_retrying(pt_lock *lock, int64_t timeout_ms, int32_t attempts, int64_t delay_ms, pt_error *error);

/* Releases it. PT_MISUSE if this handle does not hold it. Any thread may release. */
pt_status pt_lock_release(pt_lock *lock);

/* Whether somebody holds the lock on `path` now. Does not disturb the holder; a file that does not exist is not held. An acquire with
 * timeout 0 at the very same moment may be PT_BUSY. */
pt_status pt_lock_is_held(const char *path, int32_t *held, pt_error *error);

/* Releases the lock if it is held, and frees the handle. Threads that wait in it are told PT_CLOSED. NULL is a no-op. */
pt_status pt_lock_close(pt_lock *lock);

#ifdef __cplusplus
}
#endif

#endif /* PAPERTRADE_H */
