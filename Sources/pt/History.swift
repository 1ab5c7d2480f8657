import ArgumentParser
import PaperTrade

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show what happened, oldest first; with --follow also what happens.",
        discussion: """
            Everything since the account began, through resets, but for what a recovery had to set aside. --json prints the lines of \
            journal.jsonl as objects, one a line, without what only the journal needs, and with their generation. --csv is for \
            spreadsheets: texts that look like formulas have an apostrophe before them.

            Types: \(HistoryFilter.knownTypes.joined(separator: ", ")).
            """)

    @OptionGroup(title: "Account") var account: AccountArguments
    @Option(help: ArgumentHelp("The first event to show.", valueName: "seq")) var from: UInt64?
    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp(
            "Show that many events: the last ones, or with --from the first ones; 0: all of them, and with --follow only new ones.",
            valueName: "n"))
    var limit: Int?
    @Option(
        name: .customLong("type"), help: ArgumentHelp("Only events of this type; may be given more than once.", valueName: "type")
    )
    var types: [String] = []
    @Option(
        name: .customLong("symbol"),
        help: ArgumentHelp("Only events about this symbol; may be given more than once.", valueName: "symbol"))
    var symbols: [String] = []
    @Flag(name: [.short, .long], help: "Go on showing events as they happen, until interrupted.") var follow = false
    @Flag(help: "Print comma-separated values.") var csv = false
    @OptionGroup(title: "Output") var output: OutputArguments

    func validate() throws {
        if csv && output.json { throw ValidationError("--csv and --json exclude each other") }
        if let limit, limit < 0 { throw ValidationError("--limit \(limit) is below 0") }
        if let type = types.first(where: { !HistoryFilter.knownTypes.contains($0) }) {
            throw ValidationError("there is no type of events '\(type)'")
        }
    }

    func run() throws {
        let filter = HistoryFilter(
            types: Set(types), symbols: Set(try symbols.map { text throws(PaperTradeError) in try Symbol(checking: text) }))
        if follow { Console.catchInterrupts() }
        let account = try account.openReadOnly()
        defer { account.close() }
        let isNoneAll = !(follow && from == nil)
        let limit = self.limit == 0 && isNoneAll ? nil : self.limit
        var printer = HistoryPrinter(format: csv ? .csv : output.json ? .json : .table, filter)
        try printer.begin()
        if let limit, from == nil {
            try printer.printLast(limit, of: account)
        } else {
            try printer.printAll(of: account, from: from ?? 1, limit: limit)
            if let limit, printer.count >= limit { return }
        }
        guard follow else {
            if printer.count == 0 && !csv && !output.json {
                try Console.print("no \(filter.isEmpty ? "" : "such ")events from \(from ?? 1) on\n")
            }
            return
        }
        try printer.follow(account, from: from ?? 1, limit: from == nil ? nil : limit)
    }
}

/// Which events are shown: of one of the types, and about one of the symbols; all where none is named.
private struct HistoryFilter {
    let types: Set<String>
    let symbols: Set<Symbol>

    /// As in the journal.
    static let knownTypes = [
        "open", "reset", "recover", "import", "rules", "buy", "sell", "deposit", "withdraw", "split", "dividend", "write_off",
        "queue", "unqueue", "dequeue_all", "clear_queue", "signal", "decline", "cycle", "position", "opportunity", "past_trade",
        "known_signal",
    ]

    var isEmpty: Bool { types.isEmpty && symbols.isEmpty }

    func accepts(_ event: Event) -> Bool {
        guard types.isEmpty || types.contains(event.typeName) else { return false }
        guard !symbols.isEmpty else { return true }
        return EventFigures(event).symbol.map { symbols.contains($0) } ?? false
    }
}

/// Prints events row by row.
private struct HistoryPrinter {
    enum Format {
        case table, json, csv
    }

    private let format: Format
    private let filter: HistoryFilter
    private var table = Table(RecordView.columns)
    private var buffer = ""
    /// How many events were printed.
    private(set) var count = 0
    /// The last event that was read, with its line in the journal.
    private var last: Last?

