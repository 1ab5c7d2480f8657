import ArgumentParser
import PaperTrade

/// `pt`, the command line of a paper-trading account.
@main
struct CommandLineTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pt",
        abstract: "A paper-trading account in a directory of plain JSON, shared by any number of programs.",
        discussion: """
            Which account: --account PATH, else the environment variable PAPERTRADE_ACCOUNT, else the current directory. \
            --account, --json and --quiet may also stand before a command that has them.

            Amounts are decimal numbers with up to six decimals and are exact. Times are ISO 8601; without a zone they are UTC.

            A first account:
              pt init --account my-account --cash 10000
              export PAPERTRADE_ACCOUNT=my-account
              pt buy AAPL 40 150.25
              pt status --price AAPL=151.2

            \(ExitCodes.help)

            With --json the result is one JSON object on standard output (history: one a line), with the names that \
            portfolio.json and journal.jsonl use, and amounts as exact numbers. An error is one object on standard error: \
            {"error": {"exit": 1, "code": 101, "name": "PT_INSUFFICIENT_FUNDS", "message": "..."}}; a warning is {"warning": "..."}.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(name: "Account", subcommands: [InitCommand.self, StatusCommand.self, HistoryCommand.self]),
            CommandGroup(
                name: "Trading",
                subcommands: [BuyCommand.self, SellCommand.self, DepositCommand.self, WithdrawCommand.self, QueueCommand.self]),
            CommandGroup(
                name: "Cycles",
                subcommands: [
                    MonitorCommand.self, TradeCommand.self, RunCommand.self, ReplayCommand.self, CyclesCommand.self,
                    SignalsCommand.self, MarketCommand.self, AnalystHostCommand.self,
                ]),
            CommandGroup(
                name: "Corporate actions", subcommands: [SplitCommand.self, DividendCommand.self, WriteOffCommand.self]),
            CommandGroup(
                name: "Maintenance",
                subcommands: [
                    VerifyCommand.self, RecoverCommand.self, BackupCommand.self, ImportCommand.self, ResetCommand.self,
                    ConfigCommand.self,
                ]),
        ])

    /// The parser would complain about the options of a command that it does not know.
    private static func checkCommand(_ word: String?) throws(PaperTradeError) {
        guard let word, !word.hasPrefix("-"), word != "help" else { return }
        let known = configuration.groupedSubcommands.flatMap(\.subcommands).map { $0.configuration.commandName }
        guard !known.contains(word) else { return }
        throw PaperTradeError(.invalidArgument, "there is no command '\(printable(word))' (see 'pt --help')")
    }

    static func main() {
        Console.openClosedStreams()
        Console.ignoreBrokenPipes()
        do {
            let arguments = try LeadingOptions.moved(behindCommand: Console.arguments())
            try checkCommand(arguments.first)
            var command = try parseAsRoot(arguments)
            try command.run()
            Console.exit(.success)
        } catch {
            Console.exit(Failure(error).report())
        }
    }
}

/// Options that say which account and how to print may stand before the command, as users of other tools expect.
enum LeadingOptions {
    private static let withValue: Set<String> = ["-a", "--account"]
    private static let flags: Set<String> = ["--json", "-q", "--quiet"]

    /// The arguments with leading options moved behind everything else.
    static func moved(behindCommand arguments: [String]) -> [String] {
        var count = 0
        while count < arguments.count {
            let argument = arguments[count]
            if flags.contains(argument) || argument.hasPrefix("--account=") {
                count += 1
            } else if withValue.contains(argument), count + 1 < arguments.count {
                count += 2
            } else {
                break
            }
        }
        guard count < arguments.count, !arguments[count].hasPrefix("-") else { return arguments }
        var result = Array(arguments[count...])
        result.insert(contentsOf: arguments[..<count], at: result.firstIndex(of: "--") ?? result.count)
        return result
    }
}
