import ArgumentParser
import PaperTrade

/// Who judges the securities.
struct AnalystArguments: ParsableArguments {
    @Option(
        name: .customLong("prices"),
        help: ArgumentHelp(
            "Judge by momentum from daily prices: a CSV file with the columns date, symbol, open and close, ordered by date; see below.",
            valueName: "file"),
        completion: .file(extensions: ["csv"]))
    var prices: String?

    @Option(
        help: ArgumentHelp(
            "Splits and dividends of those prices: columns ex_date, symbol, action and value.", valueName: "file"),
        completion: .file(extensions: ["csv"]))
    var actions: String?

    @Option(
        help: ArgumentHelp(
            "A shared library that exports pt_analyst, see papertrade.h; it runs in a process of its own.", valueName: "library"),
        completion: .file())
    var analyst: String?

    @Option(
        help: ArgumentHelp(
            "A command, run by the shell, that answers questions on its standard input; see 'pt help monitor'.",
            valueName: "command"),
        completion: .shellCommand("true"))
    var analystCommand: String?

    @Option(help: ArgumentHelp("How long the library or command may think about one symbol.", valueName: "seconds"))
    var analystTimeout = 10

    func validate() throws {
        let chosen = [analyst, analystCommand].compactMap { $0 }.count
        guard chosen <= 1 else { throw ValidationError("--analyst and --analyst-command exclude each other: give one") }
        guard chosen == 1 || prices != nil else {
            throw ValidationError("nobody to judge the securities: give --prices, --analyst or --analyst-command")
        }
        guard actions == nil || prices != nil else { throw ValidationError("--actions goes with --prices") }
        guard (1...3600).contains(analystTimeout) else {
            throw ValidationError("--analyst-timeout \(analystTimeout) is not a number of seconds from 1 to 3600")
        }
    }

    static let protocolHelp = """
        An analyst command gets one question a line on its standard input, {"symbol": "AAPL", "time": "2014-06-09T20:00:00.000000Z"}, and \
        answers each with one line on its standard output: null for no opinion, {"error": "no quote"} for a failure, or \
        {"symbol": "AAPL", "signal": "BUY", "score": 74.5, "price": 93.7}, with "confidence" (LOW, MEDIUM, HIGH), "reason" and "sector" as it \
        likes. Signals are SELL, WEAK SELL, HOLD, WEAK BUY, BUY and STRONG BUY, scores 0 to 100. The symbol can be left out; where it is \
        given, an answer is never taken for that about another one. Everything else belongs on standard error, which is passed on: a command \
        that prints what it was not asked for, or what is no answer, is killed and started again. So is one that dies, after a pause that \
        grows, and one that does not answer in time. A failure costs its symbol's turn, no more: what is queued stays queued until it is \
        too old. A cycle whose analyst fails on every symbol has failed: nothing is traded, and the exit code is 3. At the end of its input the \
        command has a second to end by itself.

        A file of --prices must have a row of the current session, or of the last one while the market is closed, whose opening price counts \
        until the close, and 20 earlier rows of the symbol, for an opinion. A symbol without that row is a failure. With --loop a file that has \
        changed is read again.
        """

    /// - Parameters:
    ///   - calendar: of the prices.
    ///   - isSimulation: whether somebody lives through history: then a symbol without a price on a day is nothing to complain of.
    ///   - isInterruptible: whether a wait for an answer ends when the process is asked to.
    func make(_ calendar: MarketCalendar, isSimulation: Bool, isInterruptible: Bool) throws(PaperTradeError) -> AnalystSource {
        if let host = try loadedLibrary(isInterruptible: isInterruptible) { return host }
        if let analystCommand {
            return ProcessAnalyst(
                "/bin/sh", ["-c", analystCommand], greets: false, timeoutMilliseconds: timeoutMilliseconds,
                isInterruptible: isInterruptible)
        }
        return try PriceAnalyst(self, on: calendar, forgivesGaps: isSimulation)
    }

    private var timeoutMilliseconds: Int64 { Int64(analystTimeout) * 1000 }

