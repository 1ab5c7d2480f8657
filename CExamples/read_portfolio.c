/*
 * read_portfolio.c: reads an account's portfolio.json with jansson alone: no PaperTrade library, no lock. Any program may do
 * this at any time: the file is replaced whole by every change, so a reader never sees half of it.
 *
 *     cc read_portfolio.c -ljansson -o read_portfolio
 *     ./read_portfolio my-account/portfolio.json
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *file_name;

/* How many bytes at `text` (UTF-8) could move the cursor, hide or reorder text: a control character or a mark of direction. */
static size_t harmful(const unsigned char *text) {
    if (text[0] < 0x20 || text[0] == 0x7F) return 1;
    if (text[0] == 0xC2 && text[1] >= 0x80 && text[1] <= 0x9F) return 2;                                   /* U+0080-U+009F */
    if (text[0] == 0xE2 && text[1] == 0x80 && text[2] >= 0x8B && (text[2] <= 0x8F || text[2] >= 0xA8)) return 3; /* U+200B-... */
    if (text[0] == 0xE2 && text[1] == 0x81 && text[2] >= 0xA0 && text[2] <= 0xAF) return 3;                /* U+2060-U+206F */
    return 0;
}

/* Prints text from a file that may come from elsewhere: what could forge a line is escaped. Returns the columns it takes; only
 * measures if `out` is NULL. */
static int print_text(FILE *out, const char *text) {
    const unsigned char *next = (const unsigned char *)text;
    int columns = 0;
    while (*next != '\0') {
        size_t count = harmful(next);
        if (count == 0) {
            if (out != NULL) putc(*next, out);
            if ((*next & 0xC0) != 0x80) columns++; /* the first byte of a character */
            next++;
        }
        for (; count > 0; count--, next++, columns += 4) {
            if (out != NULL) fprintf(out, "\\x%02x", *next);
        }
    }
    return columns;
}

/* Says what is wrong with the file, and ends the program. */
static void fail(const char *format, ...) {
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    print_text(stderr, file_name);
    fputs(": ", stderr);
    print_text(stderr, sentence);
    putc('\n', stderr);
    exit(1);
}

/* The number `key` of `object`. Amounts are ordinary numbers, exact up to 999,999,999.999999. */
static double amount(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) fail("\"%s\" should be a number", key);
    return json_number_value(value);
}

static const char *string(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) fail("\"%s\" should be a string", key);
    return json_string_value(value);
}

/* 40 and not 40.000000, but 0.000001 where it is that. */
static const char *shares_text(double shares) {
    static char text[64];
    size_t length = (size_t)snprintf(text, sizeof text, "%.6f", shares);
    if (length >= sizeof text) return "?";
    while (text[length - 1] == '0') text[--length] = '\0';
    if (text[length - 1] == '.') text[--length] = '\0';
    return text;
}

/* Looks at everything that will be printed, so that nothing is printed of a file that is no portfolio. Returns the widest symbol. */
static int check(json_t *portfolio, json_t *positions, json_t *queue) {
    const char *symbol;
    json_t *position, *entry;
    size_t index;
    int width = (int)strlen("symbol");

    amount(portfolio, "cash");
    amount(portfolio, "net_deposits");
    amount(portfolio, "realized_pnl");
    json_object_foreach(positions, symbol, position) {
        int columns = print_text(NULL, symbol);
        if (columns > width) width = columns;
        amount(position, "shares");
        amount(position, "cost");
        if (!json_is_null(json_object_get(position, "cost_basis"))) amount(position, "cost_basis");
    }
    json_array_foreach(queue, index, entry) {
        string(entry, "symbol");
        string(entry, "signal");
        amount(entry, "score");
    }
    return width;
}

/* Prints the table, and returns the sum of the costs. */
static double print_positions(json_t *positions, int width) {
    const char *symbol;
    json_t *position;
    double invested = 0;

    printf("%-*s  %16s  %16s  %16s\n", width, "symbol", "shares", "cost basis", "cost");
    json_object_foreach(positions, symbol, position) {
        int columns = print_text(stdout, symbol);
        printf("%*s  %16s  ", width - columns, "", shares_text(amount(position, "shares")));
        if (json_is_null(json_object_get(position, "cost_basis"))) printf("%16s", "-"); /* more than an amount can express */
        else printf("%16.2f", amount(position, "cost_basis"));
        printf("  %16.2f\n", amount(position, "cost"));
        invested += amount(position, "cost");
    }
    return invested;
}

static void print_queue(json_t *queue) {
    size_t index;
    json_t *entry;
    json_array_foreach(queue, index, entry) {
        const json_t *reason = json_object_get(entry, "reason");
        printf("queued: ");
        print_text(stdout, string(entry, "symbol"));
        printf(" ");
        print_text(stdout, string(entry, "signal"));
        printf(", score %s", shares_text(amount(entry, "score")));
        if (json_is_string(reason)) {
            printf(": ");
            print_text(stdout, json_string_value(reason));
        }
        printf("\n");
    }
}

int main(int argc, char **argv) {
    json_error_t error;
    json_t *portfolio, *positions, *queue;
    const char *format;
    double invested;
    int width;

    if (argc != 2) {
        fprintf(stderr, "usage: read_portfolio my-account/portfolio.json\n");
        return 2;
    }
    file_name = argv[1];

    portfolio = json_load_file(file_name, JSON_REJECT_DUPLICATES, &error);
    if (portfolio == NULL) {
        if (error.line > 0) fail("line %d: %s", error.line, error.text);
        fail("%s", error.text);
    }
    format = json_string_value(json_object_get(portfolio, "format")); /* NULL if any of it is missing */
    if (format == NULL || strcmp(format, "papertrade/1") != 0) fail("this is not a portfolio of the format papertrade/1");
    positions = json_object_get(portfolio, "positions");
    if (!json_is_object(positions)) fail("\"positions\" should be an object");
    queue = json_object_get(portfolio, "queued_opportunities");
    if (!json_is_array(queue)) fail("\"queued_opportunities\" should be an array");

    width = check(portfolio, positions, queue);
    invested = print_positions(positions, width);
    printf("\n");
    print_queue(queue);
    printf("cash %.2f + invested %.2f = ", amount(portfolio, "cash"), invested);
    printf("deposits %.2f + realized %.2f\n", amount(portfolio, "net_deposits"), amount(portfolio, "realized_pnl"));

    json_decref(portfolio);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("writing");
        return 1;
    }
    return 0;
}
