import ArgumentParser
import PaperTrade

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an account from the files of the Python system before this one.",
        discussion: """
            Takes transaction_log.json and buy_queue.json from beside the portfolio if they exist. The originals are not changed. Values \
            that were not whole millionths are rounded, and listed. JSON: path, positions, queued, transactions, cash, net_deposits, \
            realized_pnl, seq, roundings and notes.
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
        let report = try importing(options)
        Report.done(isQuiet: quiet.quiet, isJSON: output.json, Self.object(report, account.path), Self.text(report))
    }

    private func importing(_ options: Options) throws(PaperTradeError) -> ImportReport {
        do throws(PaperTradeError) {
            return try Account.importing(oldPortfolio, into: account.path, options: options)
        } catch {
            // A file that is not there is no unusable data: every command says so by the same exit code.
            guard error.status == .invalidImport, !Files.exists(oldPortfolio) else { throw error }
            throw PaperTradeError(.io, error.message, errno: error.errno)
        }
    }

    private static func text(_ report: ImportReport) -> String {
        var lines = [
            "imported \(counted(report.positionCount, "position")), \(counted(report.queuedCount, "queue entry", "queue entries")) and "
                + "\(counted(report.transactionCount, "transaction")); cash \(report.cash.money), net deposits \(report.netDeposits.money), "
                + "realized P&L \(report.realizedPnL.money)"
        ]
        if !report.roundings.isEmpty { lines.append("rounded to whole millionths:") }
        lines += report.roundings.map { "  " + $0 }
        lines += report.notes.map { "note: " + $0 }
        return lines.joined(separator: "\n")
    }

    private static func object(_ report: ImportReport, _ path: String) -> JSON {
        .object([
            ("path", .string(path)), ("positions", .integer(report.positionCount)), ("queued", .integer(report.queuedCount)),
            ("transactions", .integer(report.transactionCount)), ("cash", .amount(report.cash)),
            ("net_deposits", .amount(report.netDeposits)), ("realized_pnl", .amount(report.realizedPnL)),
            ("seq", .integer(report.seq)),
            ("roundings", .array(report.roundings.map { .string($0) })), ("notes", .array(report.notes.map { .string($0) })),
        ])
    }
}
