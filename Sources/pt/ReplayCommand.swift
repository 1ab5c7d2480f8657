import ArgumentParser
import PaperTrade

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Let a monitor and a trader live through history, at full speed.",
        discussion: """
            Runs 'pt monitor' and 'pt trade' as two processes on one account and keeps their time: each cycle is run at each moment at which \
            it would have been due. Without another analyst the prices are judged by momentum. Splits and dividends of --actions are \
            applied at the opening of their ex-date. Ends with the portfolio, the equity curve, profit, trades and rejections.

            The account has to be named with --account, and its last event must not be later than the first day's opening. A missing one is made, with a config.json that watches every symbol of the file unless there is one \
            already. The same prices, rules and --account-id lead to the same events. \(CycleArguments.ruleHelp)

            JSON: one object, with days, equity (date, value), counts of what happened, rejections by reason, and status as 'pt status' has it.
            """)

    @Option(help: ArgumentHelp("The first day; default: the first of the prices.", valueName: "date")) var from: String?
    @Option(help: ArgumentHelp("The last day; default: the last of the prices.", valueName: "date")) var to: String?
    @Option(help: ArgumentHelp("Also write the equity curve to a CSV file, which must not exist.", valueName: "file")) var equity:
        String?
    @Option(help: ArgumentHelp("Cash of a new account.", valueName: "amount")) var cash: String?
    @Option(help: ArgumentHelp("The id of a new account; default: random.", valueName: "id")) var accountId: String?
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Analyst") var analyst: AnalystArguments
    @OptionGroup(title: "Lock") var lock: LockArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func validate() throws {
        if analyst.prices == nil {
            throw ValidationError("--prices is missing: a CSV file with the columns date, symbol, open and close")
        }
    }

    func run() throws {
        Console.catchTermination()
        let history = try analyst.history()
        let days = try days(of: history)
        if let equity { try Files.checkCreatable(equity) }
        let account = try open(history, days)
        defer { account.close() }
        var replay = try Replay(
            account, history, days, workers: try workers(), quotesAfterwards: quotes(history, days.upperBound))
        let result = try replay.run(showsProgress: !quiet.quiet && Console.isWatched)
        if let equity { try Files.create(equity, Array(result.equityCSV.utf8)) }
        Report.done(isQuiet: quiet.quiet, isJSON: output.json, result.object, result.text)
    }

    private func days(of history: PriceHistory) throws(PaperTradeError) -> ClosedRange<CalendarDate> {
        guard let dates = history.dates else { throw PaperTradeError(.invalidArgument, "there are no prices") }
        let first =
            try from.map { (text) throws(PaperTradeError) in try MarketCommand.date(text, of: "--from") } ?? dates.lowerBound
        let last = try to.map { (text) throws(PaperTradeError) in try MarketCommand.date(text, of: "--to") } ?? dates.upperBound
        guard first <= dates.upperBound, last >= dates.lowerBound else {
            throw PaperTradeError(
                .invalidTime,
                "the prices are of \(dates.lowerBound) to \(dates.upperBound): there are none from --from on and up to --to")
        }
        guard first <= last else { throw PaperTradeError(.invalidTime, "--to \(last) is before --from \(first)") }
        return first...last
    }

    /// The account, made if there is none, at a moment before the first cycle. Nothing is made before it is known that it can be replayed.
    private func open(_ history: PriceHistory, _ days: ClosedRange<CalendarDate>) throws -> Account {
        // Not the one that everything else is done with: it would be traded on history's prices.
        guard account.account != nil else {
            throw PaperTradeError(.invalidArgument, "give the account with --account; it is made if it is missing")
        }
        var options = account.options(clock: Timestamp(clamping: days.lowerBound.dayNumber * 86_400_000_000))
        options.initialCash = try cash.map { (text) throws(PaperTradeError) in try Money(checking: text) }
        options.accountID = accountId
        try lock.apply(to: &options)
        if try exists(options) {
            guard cash == nil && accountId == nil else {
                throw PaperTradeError(
                    .exists, "--cash and --account-id are for a new account, and \(printable(account.path)) has one already")
            }
            try checkLibrary()
        } else {
            let isConfigured = Files.exists(account.configPath)
            let rules = isConfigured ? try Config.rules(in: account.path) : try rules(watching: history.symbols)
            _ = try Replay.sessions(of: days, MarketCalendar(named: rules.choice(.marketCalendar)))
            try checkLibrary()
            try Files.makeDirectory(account.path)
            if !isConfigured { try Files.create(account.configPath, Array(Config.text(rules).utf8)) }
            options.createsIfMissing = true
        }
        return try Account(account.path, options: options)
    }

    /// Whether there is an account; also finds out whether one can be made with these options.
    private func exists(_ options: Options) throws(PaperTradeError) -> Bool {
        var options = options
        options.isReadOnly = true
        options.log = nil
        do throws(PaperTradeError) {
            try Account(account.path, options: options).close()
            return true
        } catch {
            guard error.status == .noAccount else { throw error }
            return false
        }
    }

    private func rules(watching symbols: [Symbol]) throws(PaperTradeError) -> Rules {
        var rules = Rules()
        guard rules.setWatchlist(symbols) else {
            throw PaperTradeError(
                .invalidArgument, "the prices are of more symbols than a watchlist holds: write a config.json with a shorter one")
        }
        return rules
    }

    private func checkLibrary() throws {
        do throws(PaperTradeError) {
            try analyst.loadedLibrary(isInterruptible: true)
        } catch {
            if Console.isAskedToEnd && error.status == .stopped { throw Interrupted() }
            throw error
        }
    }

    private func workers() throws(PaperTradeError) -> [CycleKind: [String]] {
        // One line a cycle either way; their warnings are to look like ours.
        var words = output.json ? ["--json"] : []
        words += ["--times", "--account=\(account.path)", "--lock-timeout=\(lock.lockTimeout)"]
        words += ["--durability=\(lock.durability.rawValue)"] + analyst.words
        if account.allowNetwork { words.append("--allow-network") }
        return [.monitoring: ["monitor"] + words, .trading: ["trade"] + words]
    }

    /// The last closes, to value what is held at the end.
    private func quotes(_ history: PriceHistory, _ last: CalendarDate) -> [Symbol: Price] {
        var quotes: [Symbol: Price] = [:]
        for symbol in history.symbols { quotes[symbol] = history.lastClose(symbol, through: last) }
        return quotes
    }
}
