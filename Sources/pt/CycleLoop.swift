import PaperTrade
import Synchronization

/// The clock that cycles run by: the system's, or a simulated one that starts elsewhere and runs faster, or stands still.
final class LoopClock: Sendable {
    private let start: Timestamp?
    private let speed: Int64
    private let origin = ContinuousClock.now

    init() {
        start = nil
        speed = 1
    }

    init(from start: Timestamp, speed: Int64) {
        self.start = start
        self.speed = speed
    }

    func now() -> Timestamp {
        guard let start else { return Console.now() }
        let elapsed = ContinuousClock.now - origin
        let microseconds = elapsed.components.seconds * 1_000_000 + elapsed.components.attoseconds / 1_000_000_000_000
        let (scaled, overflow) = microseconds.multipliedReportingOverflow(by: speed)
        return Timestamp(clamping: overflow ? .max : start.microseconds.addingReportingOverflow(scaled).partialValue)
    }

    /// Waits until `time`, or until something may have changed: in steps, so that a computer that was suspended and a clock that was set
    /// are noticed, and a changed config.json with another schedule, too.
    func wait(until time: Timestamp) throws(OutputError) {
        let left = time.microseconds(since: now()) / max(speed, 1)
        guard left > 0 else { return }
        try Console.wait(milliseconds: Int32(clamping: min((left + 999) / 1000, Self.longestStepMilliseconds)))
    }

    private static let longestStepMilliseconds: Int64 = 500
}

/// An account that is opened anew after an error that its handle does not survive.
final class ReopeningAccount: Sendable {
    private enum Handle {
        case unopened
        case open(Account)
        case closed
    }

    private let path: String
    private let options: Options
    private let state = Mutex(Handle.unopened)

    init(_ path: String, _ options: Options) {
        self.path = path
        self.options = options
    }

    func handle() throws(PaperTradeError) -> Account {
        if case .open(let account) = state.withLock({ $0 }) { return account }
        let opened = try Account(path, options: options)
        state.withLock { $0 = .open(opened) }
        return opened
    }

    func close() {
        let before = state.withLock { state in
            defer { state = .closed }
            return state
        }
        if case .open(let account) = before { account.close() }
    }

    /// Ends, from another thread, what waits for the account's lock; a commit that has begun is finished. While it is being opened
    /// nothing has been decided, and the process can end at once.
    func interrupt() {
        switch state.withLock({ $0 }) {
        case .unopened: Console.exit(Console.endingCode)
        case .open(let account): account.close()
        case .closed: break
        }
    }
}

/// One line for each cycle. What is done stays done if it cannot be printed, so that is only a warning, and not repeated.
final class CyclePrinter {
    private let isJSON: Bool
    private let isQuiet: Bool
    private var hasWarned = false
    /// Whether the reader has gone away: there is no use in going on.
    private(set) var isUnread = false

    init(isJSON: Bool, isQuiet: Bool) {
        self.isJSON = isJSON
        self.isQuiet = isQuiet
    }

    func print(_ report: CycleReport) {
        guard !isQuiet else { return }
        let line =
            isJSON
            ? RecordView(report.record).object().text
            : "\(report.record.time.forPeople) UTC  \(CycleView(report.cycle).sentence) (event \(report.seq))"
        print(line, done: "it is done")
    }

    func note(_ text: String) {
        if !isQuiet && !isJSON { print(text, done: "the cycles go on") }
    }

    private func print(_ line: String, done: String) {
        do throws(OutputError) {
            try Console.print(line + "\n")
        } catch {
            isUnread = error.isBrokenPipe
            if isUnread || hasWarned { return }
            hasWarned = true
            Console.warn("\(done), but the output cannot be written: \(error)")
        }
    }
}

extension CycleReport {
    fileprivate var hadNothingToMonitor: Bool {
        cycle.kind == .monitoring && cycle.outcome == .done && cycle.counts.analysed + cycle.counts.unanalysed == 0
    }
}

/// Runs cycles one by one.
final class CycleRunner {
    let account: ReopeningAccount
    let printer: CyclePrinter
    private let analyst: AnalystSource
    /// So that the many cycles of a simulation say it once.
    private var hadNothingToMonitor = false

    init(_ account: ReopeningAccount, _ analyst: AnalystSource, printer: CyclePrinter) {
        self.account = account
        self.analyst = analyst
        self.printer = printer
    }

    @discardableResult
    func run(_ kind: CycleKind, _ options: CycleOptions) throws(PaperTradeError) -> Cycle {
        do throws(PaperTradeError) {
            let report = try account.handle().runCycle(kind, options) { [analyst] in try analyst.analysis(of: $0, at: $1) }
            if report.hadNothingToMonitor && !hadNothingToMonitor {
                Console.warn("there was nothing to monitor: the watchlist in config.json is empty, and nothing is held")
            }
            if kind == .monitoring { hadNothingToMonitor = report.hadNothingToMonitor }
            printer.print(report)
            return report.cycle
        } catch {
            // The handle may be of no more use: after an uncertain outcome, or if the account was replaced.
            account.close()
            throw error
        }
    }

