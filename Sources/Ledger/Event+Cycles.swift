/// What the two cycles record: signals that changed, trades that were declined, and the cycles themselves.

/// What an analyst was last known to think of a security.
public struct KnownSignal: Hashable, Sendable {
    public let symbol: Symbol
    public let signal: Signal
    /// 0 to 100.
    public let score: Rate
    public let price: Price
    public let confidence: Confidence?
    public let sector: Text?
    /// When it became known.
    public let time: Timestamp

    public init(
        symbol: Symbol, signal: Signal, score: Rate, price: Price, confidence: Confidence?, sector: Text?, time: Timestamp
    ) {
        self.symbol = symbol
        self.signal = signal
        self.score = score
        self.price = price
        self.confidence = confidence
        self.sector = sector
        self.time = time
    }
}

/// How a signal changed.
public enum SignalChangeKind: String, CaseIterable, Hashable, Sendable {
    /// Nothing was known of the security.
    case new = "NEW"
    case upgrade = "UPGRADE"
    case majorUpgrade = "MAJOR_UPGRADE"
    case downgrade = "DOWNGRADE"
    case majorDowngrade = "MAJOR_DOWNGRADE"
    /// From BUY or better to WEAK SELL or worse.
    case criticalDowngrade = "CRITICAL_DOWNGRADE"
    /// The same signal, another score.
    case scoreChange = "SCORE_CHANGE"
}

/// How soon somebody should look at a change.
public enum Urgency: String, CaseIterable, Hashable, Sendable {
    case low = "LOW"
    case medium = "MEDIUM"
    case high = "HIGH"
    case critical = "CRITICAL"
}

/// An analyst thinks otherwise of a security than was known.
public struct SignalChange: Hashable, Sendable {
    public let kind: SignalChangeKind
    public let urgency: Urgency
    public let symbol: Symbol
    public let signal: Signal
    public let score: Rate
    public let price: Price
    /// What was known before; both `nil` for a new one.
    public let previousSignal: Signal?
    public let previousScore: Rate?
    public let confidence: Confidence?
    public let sector: Text?
    public let reason: Text?

    public init(
        kind: SignalChangeKind, urgency: Urgency, symbol: Symbol, signal: Signal, score: Rate, price: Price,
        previousSignal: Signal?, previousScore: Rate?, confidence: Confidence?, sector: Text?, reason: Text?
    ) {
        self.kind = kind
        self.urgency = urgency
        self.symbol = symbol
        self.signal = signal
        self.score = score
        self.price = price
        self.previousSignal = previousSignal
        self.previousScore = previousScore
        self.confidence = confidence
        self.sector = sector
        self.reason = reason
    }

    /// What is known from `time` on.
    public func known(since time: Timestamp) -> KnownSignal {
        KnownSignal(
            symbol: symbol, signal: signal, score: score, price: price, confidence: confidence, sector: sector, time: time)
    }
}

/// Why a cycle sold a position.
public enum ExitReason: String, CaseIterable, Hashable, Sendable {
    /// The monitoring cycle saw a critical downgrade.
    case critical
    case stopLoss = "stop_loss"
    case downgrade
    case takeProfit = "take_profit"
    case age
}

/// A trade that a cycle would have made or prepared, and that a rule forbade. What leaves the queue unbought is a ``QueueRemoval``.
public struct Decline: Hashable, Sendable {
    public enum What: String, CaseIterable, Hashable, Sendable {
        /// An opportunity was not queued.
        case queue
        /// A position was not sold.
        case sell
    }

    public let what: What
    public let symbol: Symbol
    public let reason: RejectionReason
    public let price: Price
    public let score: Rate

    public init(what: What, symbol: Symbol, reason: RejectionReason, price: Price, score: Rate) {
        self.what = what
        self.symbol = symbol
        self.reason = reason
        self.price = price
        self.score = score
    }
}

/// The two kinds of cycles.
public enum CycleKind: String, CaseIterable, Hashable, Sendable {
    case monitoring
    case trading
}

/// The record of one run of a cycle: the last event of its commit.
public struct Cycle: Hashable, Sendable {
    public enum Outcome: String, CaseIterable, Hashable, Sendable {
        case done
        /// There was nothing to do: the market was closed, the session's cycle was done, trading is switched off.
        case skipped
        case failed
    }

    public let kind: CycleKind
    public let outcome: Outcome
    /// Why it was skipped or failed.
    public let reason: Text?
    public let counts: Counts
    /// The account's value after it, at the prices the analyst gave, else at cost; `nil` if nobody was asked, or it is out of
    /// range.
    public let value: Money?
    /// The first thing that went wrong, though it may not have kept the cycle from its work.
    public let problem: Text?

    /// How much of what a cycle did.
    public struct Counts: Hashable, Sendable {
        /// Symbols with a usable analysis, and symbols that failed or had none.
        public var analysed = 0
        public var unanalysed = 0
        /// Signal changes recorded.
        public var changes = 0
        public var queued = 0
        public var bought = 0
        public var sold = 0
        /// Queue entries and exits that a rule forbade.
        public var rejected = 0
        /// Exits for profit that wait for the signal.
        public var deferred = 0

        public init() {}

        public var trades: Int { bought + sold }

        /// Whether one commit can hold so many trades. Only such counts are ever added.
        var arePossible: Bool {
            [bought, sold].allSatisfy { (0...Draft.maximumCount).contains($0) }
        }
    }

