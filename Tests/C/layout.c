/*
 * layout.c: the sizes and offsets of every struct, as they were released. It passes by compiling.
 *
 * Programs that are compiled already have these numbers in them. An out-struct never changes at all: new members take the place of
 * reserved space, and get a line here. An in-struct only grows at its end: its size changes, and no offset does.
 */
#include <papertrade.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "the size of " #type " has changed")
#define AT(type, member, bytes) _Static_assert(offsetof(type, member) == (bytes), #type "." #member " has moved")

_Static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8, "these are the numbers of 64-bit systems");
_Static_assert(sizeof(pt_status) == 4, "a pt_status is an int32_t");

SIZE(pt_error, 576);
AT(pt_error, status, 0);
AT(pt_error, errno_value, 4);
AT(pt_error, seq, 8);
AT(pt_error, offset, 16);
AT(pt_error, message, 24);
AT(pt_error, reserved, 536);

SIZE(pt_options, 72);
AT(pt_options, struct_size, 0);
AT(pt_options, flags, 4);
AT(pt_options, initial_cash, 8);
AT(pt_options, lock_timeout_ms, 16);
AT(pt_options, durability, 24);
AT(pt_options, reserved, 28);
AT(pt_options, account_id, 32);
AT(pt_options, log, 40);
AT(pt_options, log_context, 48);
AT(pt_options, clock, 56);
AT(pt_options, clock_context, 64);

SIZE(pt_request, 40);
AT(pt_request, struct_size, 0);
AT(pt_request, reserved, 4);
AT(pt_request, expected_seq, 8);
AT(pt_request, time, 16);
AT(pt_request, request_id, 24);
AT(pt_request, note, 32);

SIZE(pt_verify_report, 656);
AT(pt_verify_report, events, 0);
AT(pt_verify_report, first_seq, 8);
AT(pt_verify_report, last_seq, 16);
AT(pt_verify_report, durable_seq, 24);
AT(pt_verify_report, generations, 32);
AT(pt_verify_report, problems, 36);
AT(pt_verify_report, portfolio_current, 40);
AT(pt_verify_report, unfinished_tail, 44);
AT(pt_verify_report, cash, 48);
AT(pt_verify_report, total_cost, 56);
AT(pt_verify_report, net_deposits, 64);
AT(pt_verify_report, realized_pnl, 72);
AT(pt_verify_report, first_problem, 80);
AT(pt_verify_report, reserved, 592);

SIZE(pt_recover_report, 352);
AT(pt_recover_report, kept_seq, 0);
AT(pt_recover_report, lost_events, 8);
AT(pt_recover_report, seq, 16);
AT(pt_recover_report, generation, 24);
AT(pt_recover_report, from_portfolio, 28);
AT(pt_recover_report, kept_as, 32);
AT(pt_recover_report, reserved, 288);

SIZE(pt_import_report, 368);
AT(pt_import_report, positions, 0);
AT(pt_import_report, queued, 4);
AT(pt_import_report, transactions, 8);
AT(pt_import_report, rounded, 12);
AT(pt_import_report, cash, 16);
AT(pt_import_report, net_deposits, 24);
AT(pt_import_report, realized_pnl, 32);
AT(pt_import_report, seq, 40);
AT(pt_import_report, first_rounded, 48);
AT(pt_import_report, reserved, 304);

SIZE(pt_fill, 216);
AT(pt_fill, seq, 0);
AT(pt_fill, time, 8);
AT(pt_fill, at, 16);
AT(pt_fill, side, 24);
AT(pt_fill, repeated, 28);
AT(pt_fill, provisional, 32);
AT(pt_fill, reserved0, 36);
AT(pt_fill, shares, 40);
AT(pt_fill, price, 48);
AT(pt_fill, notional, 56);
AT(pt_fill, commission, 64);
AT(pt_fill, total, 72);
AT(pt_fill, realized_pnl, 80);
AT(pt_fill, cash_after, 88);
AT(pt_fill, position_shares, 96);
AT(pt_fill, position_cost, 104);
AT(pt_fill, symbol, 112);
AT(pt_fill, type, 152);
AT(pt_fill, reserved, 176);

SIZE(pt_order, 40);
AT(pt_order, struct_size, 0);
AT(pt_order, side, 4);
AT(pt_order, symbol, 8);
AT(pt_order, shares, 16);
AT(pt_order, price, 24);
AT(pt_order, request, 32);

SIZE(pt_account_summary, 224);
AT(pt_account_summary, account_id, 0);
AT(pt_account_summary, seq, 72);
AT(pt_account_summary, durable_seq, 80);
AT(pt_account_summary, position_count, 88);
AT(pt_account_summary, queued_count, 96);
AT(pt_account_summary, created_at, 104);
AT(pt_account_summary, updated_at, 112);
AT(pt_account_summary, cash, 120);
AT(pt_account_summary, total_cost, 128);
AT(pt_account_summary, net_deposits, 136);
AT(pt_account_summary, realized_pnl, 144);
AT(pt_account_summary, generation, 152);
AT(pt_account_summary, reserved0, 156);
AT(pt_account_summary, reserved, 160);

