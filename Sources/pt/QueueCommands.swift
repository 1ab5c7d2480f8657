import ArgumentParser
import PaperTrade

struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "The buy queue: opportunities waiting to be bought.",
        discussion:
            "Programs execute the queue with their own analysts. Entries that are too old (24 hours, see 'pt config') leave it.",
        subcommands: [QueueAddCommand.self, QueueListCommand.self, QueueClearCommand.self],
        defaultSubcommand: QueueListCommand.self)
}

struct QueueAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Queue an opportunity; one entry a symbol.",
        discussion: "Signals, weakest first: \(Signal.allCases.map(\.description).joined(separator: ", ")).")

    @Argument(help: "What to buy, such as NVDA.") var symbol: String
    @Option(help: "0 to 100.") var score: String
    @Option(help: "How strongly an analyst wants it, such as \"STRONG BUY\".") var signal: String
    @Option(help: "Its price, if known.") var price: String?
    @Option(parsing: .unconditional, help: ArgumentHelp("Why; up to 256 bytes.", valueName: "text")) var reason: String?
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let opportunity = try opportunity()
        try change.perform { (account, request) throws(PaperTradeError) in try account.enqueue(opportunity, request) }
    }

    private func opportunity() throws -> Opportunity {
        let symbol = try Symbol(checking: symbol)
        let score = try Rate(checking: score)
        let name = String(signal.uppercased().map { $0 == "_" || $0 == "-" ? " " : $0 })
        let price = try price.map { text throws(PaperTradeError) in try Price(checking: text) }
        do throws(Refusal) {
            guard let signal = Signal(name) else { throw .invalidSignal(signal) }
            var text: Text?
            if let reason { text = try Text(reason, field: "reason") }
            return try Opportunity(symbol: symbol, signal: signal, score: score, price: price, reason: text)
        } catch {
            throw PaperTradeError(error)
        }
    }
}

struct QueueListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the queue; changes nothing.",
        discussion:
            "JSON: {\"queued_opportunities\": [{\"symbol\", \"queued_at\", \"signal\", \"score\", \"price\", \"reason\", \"seq\"}]}"
    )

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup var when: TimeArguments
    @OptionGroup(title: "Output") var output: OutputArguments

    func run() throws {
        let account = try account.openReadOnly(clock: when.timestamp())
        defer { account.close() }
        let entries = try account.queue()
        guard !output.json else {
            try Console.print(JSON.object([("queued_opportunities", .array(entries.map(Self.object)))]).text + "\n")
            return
        }
        guard !entries.isEmpty else { return try Console.print("the queue is empty\n") }
        let columns = [
            Table.Column("SYMBOL"), Table.Column("SIGNAL"), Table.Column("SCORE", .right), Table.Column("PRICE", .right),
            Table.Column("QUEUED AT (UTC)"), Table.Column("REASON"),
        ]
        let rows = entries.map { entry in
            [
                "\(entry.opportunity.symbol)", "\(entry.opportunity.signal)", entry.opportunity.score.count,
                entry.opportunity.price?.money ?? "", entry.queuedAt.forPeople, entry.opportunity.reason?.description ?? "",
            ]
        }
        try Console.print(Table.text(columns, rows))
    }

    private static func object(_ entry: QueueEntry) -> JSON {
        let opportunity = entry.opportunity
        return .object([
            ("symbol", .text(opportunity.symbol)), ("queued_at", .time(entry.queuedAt)), ("signal", .text(opportunity.signal)),
            ("score", .amount(opportunity.score)), ("price", .amount(opportunity.price)), ("reason", .text(opportunity.reason)),
            ("seq", .integer(entry.seq)),
        ])
    }
}

struct QueueClearCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear", abstract: "Remove every entry from the queue.", discussion: "JSON: {\"removed\": 3}")

    @OptionGroup var change: ChangeArguments

    func run() throws {
        let removed = try change.withAccount { (account, request) throws(PaperTradeError) in try account.clearQueue(request) }
        change.report(.object([("removed", .integer(removed))]), "removed \(counted(removed, "entry", "entries")) from the queue")
    }
}
