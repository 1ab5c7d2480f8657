// header_cpp.cpp: the header alone, first and twice, in strict C++11 and C++17; a C++ program links against the C
// functions. Also with PT_ANALYST_LIBRARY: an analyst's function has C linkage.
#include <papertrade.h>
#include <papertrade.h>

static const pt_options options = PT_OPTIONS_INIT;
static const pt_request request = PT_REQUEST_INIT;
static const pt_order order = PT_ORDER_INIT;
static const pt_opportunity opportunity = PT_OPPORTUNITY_INIT;
static const pt_analysis analysis = PT_ANALYSIS_INIT;
static const pt_cycle_options cycle_options = PT_CYCLE_OPTIONS_INIT;

static_assert(PT_OK == 0 && PT_INSUFFICIENT_FUNDS == 101, "statuses are constant expressions");

#ifdef PT_ANALYST_LIBRARY
int32_t pt_analyst(void *, const char *, int64_t, pt_analysis *) { return PT_NO_OPINION; }
#endif

int main() {
    pt_event_fn event = [](void *, const pt_event *) -> int32_t { return 0; }; // a lambda without captures is a callback
    pt_error error;
    pt_account *account = nullptr;
    bool refused = pt_open(nullptr, &options, &account, &error) == PT_INVALID_ARGUMENT && account == nullptr;
    return refused && event(nullptr, nullptr) == 0 && options.struct_size == sizeof options && request.struct_size == sizeof request &&
                   order.struct_size == sizeof order && opportunity.struct_size == sizeof opportunity &&
                   analysis.struct_size == sizeof analysis && cycle_options.struct_size == sizeof cycle_options && pt_close(nullptr) == PT_OK
               ? 0
               : 1;
}
