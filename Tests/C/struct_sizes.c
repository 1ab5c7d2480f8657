/*
 * struct_sizes.c: in-structs of other versions of the header. One that is too short to be any version is refused; a longer one comes
 * from a newer header, and works as long as the program does not use what this library does not know.
 *
 *     struct_sizes DIRECTORY        (an empty one)
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, also with -std=c99 */

#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

/* A struct of a newer header: the one that is known, and members after it. */
#define NEWER(type) struct { type known; uint64_t more[4]; }

static pt_account *account;

/* Calls with `size` as the struct_size return `expected`. */
#define TRY(expected, newer, call, size, sentence) ((newer).known.struct_size = (uint32_t)(size), EXPECT(expected, call, sentence))

#define TRY_SIZES(type, newer, call) \
    do { \
        memset((newer).more, 0, sizeof (newer).more); \
        TRY(PT_OK, newer, call, sizeof(type), #type " of this version is accepted"); \
        TRY(PT_OK, newer, call, sizeof (newer), "a longer " #type " is accepted if the rest is zero"); \
        TRY(PT_INVALID_ARGUMENT, newer, call, 0, #type " without _INIT is refused"); \
        TRY(PT_INVALID_ARGUMENT, newer, call, sizeof(type) - 1, "a shorter " #type " is refused"); \
        TRY(PT_INVALID_ARGUMENT, newer, call, 4097, "an absurd size of " #type " is refused"); \
        TRY(PT_INVALID_ARGUMENT, newer, call, UINT32_MAX, "the largest size of " #type " is refused"); \
        (newer).more[3] = 1; \
        TRY(PT_INVALID_ARGUMENT, newer, call, sizeof (newer), "a longer " #type " that uses what is not known is refused"); \
        CHECK(strstr(error.message, pt_version()) != NULL, "the message names the library's version"); \
        TRY(PT_OK, newer, call, sizeof(type), "what lies behind " #type " is not looked at"); \
    } while (0)

/* Opens and closes. */
static pt_status open_with(const char *path, const pt_options *options) {
    pt_account *opened;
    pt_status status = pt_open(path, options, &opened, &error);
    CHECK((status == PT_OK) == (opened != NULL), "*account is NULL exactly after a failure");
    pt_close(opened);
    return status;
}

/* Queues, and empties the queue again. */
static pt_status enqueue(const pt_opportunity *opportunity) {
    pt_status status = pt_submit_opportunity(account, opportunity, NULL, &error);
    pt_clear_queue(account, NULL, NULL, NULL);
    return status;
}

static int32_t no_opinion(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time, (void)out;
    return PT_NO_OPINION;
}

int main(int argc, char **argv) {
    NEWER(pt_options) options = {PT_OPTIONS_INIT, {0}};
    NEWER(pt_request) request = {PT_REQUEST_INIT, {0}};
    NEWER(pt_order) order = {PT_ORDER_INIT, {0}};
    NEWER(pt_opportunity) opportunity = {PT_OPPORTUNITY_INIT, {0}};
    NEWER(pt_cycle_options) cycle = {PT_CYCLE_OPTIONS_INIT, {0}};
    const char *path;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory;
    uint32_t *small;
    pt_request *exact;
    pt_account *opened;
    if (argc != 2) {
        fprintf(stderr, "usage: struct_sizes DIRECTORY\n");
        return 2;
    }
    path = in(argv[1], "account");
    account = open_account(path);
    order.known.side = PT_BUY;
    order.known.symbol = opportunity.known.symbol = "A";
    order.known.shares = order.known.price = 1;
    opportunity.known.signal = PT_SIGNAL_BUY;

    TRY_SIZES(pt_options, options, open_with(path, &options.known));
    TRY_SIZES(pt_request, request, pt_deposit(account, 1, &request.known, &error));
    TRY_SIZES(pt_order, order, pt_submit(account, &order.known, NULL, &error));
    TRY_SIZES(pt_opportunity, opportunity, enqueue(&opportunity.known));
    TRY_SIZES(pt_cycle_options, cycle, pt_monitoring_cycle(account, no_opinion, NULL, &cycle.known, NULL, &error));
    TRY_SIZES(pt_cycle_options, cycle, pt_trading_cycle(account, no_opinion, NULL, &cycle.known, NULL, &error));

    /* Nothing is read beyond the size that a struct says it has: here it ends where the memory does. */
    memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && mprotect(memory + page, page, PROT_NONE) == 0, "there is memory with an end");
    small = (void *)(memory + page - 8);
    *small = 8;
    EXPECT(PT_INVALID_ARGUMENT, pt_open(path, (const pt_options *)small, &opened, &error), "options of eight bytes are refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_deposit(account, 1, (const pt_request *)small, &error), "a request of eight bytes is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_submit(account, (const pt_order *)small, NULL, &error), "an order of eight bytes is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_submit_opportunity(account, (const pt_opportunity *)small, NULL, &error),
           "an opportunity of eight bytes is refused");
    EXPECT(PT_INVALID_ARGUMENT, pt_trading_cycle(account, no_opinion, NULL, (const pt_cycle_options *)small, NULL, &error),
           "options of a cycle of eight bytes are refused");
    exact = (void *)(memory + page - sizeof request.known);
    *exact = (pt_request)PT_REQUEST_INIT;
    EXPECT(PT_OK, pt_deposit(account, 1, exact, &error), "a request of this version is read to its end and no further");
    munmap(memory, 2 * page);

    /* Reserved members are for later: whoever fills them must not find that out then. */
    request.known = (pt_request)PT_REQUEST_INIT;
    request.known.reserved = 1;
    EXPECT(PT_INVALID_ARGUMENT, pt_deposit(account, 1, &request.known, &error), "a request with a reserved member that is not zero is refused");
    options.known = (pt_options)PT_OPTIONS_INIT;
    options.known.reserved = 1;
    EXPECT(PT_INVALID_ARGUMENT, pt_open(path, &options.known, &opened, &error), "options with a reserved member that is not zero are refused");

    /* A struct inside a struct is checked, too. */
    order.known.request = &request.known;
    order.known.struct_size = sizeof(pt_order);
    request.known.struct_size = 7;
    EXPECT(PT_INVALID_ARGUMENT, pt_submit(account, &order.known, NULL, &error), "an order's request without _INIT is refused");
    EXPECT_PLAIN(PT_OK, pt_close(account), "the account closes");
    return finish();
}
