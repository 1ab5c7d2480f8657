import CPaperTrade
import PaperTrade
import Storage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// MARK: Errors

/// Runs the Swift side of a call; what it throws goes into `error`, and its status is returned.
func perform(_ error: UnsafeMutablePointer<pt_error>?, _ body: () throws(PaperTradeError) -> Void) -> pt_status {
    if let error {
        error.pointee = pt_error()
        error.pointee.offset = -1
    }
    do throws(PaperTradeError) {
        try body()
        return PT_OK
    } catch let failure {
        guard let error else { return failure.status.rawValue }
        error.pointee.status = failure.status.rawValue
        error.pointee.errno_value = failure.errno
        error.pointee.seq = failure.seq
        error.pointee.offset = failure.offset
        copy(failure.message, to: &error.pointee.message)
        return failure.status.rawValue
    }
}

/// A call of an account's. It is under way, and the account's closing waits for it, until nothing of the caller's is touched any more.
func perform(
    _ handle: OpaquePointer?, _ error: UnsafeMutablePointer<pt_error>?, _ body: (Account) throws(PaperTradeError) -> Void
) -> pt_status {
    var called: Account?
    defer { called?.endCall() }
    return perform(error) { () throws(PaperTradeError) in
        let account = try Handles.account(handle)
        try account.beginCall()
        called = account
        try body(account)
    }
}

func invalidArgument(_ message: String) -> PaperTradeError { PaperTradeError(.invalidArgument, message) }

func nonNull<Pointee>(_ pointer: UnsafeMutablePointer<Pointee>?, _ name: String) throws(PaperTradeError) -> UnsafeMutablePointer<
    Pointee
> {
    guard let pointer else { throw invalidArgument("\(name) is NULL") }
    return pointer
}

// MARK: Strings

/// The text that `pointer` leads to; at most one byte more than `limit` is looked at.
///
/// - Parameter invalid: what to throw for a longer text, and for one that is not UTF-8.
func text(
    _ pointer: UnsafePointer<CChar>, limit: Int, invalid: (String) -> Refusal
) throws(PaperTradeError) -> String {
    let count = strnlen(pointer, limit + 1)
    let bytes = UnsafeRawBufferPointer(start: pointer, count: count)
    guard count <= limit, let text = String(validating: bytes, as: UTF8.self) else {
        throw PaperTradeError(invalid(String(decoding: bytes, as: UTF8.self)))
    }
    return text
}

func path(_ pointer: UnsafePointer<CChar>?, _ name: String) throws(PaperTradeError) -> String {
    guard let pointer else { throw invalidArgument("\(name) is NULL") }
    guard let text = String(validatingCString: pointer), !text.isEmpty else {
        throw invalidArgument("\(name) is empty or not UTF-8")
    }
    return text
}

func symbol(_ pointer: UnsafePointer<CChar>?) throws(PaperTradeError) -> Symbol {
    guard let pointer else { throw invalidArgument("symbol is NULL") }
    let bytes = UnsafeRawBufferPointer(start: pointer, count: strnlen(pointer, Symbol.maximumCount + 1))
    guard let symbol = Symbol(utf8: bytes) else { throw PaperTradeError(.invalidSymbol(String(decoding: bytes, as: UTF8.self))) }
    return symbol
}

func shortText(_ pointer: UnsafePointer<CChar>?, _ field: String) throws(PaperTradeError) -> String? {
    guard let pointer else { return nil }
    return try text(pointer, limit: Text.maximumByteCount) { _ in
        let count = strnlen(pointer, 1 << 16)
        return count > Text.maximumByteCount ? .textTooLong(field: field, byteCount: count) : .textNotUTF8(field: field)
    }
}

/// Copies as much of `text` as fits, with its NUL, into a C array of characters; never cuts a character.
func copy<Array>(_ text: String, to array: inout Array) {
    var text = text
    withUnsafeMutableBytes(of: &array) { buffer in
        text.withUTF8 { utf8 in
            var count = min(utf8.count, buffer.count - 1)
            if count < utf8.count { while count > 0 && utf8[count] & 0xC0 == 0x80 { count -= 1 } }
            buffer.copyBytes(from: utf8.prefix(count))
            for index in count..<buffer.count { buffer[index] = 0 }
        }
    }
}

/// Copies a symbol, with its NUL, into a C array that has room for the longest one.
func copy<Array>(_ symbol: Symbol, to array: inout Array) {
    withUnsafeMutableBytes(of: &array) { buffer in
        precondition(buffer.count > Symbol.maximumCount)
        let count = symbol.write(to: buffer.assumingMemoryBound(to: UInt8.self))
        for index in count..<buffer.count { buffer[index] = 0 }
    }
}

// MARK: Arguments

/// PT_TIME_NOW, which Swift does not see because INT64_MIN is an expression.
let timeNow = Int64.min