    public init(kind: CycleKind, outcome: Outcome, reason: Text?, counts: Counts, value: Money?, problem: Text?) {
        self.kind = kind
        self.outcome = outcome
        self.reason = reason
        self.counts = counts
        self.value = value
        self.problem = problem
    }
}

/// What the account remembers of the cycles: when the next is due, and how much they have traded within the hour.
///
/// What lies far ahead of the moment at which it is asked about does not count: see ``Timestamp/isFarAhead(of:)``.
public struct CycleLog: Hashable, Sendable {
    public struct Last: Hashable, Sendable {
        /// The last run, whatever came of it. But for a monitoring run that was skipped: the market was closed, and that must not hide
        /// when it was watched last.
        public var time: Timestamp
        public var outcome: Cycle.Outcome
        /// Failed runs in a row, up to the last.
        public var failures: Int
        /// The run before the last, if both failed.
        public var previousFailure: Timestamp?
        /// The last run that was done.
        public var lastDone: Timestamp?

        public init(
            time: Timestamp, outcome: Cycle.Outcome, failures: Int, previousFailure: Timestamp? = nil, lastDone: Timestamp?
        ) {
            self.time = time
            self.outcome = outcome
            self.failures = failures
            self.previousFailure = previousFailure
            self.lastDone = lastDone
        }
    }

    /// Trades that one cycle made.
    public struct Trades: Hashable, Sendable {
        public let time: Timestamp
        public let count: Int

        /// The most that one cycle can have made: twice what a commit holds, so that sums stay far from the end of Int.
        public static let maximumCount = 2 * Draft.maximumCount

        public init(time: Timestamp, count: Int) {
            self.time = time
            self.count = count
        }

        /// An hour ago is not within the hour; what lies ahead was dated by another clock, and counts unless that was wrong.
        func areRecent(at time: Timestamp) -> Bool {
            time.microseconds(since: self.time) < CycleLog.hour && !self.time.isFarAhead(of: time)
        }
    }

    public var monitoring: Last?
    public var trading: Last?
    /// The cycles that traded within an hour before the last one, oldest first.
    public var recentTrades: [Trades] = []

    public init() {}

    public subscript(kind: CycleKind) -> Last? {
        get { kind == .monitoring ? monitoring : trading }
        set { if kind == .monitoring { monitoring = newValue } else { trading = newValue } }
    }

    /// What counts of a kind's last run at `time`. Of a last run that lies far ahead only the one that was done before it does, as far as
    /// it is known: a run that was itself done has taken its place.
    public func last(_ kind: CycleKind, at time: Timestamp) -> Last? {
        guard var last = self[kind] else { return nil }
        if last.lastDone?.isFarAhead(of: time) ?? false { last.lastDone = nil }
        guard last.time.isFarAhead(of: time) else { return last }
        return last.lastDone.map { Last(time: $0, outcome: .done, failures: 0, lastDone: $0) }
    }

    /// A sentence about the kind's last run if it does not count at `time`. The next run's record takes its place, so that it is said once.
    public func notice(of kind: CycleKind, at time: Timestamp) -> String? {
        guard let last = self[kind], last.time.isFarAhead(of: time) else { return nil }
        return "the \(kind.rawValue) cycle of \(last.time) lies more than an hour ahead and does not count"
    }

    /// How many trades the cycles made within the hour before `time`, that moment included.
    public func trades(inTheHourBefore time: Timestamp) -> Int {
        recentTrades.reduce(0) { sum, trades in trades.areRecent(at: time) ? sum + trades.count : sum }
    }

    mutating func add(_ cycle: Cycle, time: Timestamp, at: Timestamp) {
        guard cycle.kind == .trading || cycle.outcome != .skipped else { return }
        // A cycle can take hours: what is ahead of its moment, but not of the clock now, was dated by no wrong one.
        let last = last(cycle.kind, at: max(time, at))
        let isFailure = cycle.outcome == .failed
        self[cycle.kind] = Last(
            time: time, outcome: cycle.outcome, failures: isFailure ? (last?.failures ?? 0) + 1 : 0,
            previousFailure: isFailure && last?.outcome == .failed ? last?.time : nil,
            lastDone: cycle.outcome == .done ? time : last?.lastDone)
        guard cycle.counts.trades > 0 else { return }
        recentTrades.removeAll { !$0.areRecent(at: time) }
        recentTrades.append(Trades(time: time, count: cycle.counts.trades))
        // Nobody trades so often but with a clock that runs backwards.
        if recentTrades.count > Self.recentTradesLimit { recentTrades.removeFirst() }
    }

    public static let recentTradesLimit = 1000

    /// Records of cycles after which another log knows what this one does of what was done and traded.
    public var remembered: [(cycle: Cycle, time: Timestamp)] {
        func done(_ kind: CycleKind, trades: Int = 0) -> Cycle {
            var counts = Cycle.Counts()
            counts.bought = min(trades, Draft.maximumCount)
            counts.sold = trades - counts.bought
            return Cycle(kind: kind, outcome: .done, reason: nil, counts: counts, value: nil, problem: nil)
        }
        // Whose they were is not known; the last record of each kind says when it was done.
        let kind = trading?.lastDone == nil ? CycleKind.monitoring : .trading
        return recentTrades.map { (done(kind, trades: $0.count), $0.time) }
            + CycleKind.allCases.compactMap { kind in self[kind]?.lastDone.map { (done(kind), $0) } }
    }

    private static let hour: Int64 = 3_600_000_000
}
