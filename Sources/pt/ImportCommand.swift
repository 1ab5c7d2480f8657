import ArgumentParser
import PaperTrade

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an account from the files of the Python system before this one.",
        discussion: """
            Takes transaction_log.json and buy_queue.json from beside the portfolio if they exist. The originals are not changed. Values \
            that were not whole millionths are rounded, and listed. JSON: path, positions, queued, transactions, cash, net_deposits, \
            realized_pnl, seq and roundings.
            """)

    @Argument(help: "The old system's paper_portfolio.json.", completion: .file(extensions: ["json"])) var oldPortfolio: String
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Lock") var lock: LockArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func run() throws {
        var options = account.options()
        options.createsIfMissing = true
        try lock.apply(to: &options)
        let outcome = try Adapters.importing(oldPortfolio, into: account.path, options)
        Report.done(isQuiet: quiet.quiet, isJSON: output.json, outcome.object, outcome.text)
    }
}