func requestOptions(_ pointer: UnsafePointer<pt_request>?) throws(PaperTradeError) -> RequestOptions {
    guard let pointer else { return RequestOptions() }
    let request = try given(pointer)
    try checkReserved(Int64(request.reserved), "request")
    var options = RequestOptions()
    if request.expected_seq != 0 { options.expectedSeq = request.expected_seq }
    options.time = try time(request.time)
    if let id = request.request_id {
        options.id = try text(id, limit: RequestID.maximumByteCount) { .invalidRequestID($0) }
    }
    options.note = try shortText(request.note, "note")
    return options
}

/// `nil` for ``timeNow``.
func time(_ microseconds: Int64) throws(PaperTradeError) -> Timestamp? {
    if microseconds == timeNow { return nil }
    guard let time = Timestamp(microseconds: microseconds) else { throw PaperTradeError(.invalidTime(microseconds)) }
    return time
}

/// `nil` for NaN, which says that there is none.
func optional<Value: Amount>(_ value: Double) throws(PaperTradeError) -> Value? {
    value.isNaN ? nil : try Value(checking: value)
}

/// One side of a split's ratio.
func ratioSide(_ value: Double) throws(PaperTradeError) -> Shares {
    do throws(AmountError) {
        return try Shares(value)
    } catch .tooPrecise {
        throw PaperTradeError(.tooPrecise(value.description))
    } catch {
        throw PaperTradeError(
            .invalidRatio, "\(value) is no side of a split ratio: give a number above 0 and at most 999999999.999999")
    }
}

func signal(_ number: Int32) throws(PaperTradeError) -> Signal {
    guard let signal = Signal(rawValue: Int(number)) else { throw PaperTradeError(.invalidSignal("\(number)")) }
    return signal
}

func opportunity(
    _ symbol: Symbol, _ number: Int32, _ score: Double, _ price: Double, _ reason: UnsafePointer<CChar>?
) throws(PaperTradeError) -> Opportunity {
    let signal = try signal(number)
    let score = try Rate(checking: score)
    let price: Price? = try optional(price)
    let reason = try shortText(reason, "reason")
    do throws(Refusal) {
        return try Opportunity(
            symbol: symbol, signal: signal, score: score, price: price,
            reason: reason.map { text throws(Refusal) in try Text(text, field: "reason") })
    } catch {
        throw PaperTradeError(error)
    }
}

/// NULL means the default, PT_WAIT_DEFAULT too.
func timeout(_ milliseconds: Int64) throws(PaperTradeError) -> Int64? {
    if milliseconds == Int64(PT_WAIT_DEFAULT) { return nil }
    guard milliseconds >= Int64(PT_WAIT_FOREVER) else {
        throw invalidArgument("timeout_ms is \(milliseconds): give 0 or more, PT_WAIT_FOREVER or PT_WAIT_DEFAULT")
    }
    return milliseconds
}

/// A member without a meaning may get one: who fills it today must not find that out then.
private func checkReserved(_ value: Int64, _ name: String) throws(PaperTradeError) {
    guard value == 0 else {
        throw invalidArgument("\(name)->reserved is \(value), not 0: initialise the struct with its _INIT macro")
    }
}

func options(_ pointer: UnsafePointer<pt_options>?) throws(PaperTradeError) -> Options {
    var options = Options()
    guard let pointer else { return options }
    let given = try given(pointer)
    try checkReserved(Int64(given.reserved), "options")
    let known = UInt32(PT_OPEN_READ_ONLY | PT_OPEN_EXISTING | PT_OPEN_ALLOW_NETWORK)
    guard given.flags & ~known == 0 else { throw invalidArgument("options->flags has unknown bits: \(given.flags & ~known)") }
    options.isReadOnly = given.flags & UInt32(PT_OPEN_READ_ONLY) != 0
    options.createsIfMissing = given.flags & UInt32(PT_OPEN_EXISTING) == 0
    options.allowsNetwork = given.flags & UInt32(PT_OPEN_ALLOW_NETWORK) != 0
    options.initialCash = try optional(given.initial_cash)
    if let timeout = try timeout(given.lock_timeout_ms) { options.lockTimeoutMilliseconds = timeout }
    switch given.durability {
    case PT_DURABILITY_FULL: options.durability = .full
    case PT_DURABILITY_PROCESS: options.durability = .process
    default: throw invalidArgument("options->durability is \(given.durability): give PT_DURABILITY_FULL or PT_DURABILITY_PROCESS")
    }
    if let id = given.account_id {
        options.accountID = try text(id, limit: Int(PT_ACCOUNT_ID_MAX)) { .invalidAccountID($0) }
    }
    if let log = given.log {
        // The caller promises that context may be used on any thread.
        nonisolated(unsafe) let context = given.log_context
        options.log = { level, message in message.withCString { log(context, level.rawValue, $0) } }
    }
    if let clock = given.clock {
        nonisolated(unsafe) let context = given.clock_context
        options.clock = { Timestamp(microseconds: clock(context)) }
    }
    return options
}

// MARK: Out-structs

/// Figures that cannot be expressed are NaN.
func number(_ amount: (some Amount)?) -> Double { amount?.doubleValue ?? .nan }