    /// The process in which the library judges, if one is given.
    ///
    /// - Throws: `invalidArgument` if it cannot be used; `stopped`
    @discardableResult
    func loadedLibrary(isInterruptible: Bool) throws(PaperTradeError) -> AnalystSource? {
        guard let analyst else { return nil }
        // The dynamic linker looks for a name without a slash elsewhere than the user means.
        let path = analyst.contains("/") ? analyst : "./" + analyst
        let host = ProcessAnalyst(
            ChildProcess.ownPath(), [AnalystHostCommand.name, path], greets: true, timeoutMilliseconds: timeoutMilliseconds,
            isInterruptible: isInterruptible)
        try host.start()
        return host
    }

    /// The prices with their splits and dividends.
    func history() throws(PaperTradeError) -> PriceHistory {
        let history = try PriceHistoryFile(path: prices ?? "").history()
        guard let actions else { return history }
        return history.with(actions: try PriceHistoryFile.actions(in: actions))
    }

    /// As the files are now.
    func stamps() -> [FileStamp?] { [prices, actions].map { path in path.flatMap { FileStamp($0) } } }

    /// The option that names somebody else than the built-in analyst.
    var other: String? { analyst != nil ? "--analyst" : analystCommand != nil ? "--analyst-command" : nil }

    /// The options as a pt that runs cycles takes them: prices only for the built-in analyst.
    var words: [String] {
        var words = ["--analyst-timeout", "\(analystTimeout)"]
        let files = other == nil ? [("--prices", prices), ("--actions", actions)] : []
        for (name, value) in files + [("--analyst", analyst), ("--analyst-command", analystCommand)] {
            if let value { words += ["\(name)=\(value)"] }
        }
        return words
    }
}

/// Something that judges securities, and may hold resources.
protocol AnalystSource: AnyObject {
    func analysis(of symbol: Symbol, at time: Timestamp) throws -> Analysis?
}

/// Why there is no answer, in words.
struct AnalystProblem: Error, CustomStringConvertible {
    let description: String
}

/// The built-in analyst. Its files are looked at once for each moment, and read again if they have changed.
final class PriceAnalyst: AnalystSource {
    private let files: AnalystArguments
    private let calendar: MarketCalendar
    private let forgivesGaps: Bool
    private var history: PriceHistory
    private var stamps: [FileStamp?]
    private var asked: Timestamp?
    /// Why the files cannot be read at that moment.
    private var problem: PaperTradeError?

    init(_ files: AnalystArguments, on calendar: MarketCalendar, forgivesGaps: Bool) throws(PaperTradeError) {
        self.files = files
        self.calendar = calendar
        self.forgivesGaps = forgivesGaps
        stamps = files.stamps()
        history = try files.history()
    }

    func analysis(of symbol: Symbol, at time: Timestamp) throws -> Analysis? {
        if time != asked {
            asked = time
            readAgain()
        }
        if let problem { throw problem }
        if !forgivesGaps, let gap = history.gap(of: symbol, at: time, on: calendar) { throw problem(of: symbol, gap) }
        return try MomentumAnalyst(history, on: calendar).analysis(of: symbol, at: time)
    }

    private func readAgain() {
        problem = nil
        // Before reading: what is written meanwhile is noticed the next time.
        let stamps = files.stamps()
        guard stamps != self.stamps else { return }
        do throws(PaperTradeError) {
            history = try files.history()
            self.stamps = stamps
        } catch {
            problem = error
        }
    }

    private func problem(of symbol: Symbol, _ gap: (missing: CalendarDate, last: CalendarDate?)) -> AnalystProblem {
        let file = printable(files.prices ?? "")
        guard let last = gap.last else {
            return AnalystProblem(description: "\(file) has no price of \(symbol) up to \(gap.missing)")
        }
        return AnalystProblem(
            description: "the last price of \(symbol) in \(file) is of \(last), and that of \(gap.missing) is needed")
    }
}

/// An analyst that is a program of its own. One that dies or is killed is started again for the next question.
///
/// Lines are all that connects an answer with its question: a program that said something else, before or instead of an answer, is out of
/// step, and from then on would be heard about one symbol when it speaks of another. So it is killed.
final class ProcessAnalyst: AnalystSource {
    private let program: String
    private let arguments: [String]
    /// Whether it says `null` before the first question, or an error.
    private let greets: Bool
    private let timeoutMilliseconds: Int64
    private let isInterruptible: Bool
    private var child: ChildProcess?
    private var hasWarned = false
    /// How often it has failed in a row, and until when it is not started again.
    private var failures = 0
    private var notBefore: ContinuousClock.Instant?

