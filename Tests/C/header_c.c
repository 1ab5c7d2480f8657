/*
 * header_c.c: the header alone, first and twice, in strict C99 and C11; every _INIT macro and constant expression is valid. Also with
 * PT_ANALYST_LIBRARY, as the library of an analyst has it.
 */
#include <papertrade.h>
#include <papertrade.h>

static const pt_options options = PT_OPTIONS_INIT;
static const pt_request request = PT_REQUEST_INIT;
static const pt_order order = PT_ORDER_INIT;
static const pt_opportunity opportunity = PT_OPPORTUNITY_INIT;
static const pt_analysis analysis = PT_ANALYSIS_INIT;
static const pt_cycle_options cycle_options = PT_CYCLE_OPTIONS_INIT;

/* A callback of each type. */
static void on_log(void *context, int32_t level, const char *message) { (void)context, (void)level, (void)message; }
static int64_t on_clock(void *context) { (void)context; return 0; }
static int32_t on_event(void *context, const pt_event *event) { (void)context, (void)event; return 0; }
static int32_t on_cycle(void *context, const pt_cycle *cycle) { (void)context, (void)cycle; return 0; }
static int32_t on_symbol(void *context, const char *symbol, int64_t time, pt_analysis *out) {
    (void)context, (void)symbol, (void)time, (void)out;
    return PT_NO_OPINION;
}

#ifdef PT_ANALYST_LIBRARY
int32_t pt_analyst(void *context, const char *symbol, int64_t time, pt_analysis *out) { return on_symbol(context, symbol, time, out); }
#endif

int main(void) {
    pt_log_fn log = on_log;
    pt_clock_fn clock = on_clock;
    pt_event_fn event = on_event;
    pt_cycle_fn cycle = on_cycle;
#ifdef PT_ANALYST_LIBRARY
    pt_analyst_fn analyst = pt_analyst;
#else
    pt_analyst_fn analyst = on_symbol;
#endif
    switch (pt_close(NULL)) { /* statuses can be cases */
    case PT_INSUFFICIENT_FUNDS:
    case PT_FAILED_HANDLE: return 1;
    case PT_OK: break;
    }
    return options.struct_size == sizeof options && request.struct_size == sizeof request && order.struct_size == sizeof order &&
                   opportunity.struct_size == sizeof opportunity && analysis.struct_size == sizeof analysis &&
                   cycle_options.struct_size == sizeof cycle_options && cycle_options.time == PT_TIME_NOW && cycle != NULL &&
                   isnan(options.initial_cash) && options.lock_timeout_ms == PT_WAIT_DEFAULT && request.time == PT_TIME_NOW &&
                   isnan(opportunity.price) && isnan(analysis.shares) && isnan(analysis.amount) && PT_ALL_SHARES > PT_AMOUNT_MAX &&
                   log != NULL && clock != NULL && event != NULL && analyst != NULL && pt_version() != NULL
               ? 0
               : 1;
}
