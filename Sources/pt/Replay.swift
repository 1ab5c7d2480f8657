import PaperTrade

/// History, lived through by two processes whose time this one keeps.
struct Replay {
    private let account: Account
    private let history: PriceHistory
    private let calendar: MarketCalendar
    private let schedule: CycleSchedule
    private let quotesAfterwards: [Symbol: Price]
    private let sessions: [MarketSession]
    /// What is still to be applied, in order.
    private var pending: ArraySlice<(action: PriceHistory.Action, opensAt: Timestamp)>
    private var workers: [CycleKind: Worker]
    private let firstSeq: UInt64

    init(
        _ account: Account, _ history: PriceHistory, _ days: ClosedRange<CalendarDate>, workers: [CycleKind: [String]],
        quotesAfterwards: [Symbol: Price]
    ) throws(PaperTradeError) {
        self.account = account
        self.history = history
        self.quotesAfterwards = quotesAfterwards
        calendar = try account.marketCalendar()
        schedule = try account.cycleSchedule()
        firstSeq = try account.summary().seq + 1
        pending = Self.pending(history, from: days.lowerBound, calendar)
        sessions = try Self.sessions(of: days, calendar)
        let last = try Self.lastMoment(of: account)
        guard last <= sessions[0].opensAt else {
            throw PaperTradeError(
                .invalidArgument,
                "the account has come to \(last.forPeople) UTC: replay from a later day, or use another account")
        }
        self.workers = [:]
        for (kind, arguments) in workers { self.workers[kind] = try Worker(arguments) }
        if try Config.rules(in: account.path).watchlist.isEmpty {
            Console.warn("the watchlist in config.json is empty: nothing is monitored but what is held")
        }
    }

    mutating func run(showsProgress: Bool) throws -> ReplayResult {
        defer {
            if showsProgress { Console.showProgress("") }
            for worker in workers.values { worker.finish() }
        }
        for (index, session) in sessions.enumerated() {
            if showsProgress && (index % 5 == 0 || index == sessions.count - 1) {
                Console.showProgress(Self.bar(done: index + 1, of: sessions.count, session.date))
            }
            for (time, kind) in schedule.moments(in: session) {
                try applyActions(upTo: time)
                try workers[kind]?.run(at: time)
            }
        }
        return try ReplayResult(account, from: firstSeq, sessions: sessions.count, quotes: quotesAfterwards)
    }

    /// The trading days that are lived through.
    ///
    /// - Throws: `invalidTime` if there is none.
    static func sessions(
        of days: ClosedRange<CalendarDate>, _ calendar: MarketCalendar
    ) throws(PaperTradeError) -> [MarketSession] {
        let sessions = Array(calendar.sessions(from: days.lowerBound, through: days.upperBound))
        guard !sessions.isEmpty else {
            throw PaperTradeError(
                .invalidTime, "there is no trading day from \(days.lowerBound) to \(days.upperBound): give more days")
        }
        return sessions
    }

    /// The last event's moment, or a cycle's that lies behind it.
    private static func lastMoment(of account: Account) throws(PaperTradeError) -> Timestamp {
        let log = try account.snapshot().cycles
        var moments = [log.monitoring?.time, log.trading?.time].compactMap { $0 }
        try account.history(from: account.summary().seq) { event in
            moments.append(event.record.time)
            return true
        }
        return moments.max() ?? Timestamp(clamping: 0)
    }

    /// The splits and dividends of the replay's days, each with the opening from which it is effective: an ex-date can fall on a day without
    /// trading.
    private static func pending(
        _ history: PriceHistory, from first: CalendarDate, _ calendar: MarketCalendar
    ) -> ArraySlice<(action: PriceHistory.Action, opensAt: Timestamp)> {
        history.actions.filter { $0.date >= first }.compactMap { action in
            calendar.sessions(from: action.date, through: .last).first { _ in true }.map { (action, $0.opensAt) }
        }[...]
    }

    /// What is effective at a moment comes before the cycle of that moment, whose prices are already those after it.
    private mutating func applyActions(upTo time: Timestamp) throws(PaperTradeError) {
        while let (action, opensAt) = pending.first, opensAt <= time {
            pending.removeFirst()
            let state = try account.snapshot()
            guard state.position(action.symbol) != nil else { continue }
            let request = RequestOptions(id: Self.requestID(of: action, in: state.generation), time: opensAt)
            switch action.kind {
            case .split(let ratio):
                let price = history.known(action.symbol, at: opensAt, on: calendar, closes: 0)?.price
                try account.split(
                    action.symbol, newShares: ratio, oldShares: Shares(clamping: microsPerUnit), cashInLieuPrice: price, request)
            case .dividend(let cash): try account.dividend(action.symbol, perShare: cash, request)
            }
        }
    }

    /// Of 63 bytes at most, where 64 are allowed. With the generation, because what was applied before a reset is not applied after it.
    private static func requestID(of action: PriceHistory.Action, in generation: UInt32) -> String {
        "replay-\(generation)-\(action.date)-\(action.symbol)-\(action.name.prefix(1))"
    }

    private static func bar(done: Int, of count: Int, _ date: CalendarDate) -> String {
        let width = 40
        let filled = done * width / max(count, 1)
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled) + "] \(date)"
    }
}

/// A process that runs cycles at the times it is told. One that dies is started again, and told the time once more: a cycle that it
/// had committed is not done twice, by the account's own records.
private final class Worker {
    private let arguments: [String]
    private var child: ChildProcess

    init(_ arguments: [String]) throws(PaperTradeError) {
        self.arguments = arguments
        child = try ChildProcess(ChildProcess.ownPath(), arguments)
    }

    private static let attempts = 3
    /// Far beyond any analyst's time: only a process that is stuck comes to it.
    private static let timeoutMilliseconds: Int64 = 4 * 3600 * 1000

    func run(at time: Timestamp) throws {
        for _ in 0..<Self.attempts {
            if child.send(time.description) {
                switch child.receive(withinMilliseconds: Self.timeoutMilliseconds, limit: 1 << 20, isInterruptible: true) {
                case .line: return
                case .interrupted: throw Interrupted()
                case .ended, .timeout, .tooLong: break
                }
            }
            child.end()
            child = try ChildProcess(ChildProcess.ownPath(), arguments)
        }
        throw PaperTradeError(
            .io, "'pt \(arguments.first ?? "")' has ended three times at \(time.forPeople) UTC: see what it said above")
    }

    func finish() { child.finish(withinMilliseconds: 5000) }
}
