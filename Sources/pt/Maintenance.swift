import ArgumentParser
import PaperTrade

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a new account.",
        discussion: """
            The directory is made if it is missing; a config.json in it says the rules (see 'pt config'). This command and import are \
            the only ones that make an account. JSON: account, path, seq, cash.
            """)

    @Argument(help: "The account's directory; the same as --account.", completion: .directory) var directory: String?
    @Option(
        help: ArgumentHelp(
            "The cash to start with. Default: initial_cash of config.json, 10000 without one.", valueName: "amount"))
    var cash: String?
    @Option(help: "The account's id: 1 to 64 of A-Z a-z 0-9 - _. Default: random.") var id: String?
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup var when: TimeArguments
    @OptionGroup(title: "Lock") var lock: LockArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func validate() throws {
        if directory != nil && account.account != nil {
            throw ValidationError("give the directory once: as an argument or with --account")
        }
    }

    func run() throws {
        let path = directory ?? account.path
        var options = account.options(clock: try when.timestamp())
        try lock.apply(to: &options)
        if let cash { options.initialCash = try Money(checking: cash) }
        // An id of this process's own tells, afterwards, whether it was this process that made the account.
        let id = id ?? Self.randomID()
        options.accountID = id
        try Self.refuseExisting(path, options)
        options.createsIfMissing = true
        let account = try Account(path, options: options)
        defer { account.close() }
        let summary: Summary
        do {
            summary = try account.summary()
        } catch {
            // Who made the account that was opened here cannot be seen.
            throw PaperTradeError(
                .uncertain,
                "\(printable(account.path)) holds an account now, but it cannot be read (\(error)): look at it with 'pt status'")
        }
        guard summary.accountID == id else { throw Self.exists(account.path) }
        Report.done(
            isQuiet: quiet.quiet, isJSON: output.json,
            .object([
                ("account", .string(id)), ("path", .string(account.path)), ("seq", .integer(summary.seq)),
                ("cash", .amount(summary.cash)),
            ]),
            "made account \(id) in \(printable(account.path)) with \(summary.cash.money) cash")
    }

    private static func refuseExisting(_ path: String, _ options: Options) throws(PaperTradeError) {
        var options = options
        options.isReadOnly = true
        options.createsIfMissing = false
        do throws(PaperTradeError) {
            throw exists(try Account(path, options: options).path)
        } catch {
            guard error.status == .noAccount else { throw error }
        }
    }

    private static func exists(_ path: String) -> PaperTradeError {
        PaperTradeError(
            .exists, "\(printable(path)) holds an account already: choose another directory, or start it over with 'pt reset'")
    }

    private static func randomID() -> String {
        (0..<16).map { _ in
            let digits = String(UInt8.random(in: 0...255), radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Prove the account from its journals; takes no lock and changes nothing.",
        discussion: """
            Reads every line of every journal, checks each checksum and link, computes every event again, and checks after each that \
            cash + cost of positions = net deposits + realized P&L. JSON: ok, events, first_seq, last_seq, durable_seq, \
            generations, portfolio_current (false also if a problem kept it from being compared), unfinished_tail, cash, total_cost, \
            net_deposits, realized_pnl and problems, each with code, name and message.
            """)

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func run() throws {
        let report = try Account.verify(account.path)
        let view = VerifyView(report: report)
        var unprinted: OutputError?
        do throws(OutputError) {
            if !quiet.quiet { try Console.print(output.json ? view.object.text + "\n" : view.text) }
        } catch {
            unprinted = error
        }
        guard let first = view.problems.first else {
            if let unprinted { throw unprinted }
            return
        }
        // The damage, also if nobody reads the rest: a script asks for nothing but the exit code.
        let more = view.problems.count > 1 ? " (and \(counted(view.problems.count - 1, "more problem")))" : ""
        throw PaperTradeError(
            first.status, "\(first.message)\(more) (here: 'pt recover')", errno: first.errno, seq: first.seq, offset: first.offset
        )
    }
}

private struct VerifyView {
    let report: VerifyReport

    var problems: [PaperTradeError] { report.problems.map { PaperTradeError($0) } }

    private var portfolio: String {
        if report.isPortfolioCurrent { return "current" }
        // Then nothing publishes it again, and a recovery may take the account from it.
        guard problems.isEmpty else { return "not proved, because of what is wrong: leave it as it is, 'pt recover' may need it" }
        return "behind, missing or edited: the next change publishes it again"
    }

    var text: String {
        var rows = [
            ["Events", "\(grouping("\(report.events)")), from \(report.firstSeq) to \(report.lastSeq)"],
            ["On the disk up to", "\(report.durableSeq)"], ["Generations", "\(report.generations)"],
            ["portfolio.json", portfolio],
        ]
        if report.hasUnfinishedTail { rows.append(["Journal's end", "an unacknowledged write, which the next change removes"]) }
        rows += [
            ["Cash", report.state.cash.money], ["Cost of positions", report.state.totalCost?.money ?? "-"],
            ["Net deposits", report.state.netDeposits.money], ["Realized P&L", report.state.realizedPnL.money],
        ]
        let table = Table.text([Table.Column(""), Table.Column("")], rows, hasHeader: false)
        guard !problems.isEmpty else {
            return table + "verified: every line, every figure and the balance after every event are right\n"
        }
        // One problem is the error that the command ends with.
        return problems.count == 1 ? table : table + problems.map { "problem: \($0.message)\n" }.joined()
    }

    var object: JSON {
        .object([
            ("ok", .bool(problems.isEmpty)), ("events", .integer(report.events)),
            ("first_seq", .integer(report.firstSeq)), ("last_seq", .integer(report.lastSeq)),
            ("durable_seq", .integer(report.durableSeq)), ("generations", .integer(report.generations)),
            ("portfolio_current", .bool(report.isPortfolioCurrent)), ("unfinished_tail", .bool(report.hasUnfinishedTail)),
            ("cash", .amount(report.state.cash)), ("total_cost", .amount(report.state.totalCost)),
            ("net_deposits", .amount(report.state.netDeposits)), ("realized_pnl", .amount(report.state.realizedPnL)),
            (
                "problems",
                .array(
                    problems.map { problem in
                        .object([
                            ("code", .integer(problem.status.rawValue)), ("name", .string(problem.status.description)),
                            ("message", .string(problem.message)),
                        ])
                    })
            ),
        ])
    }
}

struct RecoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover", abstract: "Rescue a damaged account; every old file is kept under another name.",
        discussion: """
            Takes the longest good part of the journal, or portfolio.json where that is newer and whole, and starts a new generation \
            from it. Events after the damage are lost to the account, and history no longer shows those before it: they are only in the \
            file that is kept. Changes nothing if nothing is wrong. JSON: recovered, kept_seq, lost_events, seq, generation, \
            from_portfolio, kept_as.
            """)

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Lock") var lock: LockArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func run() throws {
        var options = account.options()
        try lock.apply(to: &options)
        let report = try Account.recover(account.path, options: options)
        Report.done(isQuiet: quiet.quiet, isJSON: output.json, Self.object(report), sentence(report))
    }

    private static func object(_ report: RecoverReport) -> JSON {
        .object([
            ("recovered", .bool(report.seq > 0)), ("kept_seq", .integer(report.keptSeq)),
            ("lost_events", .integer(report.lostEvents)),
            ("seq", .integer(report.seq)), ("generation", .integer(report.generation)),
            ("from_portfolio", .bool(report.isFromPortfolio)),
            ("kept_as", report.keptAs.isEmpty ? .null : .string(report.keptAs)),
        ])
    }

    private func sentence(_ report: RecoverReport) -> String {
        let kept = printable(report.keptAs)
        guard report.seq > 0 else {
            guard !kept.isEmpty else { return "nothing to recover: the account opens, and nothing was changed" }
            return "the account is whole; a damaged journal of an earlier generation is kept as \(kept), "
                + "and its events are only there"
        }
        let source = report.isFromPortfolio ? "portfolio.json" : "the journal"
        let history = isFirst(report.seq) ? "begins at" : "goes on with"
        return "recovered the account as of event \(report.keptSeq) from \(source), as generation \(report.generation): "
            + "\(counted(report.lostEvents, "later event")) could not be used; history \(history) event \(report.seq), "
            + (kept.isEmpty
                ? "and the journal's earlier events are lost" : "and the journal's earlier events are only in \(kept)")
    }

    /// Whether history has nothing before an event: no journal that a reset had sealed.
    private func isFirst(_ seq: UInt64) -> Bool {
        var options = Options()
        options.isReadOnly = true
        options.allowsNetwork = account.allowNetwork
        guard let opened = try? Account(account.path, options: options) else { return false }
        defer { opened.close() }
        var first = seq
        try? opened.history(from: 1) { event in
            first = event.record.seq
            return false
        }
        return first == seq
    }
}

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write a consistent copy of the account to a new directory.",
        discussion: "Holds the account's lock meanwhile; the copy is on the disk when the command ends. JSON: path, destination.")

    @Argument(help: "A directory that does not exist yet.", completion: .directory) var destination: String
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Lock") var lock: LockArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func run() throws {
        var options = account.options()
        try lock.apply(to: &options)
        let account = try Account(account.path, options: options)
        defer { account.close() }
        try account.backUp(to: destination)
        Report.done(
            isQuiet: quiet.quiet, isJSON: output.json,
            .object([("path", .string(account.path)), ("destination", .string(destination))]),
            "copied the account to \(printable(destination))")
    }
}

struct ResetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Start the account over with nothing but cash.",
        discussion:
            "Positions and queue go; the journal so far is kept as journal-<generation>.jsonl, and history still shows it.")

    @Option(
        help: ArgumentHelp(
            "The cash to start with. Default: initial_cash of config.json, 10000 without one.", valueName: "amount"))
    var cash: String?
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let cash = try cash.map { text throws(PaperTradeError) in try Money(checking: text) }
        try change.perform { (account, request) throws(PaperTradeError) in try account.reset(initialCash: cash, request) }
    }
}