    private struct Last {
        let seq: UInt64
        /// "" if it is not known.
        let line: String
        /// Tells an event from another one that took its number after it was undone.
        let at: Timestamp?
        let isShown: Bool
    }

    private static let bufferedByteCount = 1 << 16
    private static let pollMilliseconds: Int32 = 50

    init(format: Format, _ filter: HistoryFilter) {
        self.format = format
        self.filter = filter
    }

    mutating func begin() throws(OutputError) {
        switch format {
        case .table: buffer = table.header()
        case .csv: buffer = RecordView.csvHeader
        case .json: break
        }
        try flush()
    }

    /// Prints the events from `seq` on, up to `limit` in all.
    mutating func printAll(of account: Account, from seq: UInt64, limit: Int?) throws {
        guard limit.map({ count < $0 }) ?? true else { return }
        var failure: (any Error)?
        try account.history(from: seq) { event in
            do {
                if note(event) { append(event) }
                if buffer.utf8.count >= Self.bufferedByteCount { try flush() }
                try Console.checkInterrupted()
            } catch {
                failure = error
            }
            return failure == nil && (limit.map { count < $0 } ?? true)
        }
        if let failure { throw failure }
        try flush()
    }

    /// Prints the last `limit` events.
    mutating func printLast(_ limit: Int, of account: Account) throws {
        let end = try account.summary().seq
        // Numbers are without gaps, but for those that a recovery gave up: then look further back.
        var span = UInt64(limit)
        var events: [HistoryEvent] = []
        while limit > 0 {
            let first = end > span ? end - span + 1 : 1
            events.removeAll()
            try account.history(from: first) { event in
                if note(event) { events.append(event) }
                return true
            }
            if events.count >= limit || first == 1 { break }
            span = span.multipliedReportingOverflow(by: 2).overflow ? end : span * 2
        }
        for event in events.suffix(limit) { append(event) }
        if last == nil, limit == 0 { last = Last(seq: end, line: "", at: nil, isShown: false) }
        try flush()
    }

    /// Prints events as they come. Only reads: nobody waits for this.
    mutating func follow(_ account: Account, from seq: UInt64, limit: Int?) throws {
        while true {
            try Console.checkInterrupted()
            let state = try account.snapshot()
            let end = state.seq
            if let last, end != last.seq || last.at.map({ $0 != state.updatedAt }) ?? false {
                try printAfter(last, account, limit)
            } else if last == nil, end >= seq {
                try printAll(of: account, from: seq, limit: limit)
            }
            if let limit, count >= limit { return }
            try Console.wait(milliseconds: Self.pollMilliseconds)
        }
    }

    /// A change can be read before its disk said no and it was undone: then another event has its number, or none.
    private mutating func printAfter(_ last: Last, _ account: Account, _ limit: Int?) throws {
        var line: String?
        try account.history(from: last.seq) { event in
            if event.record.seq == last.seq { line = event.json }
            return false
        }
        guard line == last.line || last.line.isEmpty else {
            if last.isShown { Console.warn("event \(last.seq) was undone by its writer: it never happened") }
            self.last = Last(seq: last.seq - 1, line: "", at: nil, isShown: false)
            return
        }
        try printAll(of: account, from: last.seq + 1, limit: limit)
    }

    /// Remembers how far the history was read; whether this event is to be shown.
    private mutating func note(_ event: HistoryEvent) -> Bool {
        let isShown = filter.accepts(event.record.event)
        last = Last(seq: event.record.seq, line: event.json, at: event.record.at, isShown: isShown)
        return isShown
    }

    private mutating func append(_ event: HistoryEvent) {
        let view = RecordView(event.record)
        switch format {
        case .table: buffer += table.line(view.row)
        case .json: buffer += view.object(generation: event.generation).text + "\n"
        case .csv: buffer += view.csv(generation: event.generation)
        }
        count += 1
    }

    private mutating func flush() throws(OutputError) {
        guard !buffer.isEmpty else { return }
        try Console.print(buffer)
        buffer = ""
    }
}