    /// Runs a cycle for each line of standard input, so that whoever writes them keeps the time.
    func runAtTimes(_ kinds: [CycleKind], ignoresSchedule: Bool) throws(PaperTradeError) {
        var input = StandardInput()
        while !printer.isUnread, let line = input.line() {
            guard let time = Timestamp(trimmed(line)) else {
                throw PaperTradeError(
                    .invalidTime, "time \"\(printable(line))\" on standard input is not ISO 8601 from 1970 to 9999")
            }
            for kind in kinds { try run(kind, CycleOptions(time: time, ignoresSchedule: ignoresSchedule)) }
        }
    }
}

/// Keeps time: sleeps until the next cycle is due, runs it, and goes on until it is asked to end.
final class CycleLoop {
    private let runner: CycleRunner
    private let kinds: [CycleKind]
    private let clock: LoopClock
    private var rest: Int?
    /// Failed runs that could not be recorded, so that they are not tried again at once.
    private var attempts: [CycleKind: CycleLog.Last] = [:]
    private var announced: Timestamp?
    /// While the account cannot be opened.
    private var pausedUntil: Timestamp?

    init(_ runner: CycleRunner, _ kinds: [CycleKind], _ clock: LoopClock, limit: Int?) {
        self.runner = runner
        self.kinds = kinds
        self.clock = clock
        rest = limit
    }

    func run() throws {
        while !Console.isAskedToEnd && rest != 0 && !runner.printer.isUnread {
            let now = clock.now()
            if let pausedUntil, now < pausedUntil {
                try clock.wait(until: pausedUntil)
                continue
            }
            guard let account = try open(at: now) else { continue }
            let next: (kind: CycleKind, due: DueCycle)?
            do throws(PaperTradeError) {
                next = try nextDue(account, from: now)
            } catch {
                // Opening it anew tells whether it is of any more use.
                runner.account.close()
                pause(because: error, at: now)
                continue
            }
            guard let next else { return runner.printer.note("there is no session until the end of the year 9999") }
            if next.due.time > now {
                announce(next.kind, at: next.due.time)
                try clock.wait(until: next.due.time)
            } else {
                runCycle(next.kind, at: now)
            }
        }
        if Console.isAskedToEnd { runner.printer.note("asked to end: nothing is in hand") }
    }

    /// The cycle that has been due for longest, so that neither keeps the other waiting for ever; of two at the same moment, monitoring,
    /// so that what it queues is there when trading comes.
    private func nextDue(_ account: Account, from now: Timestamp) throws(PaperTradeError) -> (kind: CycleKind, due: DueCycle)? {
        var first: (kind: CycleKind, due: DueCycle)?
        for kind in kinds {
            guard let due = try account.nextCycleDue(kind, from: now, after: attempts[kind]) else { continue }
            if first.map({ due.since < $0.due.since }) ?? true { first = (kind, due) }
        }
        return first
    }

    /// The account; `nil` if it cannot be opened now, but perhaps in a minute: when it is busy, or the disk is full.
    private func open(at now: Timestamp) throws(PaperTradeError) -> Account? {
        do throws(PaperTradeError) {
            return try runner.account.handle()
        } catch {
            guard ExitCodes(error.status) == .environment || error.status == .busy, error.status != .noAccount else {
                throw error
            }
            pause(because: error, at: now)
            return nil
        }
    }

    private func pause(because error: PaperTradeError, at now: Timestamp) {
        Console.warn("\(error.message); trying again in a minute")
        pausedUntil = Timestamp(clamping: now.microseconds + 60_000_000)
    }

    private func runCycle(_ kind: CycleKind, at time: Timestamp) {
        if let rest { self.rest = rest - 1 }
        announced = nil
        do throws(PaperTradeError) {
            try runner.run(kind, CycleOptions(time: time))
            attempts[kind] = nil
        } catch {
            Console.warn("the \(kind.rawValue) cycle failed: \(error.message)")
            let previous = attempts[kind]
            attempts[kind] = CycleLog.Last(
                time: time, outcome: .failed, failures: (previous?.failures ?? 0) + 1, previousFailure: previous?.time,
                lastDone: nil)
        }
    }

    private func announce(_ kind: CycleKind, at time: Timestamp) {
        guard announced != time else { return }
        announced = time
        runner.printer.note("the next \(kind.rawValue) cycle is due at \(time.forPeople) UTC")
    }
}
