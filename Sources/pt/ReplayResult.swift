import PaperTrade

/// What a replay came to, added up from the journal.
struct ReplayResult {
    private let sessions: Int
    private let status: StatusView
    private let valuation: Valuation
    /// The account's value after each trading cycle.
    private var equity: [(date: CalendarDate, value: Money)] = []
    private var counts: [(name: String, count: Int)] = []
    private var rejections: [(name: String, count: Int)] = []

    init(_ account: Account, from seq: UInt64, sessions: Int, quotes: [Symbol: Price]) throws(PaperTradeError) {
        self.sessions = sessions
        status = try StatusView(account, quotes: quotes)
        valuation = try account.value(at: quotes)
        let calendar = try account.marketCalendar()
        var counts: [String: Int] = [:]
        var rejections: [String: Int] = [:]
        var equity: [(date: CalendarDate, value: Money)] = []
        try account.history(from: seq) { event in
            switch event.record.event {
            case .bought: counts["buys", default: 0] += 1
            case .sold(let trade): counts["sells, \(trade.exit?.rawValue ?? "by others")", default: 0] += 1
            case .split: counts["splits", default: 0] += 1
            case .receivedDividend: counts["dividends", default: 0] += 1
            case .queued: counts["queued", default: 0] += 1
            case .signalChanged: counts["signal changes", default: 0] += 1
            case .removedFromQueue(let removal): rejections[removal.reason.rawValue, default: 0] += 1
            case .declined(let decline): rejections[decline.reason.rawValue, default: 0] += 1
            case .ranCycle(let cycle):
                counts["\(cycle.kind.rawValue) cycles, \(cycle.outcome.rawValue)", default: 0] += 1
                if cycle.kind == .trading, let value = cycle.value {
                    equity.append((calendar.date(at: event.record.time), value))
                }
            default: break
            }
            return true
        }
        self.counts = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.rejections = rejections.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.equity = equity
    }

    // MARK: For people

    var text: String {
        var text = status.text + "\n"
        text += Table.text(
            [Table.Column(""), Table.Column("", .right)], counts.map { [$0.name, "\($0.count)"] }, hasHeader: false)
        text += "\n"
        if rejections.isEmpty {
            text += "Nothing was rejected\n"
        } else {
            text += "Rejected: " + rejections.map { "\($0.name) \($0.count)" }.joined(separator: ", ") + "\n"
        }
        return text + "\n" + curve
    }

    /// The equity curve as a chart of text, its highest value at the top.
    private var curve: String {
        guard let first = equity.first, let last = equity.last, let lowest = equity.map(\.value).min(),
            let highest = equity.map(\.value).max()
        else { return "no equity was recorded\n" }
        let height = 8
        let points = sampled(width: min(equity.count, 72))
        let span = max(highest.micros - lowest.micros, 1)
        let levels = points.map { Int(Int128($0.micros - lowest.micros) * Int128(height - 1) / Int128(span)) }
        var text =
            "Equity, \(first.date) to \(last.date), \(counted(sessions, "session")): lowest \(lowest.money), highest \(highest.money)\n\n"
        for level in (0..<height).reversed() {
            var line = levels.map { $0 >= level ? "#" : " " }.joined()
            while line.hasSuffix(" ") { line.removeLast() }
            text += "  |\(line)\n"
        }
        return text + "  +" + String(repeating: "-", count: points.count) + "\n"
    }

    private func sampled(width: Int) -> [Money] {
        (0..<width).map { equity[$0 * (equity.count - 1) / max(width - 1, 1)].value }
    }

    // MARK: For programs

    var object: JSON {
        .object([
            ("days", .integer(sessions)),
            ("equity", .array(equity.map { .object([("date", .text($0.date)), ("value", .amount($0.value))]) })),
            ("counts", .object(counts.map { ($0.name, .integer($0.count)) })),
            ("rejections", .object(rejections.map { ($0.name, .integer($0.count)) })),
            ("status", status.object),
        ])
    }

    var equityCSV: String {
        "date,value\n" + equity.map { CSV.line([.text($0.date.description), .number($0.value.description)]) }.joined()
    }
}
