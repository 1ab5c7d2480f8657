// swift-worker PATH SEED WORKER FIRST COUNT REPORT: makes the requests FIRST ..< FIRST + COUNT of its plan on the account in PATH, and
// appends to REPORT a line before and after each one. The same program as workers/worker.c and workers/worker.py.
import PaperTrade

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

func fail(_ message: String) -> Never {
    _ = message.withCString { write(2, $0, strlen($0)) }
    _ = "\n".withCString { write(2, $0, 1) }
    exit(1)
}

let arguments = CommandLine.arguments
guard arguments.count == 7, let seed = UInt64(arguments[2]), let worker = UInt64(arguments[3]), let first = UInt64(arguments[4]),
    let count = UInt64(arguments[5])
else { fail("usage: swift-worker PATH SEED WORKER FIRST COUNT REPORT") }
let report = open(arguments[6], O_WRONLY | O_APPEND)
guard report >= 0 else { fail("cannot open the report") }
let plan = Plan(seed: seed, worker: worker)

/// One write of a whole line: it is there even if the process is killed right after.
func say(_ line: String) {
    let text = line + "\n"
    let written = text.withCString { write(report, $0, strlen($0)) }
    if written != text.utf8.count { fail("cannot write the report") }
}

func perform(_ index: UInt64, on account: Account) throws -> Receipt? {
    let request = RequestOptions(id: "w\(worker)-\(index)")
    let symbol = try Symbol(plan.symbol(index))
    let shares = Shares(clamping: plan.shares(index))
    let price = Price(clamping: plan.price(index))
    let amount = Money(clamping: plan.amount(index))
    switch plan.step(index) {
    case .buy: return try account.buy(symbol, shares, at: price, request).receipt
    case .sell: return try account.sell(symbol, shares, at: price, request).receipt
    case .sellAll: return try account.sell(symbol, nil, at: price, request).receipt
    case .deposit: return try account.deposit(amount, request)
    case .withdraw: return try account.withdraw(amount, request)
    case .split:
        let ratio = plan.ratio(index)
        return try account.split(
            symbol, newShares: Shares(clamping: ratio.new * 1_000_000), oldShares: Shares(clamping: ratio.old * 1_000_000),
            cashInLieuPrice: price, request)
    case .dividend: return try account.dividend(symbol, perShare: Price(clamping: plan.perShare(index)), request)
    case .writeOff: return try account.writeOff(symbol, request)
    case .enqueue:
        guard let signal = Signal(rawValue: plan.signal(index)) else { return nil }
        try account.enqueue(
            try Opportunity(symbol: symbol, signal: signal, score: Rate(clamping: plan.score(index)), price: price, reason: nil))
    case .execute:
        _ = try account.executeQueue { _, time in
            try Analysis(
                signal: plan.draw(index, 4) % 4 > 0 ? .strongBuy : .hold, score: Rate(clamping: 60_000_000), price: price,
                size: index % 2 == 0 ? .shares(shares) : .amount(amount), time: time)
        }
    case .dequeueAll: _ = try account.dequeueAll()
    case .clearQueue: try account.clearQueue()
    }
    return nil
}

do {
    var options = Options()
    options.createsIfMissing = false
    options.lockTimeoutMilliseconds = 60_000
    let account = try Account(arguments[1], options: options)
    for index in first..<(first + count) {
        say("sent \(index)")
        do {
            if let receipt = try perform(index, on: account) {
                say("done \(index) \(receipt.seq) \(receipt.cashAfter.micros) \(receipt.isRepeated ? 1 : 0)")
            } else {
                say("ran \(index)")
            }
        } catch let error as PaperTradeError where (100..<300).contains(error.status.rawValue) {
            say("refused \(index) \(error.status.rawValue)")
        }
    }
    account.close()
} catch {
    fail("\(error)")
}
