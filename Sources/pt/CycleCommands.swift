import ArgumentParser
import PaperTrade

/// Everything that the commands which run cycles have in common.
struct CycleArguments: ParsableArguments {
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Analyst") var analyst: AnalystArguments
    @OptionGroup(title: "Lock") var lock: LockArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func validate() throws {
        guard analyst.prices != nil, let other = analyst.other else { return }
        throw ValidationError("--prices and \(other) exclude each other: give one")
    }

    static let ruleHelp = "The rules are in config.json: 'pt config init' writes them out, 'pt config' shows what they mean."

    /// Runs cycles whenever they are due.
    func loop(_ kinds: [CycleKind], _ timing: LoopArguments) throws {
        Console.catchTermination()
        let clock = try timing.clock()
        let account = ReopeningAccount(account.path, try options(clock))
        defer { account.close() }
        try CycleLoop(runner(account), kinds, clock, limit: timing.cycles).run()
    }

    /// Runs a cycle, in a loop or for the moments that are asked for.
    func run(_ kind: CycleKind, _ timing: TimingArguments) throws {
        try timing.check()
        if timing.loops { return try loop([kind], timing.loop) }
        Console.catchTermination()
        let clock = try timing.clock()
        let account = ReopeningAccount(account.path, try options(clock))
        defer { account.close() }
        if !timing.readsTimes { Console.whenAskedToEnd { account.interrupt() } }
        do throws(PaperTradeError) {
            let runner = try runner(account, isSimulation: timing.readsTimes, isInterruptible: true)
            if timing.readsTimes { return try runner.runAtTimes([kind], ignoresSchedule: timing.force) }
            let cycle = try runner.run(kind, CycleOptions(time: clock.now(), ignoresSchedule: timing.force))
            guard cycle.outcome == .failed else { return }
            throw PaperTradeError(.io, "the \(kind.rawValue) cycle failed: \(cycle.reason?.description ?? "")")
        } catch {
            if Console.isAskedToEnd && [.stopped, .closed].contains(error.status) { throw Interrupted() }
            throw error
        }
    }

    private func options(_ clock: LoopClock) throws(PaperTradeError) -> Options {
        var options = account.options()
        try lock.apply(to: &options)
        options.clock = { clock.now() }
        return options
    }

    private func runner(
        _ account: ReopeningAccount, isSimulation: Bool = false, isInterruptible: Bool = false
    ) throws(PaperTradeError) -> CycleRunner {
        let source = try analyst.make(
            account.handle().marketCalendar(), isSimulation: isSimulation, isInterruptible: isInterruptible)
        return CycleRunner(account, source, printer: CyclePrinter(isJSON: output.json, isQuiet: quiet.quiet))
    }
}

/// How a loop keeps time.
struct LoopArguments: ParsableArguments {
    @OptionGroup var when: TimeArguments

    @Option(help: ArgumentHelp("Let the clock of a loop start at --time and run so much faster.", valueName: "factor"))
    var speed: Int64?

    @Option(help: ArgumentHelp("End a loop after so many cycles.", valueName: "count"))
    var cycles: Int?

    func validate() throws {
        if let speed, !(1...1_000_000_000).contains(speed) {
            throw ValidationError("--speed \(speed) is not a whole number from 1 to 1000000000")
        }
        if speed != nil && when.time == nil { throw ValidationError("--speed needs --time, where the clock starts") }
        if let cycles, cycles < 1 { throw ValidationError("--cycles \(cycles) is not above 0") }
    }

    /// From a moment on.
    func clock() throws(PaperTradeError) -> LoopClock {
        guard let start = try when.timestamp() else { return LoopClock() }
        return LoopClock(from: start, speed: speed ?? 1)
    }
}

/// For which moments one kind of cycle is run.
struct TimingArguments: ParsableArguments {
    @Flag(name: .customLong("loop"), help: "Keep time: run a cycle whenever one is due, until SIGTERM or Ctrl-C.")
    var loops = false

    @OptionGroup var loop: LoopArguments

    @Flag(
        help: ArgumentHelp(
            "Run also when the market is closed, and although the session's trading cycle is done. Before its time it takes its place."
        ))
    var force = false

    @Flag(
        name: .customLong("times"),
        help: "Run a cycle for each time given on standard input, one a line, and print one line for each: for simulations.")
    var readsTimes = false

    func validate() throws {
        if readsTimes && loop.when.time != nil { throw ValidationError("--times and --time exclude each other") }
    }

    /// The options that say something only with a loop, or only without.
    func check() throws(PaperTradeError) {
        let given = [
            ("--force", force), ("--times", readsTimes), ("--speed", loop.speed != nil), ("--cycles", loop.cycles != nil),
        ]
        let senseless = loops ? given.prefix(2) : given.suffix(2)
        guard let option = senseless.first(where: \.1)?.0 else { return }
        throw PaperTradeError(
            .invalidArgument, loops ? "\(option) is for single cycles: give it without --loop" : "\(option) goes with --loop")
    }

    /// The one moment for which a single cycle is run.
    func clock() throws(PaperTradeError) -> LoopClock {
        guard let moment = try loop.when.timestamp() else { return LoopClock() }
        return LoopClock(from: moment, speed: 0)
    }
}

struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor", abstract: "Run a monitoring cycle: compare signals, sell what fell critically, queue what rose.",
        discussion: """
            Analyses what is held and the watchlist, and records each signal that changed. With system_active false in config.json it only \
            watches and records. When the market is closed the run is skipped, and its record says so. Ctrl-C or SIGTERM ends a single run with \
            nothing changed, and with --loop after the cycle in hand. \(CycleArguments.ruleHelp)

            \(AnalystArguments.protocolHelp)

            JSON: the event of the cycle's record, as in history; with --loop one a line.
            """)

    @OptionGroup(title: "Time") var timing: TimingArguments
    @OptionGroup var arguments: CycleArguments

    func run() throws { try arguments.run(.monitoring, timing) }
}

struct TradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trade", abstract: "Run the session's trading cycle: exits first, then the queue.",
        discussion: """
            Sells by the exit rules, then buys from the queue while cash and limits allow. It runs once a session, from the close (or \
            trading.minutes_before_close before it) until the next opening, so that running it too often, or again after a crash, does no \
            harm. What the analyst fails on stays queued. Ctrl-C or SIGTERM ends a single run with nothing changed. \
            \(CycleArguments.ruleHelp) The analyst is as for 'pt monitor'.

            JSON: the event of the cycle's record, as in history; with --loop one a line.
            """)

    @OptionGroup(title: "Time") var timing: TimingArguments
    @OptionGroup var arguments: CycleArguments

    func run() throws { try arguments.run(.trading, timing) }
}

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Monitor and trade in one process, whenever either is due, until SIGTERM or Ctrl-C.",
        discussion: "The same as 'pt monitor --loop' and 'pt trade --loop' side by side. The analyst is as for 'pt monitor'.")

    @OptionGroup(title: "Time") var timing: LoopArguments
    @OptionGroup var arguments: CycleArguments

    func run() throws { try arguments.loop([.monitoring, .trading], timing) }
}

struct CyclesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cycles", abstract: "Show the records of the monitoring and trading cycles.",
        discussion: "JSON: the events of the records, one a line, as in history.")

    @Option(help: ArgumentHelp("Only the last so many; 0: all of them.", valueName: "count")) var last = 20
    @Option(help: ArgumentHelp("Only one kind.", valueName: "monitoring|trading")) var kind: String?
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments

    func validate() throws {
        guard last >= 0 else { throw ValidationError("--last \(last) is below 0") }
        guard kind.map({ CycleKind(rawValue: $0) != nil }) ?? true else {
            throw ValidationError("--kind \(printable(kind ?? "")) is neither monitoring nor trading")
        }
    }

    func run() throws {
        let handle = try account.openReadOnly()
        defer { handle.close() }
        var records = try handle.cycles().compactMap { record -> (record: Record, cycle: Cycle)? in
            guard case .ranCycle(let cycle) = record.event, kind.map({ $0 == cycle.kind.rawValue }) ?? true else { return nil }
            return (record, cycle)
        }
        if last > 0 { records = records.suffix(last) }
        if output.json { return try Console.print(records.map { RecordView($0.record).object().text + "\n" }.joined()) }
        guard !records.isEmpty else { return try Console.print("no cycles yet\n") }
        let columns = [
            Table.Column("SEQ", .right), Table.Column("TIME (UTC)"), Table.Column("CYCLE"), Table.Column("OUTCOME"),
            Table.Column("DETAILS"),
        ]
        let rows = records.map { record, cycle in
            [
                "\(record.seq)", record.time.forPeople, cycle.kind.rawValue, cycle.outcome.rawValue, CycleView(cycle).summary,
            ]
        }
        try Console.print(Table.text(columns, rows))
    }
}

struct SignalsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signals", abstract: "Show what was last known of each security that was monitored.",
        discussion:
            "JSON: {\"signals\": {\"AAPL\": {\"signal\", \"score\", \"price\", \"confidence\", \"sector\", \"known_since\"}}}")

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments

    func run() throws {
        let account = try account.openReadOnly()
        defer { account.close() }
        let signals = try account.signals()
        guard !output.json else {
            let members = signals.map { known in
                ("\(known.symbol)", JSON.object(SignalView(known).members + [("known_since", .time(known.time))]))
            }
            return try Console.print(JSON.object([("signals", .object(members))]).text + "\n")
        }
        guard !signals.isEmpty else { return try Console.print("no signals yet: a monitoring cycle records them\n") }
        let columns = [
            Table.Column("SYMBOL"), Table.Column("SIGNAL"), Table.Column("SCORE", .right), Table.Column("PRICE", .right),
            Table.Column("CONFIDENCE"), Table.Column("SECTOR"), Table.Column("SINCE (UTC)"),
        ]
        let rows = signals.map { known in
            [
                "\(known.symbol)", "\(known.signal)", known.score.count, known.price.money, known.confidence?.name ?? "",
                known.sector?.description ?? "", known.time.forPeople,
            ]
        }
        try Console.print(Table.text(columns, rows))
    }
}