SIZE(pt_position_info, 136);
AT(pt_position_info, symbol, 0);
AT(pt_position_info, shares, 40);
AT(pt_position_info, cost, 48);
AT(pt_position_info, cost_basis, 56);
AT(pt_position_info, first_purchase_date, 64);
AT(pt_position_info, reserved, 72);

SIZE(pt_quote, 16);
AT(pt_quote, symbol, 0);
AT(pt_quote, price, 8);

SIZE(pt_valuation, 136);
AT(pt_valuation, seq, 0);
AT(pt_valuation, unpriced, 8);
AT(pt_valuation, cash, 16);
AT(pt_valuation, market_value, 24);
AT(pt_valuation, total_value, 32);
AT(pt_valuation, unrealized_pnl, 40);
AT(pt_valuation, realized_pnl, 48);
AT(pt_valuation, total_pnl, 56);
AT(pt_valuation, return_percent, 64);
AT(pt_valuation, reserved, 72);

SIZE(pt_event, 112);
AT(pt_event, seq, 0);
AT(pt_event, time, 8);
AT(pt_event, at, 16);
AT(pt_event, generation, 24);
AT(pt_event, more, 28);
AT(pt_event, type, 32);
AT(pt_event, symbol, 40);
AT(pt_event, request_id, 48);
AT(pt_event, note, 56);
AT(pt_event, json, 64);
AT(pt_event, shares, 72);
AT(pt_event, price, 80);
AT(pt_event, commission, 88);
AT(pt_event, realized_pnl, 96);
AT(pt_event, cash, 104);

SIZE(pt_queue_entry, 408);
AT(pt_queue_entry, seq, 0);
AT(pt_queue_entry, queued_at, 8);
AT(pt_queue_entry, score, 16);
AT(pt_queue_entry, price, 24);
AT(pt_queue_entry, signal, 32);
AT(pt_queue_entry, reserved0, 36);
AT(pt_queue_entry, symbol, 40);
AT(pt_queue_entry, reason, 80);
AT(pt_queue_entry, reserved, 344);

SIZE(pt_opportunity, 48);
AT(pt_opportunity, struct_size, 0);
AT(pt_opportunity, signal, 4);
AT(pt_opportunity, symbol, 8);
AT(pt_opportunity, score, 16);
AT(pt_opportunity, price, 24);
AT(pt_opportunity, reason, 32);
AT(pt_opportunity, request, 40);

SIZE(pt_analysis, 392);
AT(pt_analysis, struct_size, 0);
AT(pt_analysis, signal, 4);
AT(pt_analysis, score, 8);
AT(pt_analysis, price, 16);
AT(pt_analysis, shares, 24);
AT(pt_analysis, amount, 32);
AT(pt_analysis, time, 40);
AT(pt_analysis, confidence, 48);
AT(pt_analysis, reserved0, 52);
AT(pt_analysis, reason, 56);
AT(pt_analysis, sector, 320);

SIZE(pt_execution, 432);
AT(pt_execution, queued_seq, 0);
AT(pt_execution, seq, 8);
AT(pt_execution, outcome, 16);
AT(pt_execution, reserved0, 20);
AT(pt_execution, shares, 24);
AT(pt_execution, price, 32);
AT(pt_execution, total, 40);
AT(pt_execution, queued_score, 48);
AT(pt_execution, score, 56);
AT(pt_execution, symbol, 64);
AT(pt_execution, message, 104);
AT(pt_execution, reserved, 368);

SIZE(pt_cycle_options, 16);
AT(pt_cycle_options, struct_size, 0);
AT(pt_cycle_options, flags, 4);
AT(pt_cycle_options, time, 8);

SIZE(pt_cycle, 672);
AT(pt_cycle, seq, 0);
AT(pt_cycle, first_seq, 8);
AT(pt_cycle, time, 16);
AT(pt_cycle, at, 24);
AT(pt_cycle, kind, 32);
AT(pt_cycle, outcome, 36);
AT(pt_cycle, analysed, 40);
AT(pt_cycle, unanalysed, 44);
AT(pt_cycle, changes, 48);
AT(pt_cycle, queued, 52);
AT(pt_cycle, bought, 56);
AT(pt_cycle, sold, 60);
AT(pt_cycle, rejected, 64);
AT(pt_cycle, deferred, 68);
AT(pt_cycle, value, 72);
AT(pt_cycle, reason, 80);
AT(pt_cycle, problem, 344);
AT(pt_cycle, reserved, 608);

SIZE(pt_known_signal, 400);
AT(pt_known_signal, symbol, 0);
AT(pt_known_signal, signal, 40);
AT(pt_known_signal, confidence, 44);
AT(pt_known_signal, score, 48);
AT(pt_known_signal, price, 56);
AT(pt_known_signal, known_since, 64);
AT(pt_known_signal, sector, 72);
AT(pt_known_signal, reserved, 336);

int main(void) { return 0; }
