import PaperTrade
import Storage
import Testing

/// An account on a real directory with a clock of the test's own, on the Monday before Thanksgiving 2026: New York opens at 14:30 and
/// closes at 21:00 UTC.
final class Desk {
    let directory = TemporaryDirectory()
    let log = Locked<[String]>([])
    private let clock = Locked(at("2026-11-23T15:00"))

    var path: String { directory.path(of: "account") }

    var now: Timestamp {
        get { clock.withLock { $0 } }
        set { clock.withLock { $0 = newValue } }
    }

    init(config: String = #"{"watchlist": ["A", "B"]}"#) throws {
        // The directory is made with its first account, and that takes its rules from the file.
        try Account(path, options: options()).close()
        write(config: config)
    }

    func write(config: String) { directory.write(config, to: "account/config.json") }

    func options() -> Options {
        var options = Options()
        options.accountID = "desk"
        options.clock = { [clock] in clock.withLock { $0 } }
        options.log = { [log] _, message in log.withLock { $0.append(message) } }
        return options
    }

    func open() throws -> Account { try Account(path, options: options()) }

    func openReadOnly() throws -> Account {
        var options = options()
        options.isReadOnly = true
        return try Account(path, options: options)
    }

    /// Runs a cycle at the desk's time; the events that it committed, in short, the cycle's own last.
    @discardableResult
    func run(_ kind: CycleKind, on account: Account, _ opinions: [String: String] = [:]) throws -> [String] {
        let report = try account.runCycle(kind, analyst: analyst(opinions))
        return try events(of: account, from: report.firstSeq)
    }

    func events(of account: Account, from seq: UInt64) throws -> [String] {
        var events: [String] = []
        try account.history(from: seq) { event in
            events.append(short(event.record.event))
            return true
        }
        return events
    }

    /// An analyst who says `BUY 80 100` of a symbol, or nothing of one that is not there.
    func analyst(_ opinions: [String: String]) -> Analyst {
        { symbol, time in
            guard let words = opinions[symbol.description]?.split(separator: " "), words.count >= 3 else { return nil }
            return try Analysis(
                signal: #require(Signal(words.dropLast(2).joined(separator: " "))),
                score: Rate(checking: String(words[words.count - 2])),
                price: Price(checking: String(words[words.count - 1])), size: nil, time: time)
        }
    }

    /// Proves the account from its journal.
    func verify(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let report = try Account.verify(path)
        #expect(report.problems.isEmpty && report.isPortfolioCurrent, sourceLocation: sourceLocation)
    }
}

/// A moment that a test has written down.
func at(_ text: String) -> Timestamp {
    guard let time = Timestamp(text) else { preconditionFailure("\(text) is no time") }
    return time
}

extension Timestamp {
    func adding(microseconds count: Int64) -> Timestamp { Timestamp(clamping: microseconds + count) }
}

private func short(_ event: Event) -> String {
    switch event {
    case .signalChanged(let change): "\(change.symbol) \(change.kind.rawValue)"
    case .queued(let opportunity): "\(opportunity.symbol) queued"
    case .bought(let trade): "\(trade.symbol) bought"
    case .sold(let trade): "\(trade.symbol) sold \(trade.exit?.rawValue ?? "by hand")"
    case .removedFromQueue(let removal): "\(removal.symbol) \(removal.reason.rawValue)"
    case .declined(let decline): "\(decline.symbol) declined \(decline.reason.rawValue)"
    case .acceptedRules: "rules"
    case .ranCycle(let cycle): "\(cycle.kind.rawValue) \(cycle.outcome.rawValue)"
    default: "\(event)"
    }
}