    init(_ program: String, _ arguments: [String], greets: Bool, timeoutMilliseconds: Int64, isInterruptible: Bool) {
        self.program = program
        self.arguments = arguments
        self.greets = greets
        self.timeoutMilliseconds = timeoutMilliseconds
        self.isInterruptible = isInterruptible
    }

    /// One that did not fail has time to end by itself, and to write down what it still has to.
    deinit { child?.finish(withinMilliseconds: 1000) }

    /// None after the first failure, a tenth of a second after the second, doubled by each one up to a minute.
    private static func pause(afterFailures count: Int) -> Duration {
        count < 2 ? .zero : .milliseconds(min(100 << min(count - 2, 10), 60_000))
    }

    /// Pauses up to here are waited for, so that a symbol that the analyst fails on costs no other symbol's turn.
    private static let longestWait = Duration.seconds(1)

    /// Starts it before it is asked, to find out whether it can be used.
    func start() throws(PaperTradeError) {
        do {
            _ = try runningChild()
        } catch {
            throw error as? PaperTradeError ?? PaperTradeError(.invalidArgument, "\(error)")
        }
    }

    func analysis(of symbol: Symbol, at time: Timestamp) throws -> Analysis? {
        let child = try silentChild()
        guard child.send(AnalysisCoding.question(symbol, at: time)) else { throw failed("it ended instead of answering") }
        switch receive(from: child) {
        case .line(let line):
            failures = 0
            return try answer(in: line, about: symbol, at: time)
        case .interrupted: throw interrupted()
        case .ended: throw failed("it ended instead of answering")
        case .timeout: throw failed("it did not answer within \(timeoutMilliseconds / 1000) s and was killed")
        case .tooLong: throw failed("it answered with more than \(AnalysisCoding.maximumByteCount) bytes and was killed")
        }
    }

    private func receive(from child: ChildProcess) -> ChildProcess.Answer {
        child.receive(
            withinMilliseconds: timeoutMilliseconds, limit: AnalysisCoding.maximumByteCount, isInterruptible: isInterruptible)
    }

    private func answer(in line: [UInt8], about symbol: Symbol, at time: Timestamp) throws(AnalysisCoding.Problem) -> Analysis? {
        do throws(AnalysisCoding.Problem) {
            return try AnalysisCoding.answer(in: line, about: symbol, at: time)
        } catch {
            if !error.isSaid { kill() }
            throw error
        }
    }

    /// One that has said nothing that it was not asked for.
    private func silentChild() throws -> ChildProcess {
        let child = try runningChild()
        guard let line = child.unheard() else { return child }
        if !hasWarned {
            hasWarned = true
            Console.warn(
                "the analyst said \"\(printable(String(line.prefix(60))))\" without being asked, and is started anew where it does: "
                    + "let it print one line for each question, and the rest to standard error")
        }
        kill()
        return try runningChild()
    }

    private func runningChild() throws -> ChildProcess {
        if let child { return child }
        try waitForRestart()
        let new: ChildProcess
        do throws(PaperTradeError) {
            new = try ChildProcess(program, arguments)
        } catch {
            throw failed(error.message)
        }
        child = new
        if greets { try greet(new) }
        return new
    }

    private func waitForRestart() throws {
        guard let left = notBefore.map({ $0 - ContinuousClock.now }), left > .zero else { return }
        guard left <= Self.longestWait else {
            throw AnalystProblem(
                description: "it has failed \(counted(failures, "time")) in a row, and is started again in a while")
        }
        try Console.wait(milliseconds: Int32(left / .milliseconds(1)) + 1)
    }

    private func greet(_ child: ChildProcess) throws {
        switch receive(from: child) {
        case .line(let line):
            do {
                try AnalysisCoding.greeting(in: line)
            } catch {
                throw failed("\(error)")
            }
        case .interrupted: throw interrupted()
        case .ended, .timeout, .tooLong: throw failed("it does not start")
        }
    }

    private func failed(_ what: String) -> AnalystProblem {
        kill()
        failures += 1
        notBefore = ContinuousClock.now + Self.pause(afterFailures: failures)
        return AnalystProblem(description: what)
    }

    /// Ends the cycle with nothing changed.
    private func interrupted() -> PaperTradeError {
        kill()
        return PaperTradeError(.stopped, "interrupted")
    }

    private func kill() {
        child?.end()
        child = nil
    }
}
