/* The same trades in SQLite: write-ahead log, prepared statements, one BEGIN IMMEDIATE transaction a trade.
 *
 *     sqlite make  FILE POSITIONS
 *     sqlite trade FILE SYNCHRONOUS SECONDS POSITIONS [BATCH]
 *
 * SYNCHRONOUS is full or normal. A trade checks cash (or what is held), updates it, upserts the position and adds a line to the log. Amounts are
 * integers of a millionth, as in the library. */
#include "slice.h"

#include <sqlite3.h>

static sqlite3 *database;

static void check(int code, int expected, const char *what) {
    if (code != expected) fail(what, sqlite3_errmsg(database));
}

static void run(const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK) fail(sql, message);
}

static void open_database(const char *file, const char *synchronous) {
    check(sqlite3_open(file, &database), SQLITE_OK, "open");
    check(sqlite3_busy_timeout(database, 60000), SQLITE_OK, "busy_timeout");
    run("PRAGMA journal_mode = WAL");
    run(strcmp(synchronous, "full") == 0 ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

static sqlite3_stmt *prepared(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), SQLITE_OK, sql);
    return statement;
}

static struct {
    sqlite3_stmt *begin, *commit, *get_cash, *set_cash, *get_position, *set_position, *add_to_log;
} statements;

static void prepare(void) {
    statements.begin = prepared("BEGIN IMMEDIATE");
    statements.commit = prepared("COMMIT");
    statements.get_cash = prepared("SELECT cash FROM account");
    statements.set_cash = prepared("UPDATE account SET cash = ?1");
    statements.get_position = prepared("SELECT shares, cost FROM position WHERE symbol = ?1");
    statements.set_position = prepared(
        "INSERT INTO position (symbol, shares, cost) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (symbol) DO UPDATE SET shares = excluded.shares, cost = excluded.cost");
    statements.add_to_log = prepared(
        "INSERT INTO trade (at, side, symbol, shares, price, total, cash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
}

/* Runs a statement that returns nothing. */
static void step(sqlite3_stmt *statement, const char *what) {
    check(sqlite3_step(statement), SQLITE_DONE, what);
    sqlite3_reset(statement);
}

static const int64_t micros = 1000000;

/* Inside a transaction: buys (sign 1) or sells (sign -1) whole shares. */
static void trade_once(const char *symbol, int sign, int64_t shares, double price) {
    int64_t price_micros = (int64_t)(price * 1e6 + 0.5), total = shares * price_micros;
    check(sqlite3_step(statements.get_cash), SQLITE_ROW, "cash");
    int64_t cash = sqlite3_column_int64(statements.get_cash, 0);
    sqlite3_reset(statements.get_cash);

    sqlite3_bind_text(statements.get_position, 1, symbol, -1, SQLITE_STATIC);
    int64_t held = 0, cost = 0;
    if (sqlite3_step(statements.get_position) == SQLITE_ROW) {
        held = sqlite3_column_int64(statements.get_position, 0);
        cost = sqlite3_column_int64(statements.get_position, 1);
    }
    sqlite3_reset(statements.get_position);
    if (sign > 0 ? cash < total : held < shares * micros) fail("trade", "refused");
    int64_t moved = sign > 0 ? total : (int64_t)((__int128)cost * (shares * micros) / held);

    sqlite3_bind_int64(statements.set_cash, 1, cash - sign * total);
    step(statements.set_cash, "set cash");
    sqlite3_bind_text(statements.set_position, 1, symbol, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statements.set_position, 2, held + sign * shares * micros);
    sqlite3_bind_int64(statements.set_position, 3, cost + sign * moved);
    step(statements.set_position, "set position");
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    sqlite3_bind_int64(statements.add_to_log, 1, time.tv_sec * micros + time.tv_nsec / 1000);
    sqlite3_bind_text(statements.add_to_log, 2, sign > 0 ? "buy" : "sell", -1, SQLITE_STATIC);
    sqlite3_bind_text(statements.add_to_log, 3, symbol, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statements.add_to_log, 4, shares * micros);
    sqlite3_bind_int64(statements.add_to_log, 5, price_micros);
    sqlite3_bind_int64(statements.add_to_log, 6, total);
    sqlite3_bind_int64(statements.add_to_log, 7, cash - sign * total);
    step(statements.add_to_log, "add to the log");
}

static void make(const char *file, unsigned positions) {
    open_database(file, "full");
    run("CREATE TABLE account (cash INTEGER NOT NULL)");
    run("INSERT INTO account VALUES (100000000000000)");
    run("CREATE TABLE position (symbol TEXT PRIMARY KEY, shares INTEGER NOT NULL, cost INTEGER NOT NULL) WITHOUT ROWID");
    run("CREATE TABLE trade (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, side TEXT NOT NULL, symbol TEXT NOT NULL, "
        "shares INTEGER NOT NULL, price INTEGER NOT NULL, total INTEGER NOT NULL, cash INTEGER NOT NULL)");
    prepare();
    step(statements.begin, "begin");
    for (unsigned number = 0; number < positions; number++) {
        char symbol[8];
        name_symbol(symbol, number);
        trade_once(symbol, 1, 1000, price_of(number));
    }
    step(statements.commit, "commit");
}

/* The next trades, in one transaction. */
static void transact(uint64_t *number, unsigned positions, unsigned batch) {
    step(statements.begin, "begin");
    for (unsigned done = 0; done < batch; done++, ++*number) {
        char symbol[8];
        name_symbol(symbol, *number / 2 % positions);
        trade_once(symbol, *number % 2 == 0 ? 1 : -1, 1, price_of(*number / 2));
    }
    step(statements.commit, "commit");
}

static void trade(const char *file, const char *synchronous, double seconds, unsigned positions, unsigned batch) {
    open_database(file, synchronous);
    prepare();
    uint64_t number = 0;
    while (number < WARM_UP) transact(&number, positions, 1);
    wait_for_start();
    slice slice = begin_slice(seconds);
    do {
        transact(&number, positions, batch);
    } while (goes_on(&slice, batch));
    print_slice(&slice);
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "make") == 0)
        make(words[2], (unsigned)atoi(words[3]));
    else if (count >= 6 && strcmp(words[1], "trade") == 0)
        trade(words[2], words[3], atof(words[4]), (unsigned)atoi(words[5]), count > 6 ? (unsigned)atoi(words[6]) : 1);
    else
        fail("sqlite", "see the head of sqlite.c");
    return 0;
}