extension pt_fill {
    init(_ receipt: Receipt) {
        self.init()
        let record = receipt.record
        seq = record.seq
        time = record.time.microseconds
        at = record.at.microseconds
        repeated = receipt.isRepeated ? 1 : 0
        provisional = receipt.isProvisional ? 1 : 0
        cash_after = record.cash.doubleValue
        PaperTradeC.copy(record.event.typeName, to: &type)
        let figures = EventFigures(record.event)
        shares = number(figures.shares)
        price = number(figures.price)
        notional = number(figures.notional)
        commission = number(figures.commission)
        total = number(figures.total)
        realized_pnl = number(figures.realizedPnL)
        position_shares = number(figures.positionShares)
        position_cost = number(figures.positionCost)
        side = figures.side?.rawValue ?? 0
        if let symbol = figures.symbol { PaperTradeC.copy(symbol, to: &self.symbol) }
    }
}

extension pt_position_info {
    init(_ position: Position) {
        self.init()
        PaperTradeC.copy(position.symbol, to: &symbol)
        shares = position.shares.doubleValue
        cost = position.cost.doubleValue
        cost_basis = number(position.costBasis)
        first_purchase_date = position.firstPurchaseDate.microseconds
    }
}

extension pt_queue_entry {
    init(_ entry: QueueEntry) {
        self.init()
        seq = entry.seq
        queued_at = entry.queuedAt.microseconds
        score = entry.opportunity.score.doubleValue
        price = number(entry.opportunity.price)
        signal = Int32(entry.opportunity.signal.rawValue)
        PaperTradeC.copy(entry.opportunity.symbol, to: &symbol)
        PaperTradeC.copy(entry.opportunity.reason?.description ?? "", to: &reason)
    }
}

extension pt_execution {
    init(_ execution: Execution) {
        self.init()
        queued_seq = execution.queuedSeq
        seq = execution.seq ?? 0
        queued_score = number(execution.queuedScore)
        score = number(execution.score)
        shares = .nan
        price = .nan
        total = .nan
        switch execution.outcome {
        case .bought(let trade):
            outcome = PT_BOUGHT
            shares = trade.shares.doubleValue
            price = trade.price.doubleValue
            total = trade.total.doubleValue
        case .changed: outcome = PT_REJECTED_CHANGED
        case .rejected(let reason): outcome = reason.number
        }
        PaperTradeC.copy(execution.symbol, to: &symbol)
        PaperTradeC.copy(execution.message, to: &message)
    }
}

extension RejectionReason {
    fileprivate var number: Int32 {
        switch self {
        case .noAnalysis: PT_REJECTED_NO_ANALYSIS
        case .stale: PT_REJECTED_STALE
        case .scoreDrop: PT_REJECTED_SCORE_DROP
        case .downgrade: PT_REJECTED_DOWNGRADE
        case .size: PT_REJECTED_SIZE
        case .insufficientFunds: PT_REJECTED_FUNDS
        case .rule: PT_REJECTED_RULE
        case .lowScore: PT_REJECTED_LOW_SCORE
        case .maximumPositions: PT_REJECTED_MAX_POSITIONS
        case .tradesPerHour: PT_REJECTED_TRADES_PER_HOUR
        case .positionLimit: PT_REJECTED_POSITION_LIMIT
        case .sectorLimit: PT_REJECTED_SECTOR_LIMIT
        case .cashReserve: PT_REJECTED_CASH_RESERVE
        case .minimumHolding: PT_REJECTED_MIN_HOLDING
        case .alreadyQueued: PT_REJECTED_ALREADY_QUEUED
        case .justSold: PT_REJECTED_JUST_SOLD
        }
    }
}

/// A size_t as a limit: Swift sees it as Int, where what no array can have is negative.
func limit(_ capacity: Int) -> Int { capacity < 0 ? .max : capacity }

/// Fills a caller's array of `capacity` and its count.
///
/// - Throws: `bufferTooSmall` if there is more; with NULL and 0 it only counts.
func fill<Element, Output>(
    _ out: UnsafeMutablePointer<Output>?, _ capacity: Int, _ count: UnsafeMutablePointer<Int>?, with elements: [Element],
    _ convert: (Element) -> Output
) throws(PaperTradeError) {
    count?.pointee = elements.count
    guard try !onlyCounts(out, capacity), let out else { return }
    guard elements.count <= limit(capacity) else { throw tooSmall(elements.count, capacity) }
    for (index, element) in elements.enumerated() { out[index] = convert(element) }
}

/// Whether the caller only wants to know how many there are: what would be done to fill the array is then not done.
func onlyCounts<Output>(_ out: UnsafeMutablePointer<Output>?, _ capacity: Int) throws(PaperTradeError) -> Bool {
    if out != nil { return false }
    guard capacity == 0 else { throw invalidArgument("out is NULL, but capacity is \(UInt(bitPattern: capacity))") }
    return true
}

func tooSmall(_ count: Int, _ capacity: Int) -> PaperTradeError {
    PaperTradeError(.bufferTooSmall, "there are \(count), but capacity is \(capacity): nothing was changed; call again with more")
}
