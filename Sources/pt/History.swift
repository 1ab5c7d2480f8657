import ArgumentParser
import PaperTrade

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show what happened, oldest first; with --follow also what happens.",
        discussion: """
            Everything since the account began, through resets. --json prints the lines of journal.jsonl as objects, one a line, without \
            what only the journal needs, and with their generation. --csv is for spreadsheets: texts that look like formulas have an \
            apostrophe before them.
            """)

    @OptionGroup(title: "Account") var account: AccountArguments
    @Option(help: ArgumentHelp("The first event to show.", valueName: "seq")) var from: UInt64?
    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp(
            "Show that many events: the last ones, or with --from the first ones; 0: all of them, and with --follow only new ones.",
            valueName: "n"))
    var limit: Int?
    @Flag(name: [.short, .long], help: "Go on showing events as they happen, until interrupted.") var follow = false
    @Flag(help: "Print comma-separated values.") var csv = false
    @OptionGroup(title: "Output") var output: OutputArguments

    func validate() throws {
        if csv && output.json { throw ValidationError("--csv and --json exclude each other") }
        if let limit, limit < 0 { throw ValidationError("--limit \(limit) is below 0") }
    }

    func run() throws {
        if follow { Console.catchInterrupts() }
        let account = try account.openReadOnly()
        defer { account.close() }
        let isNoneAll = !(follow && from == nil)
        let limit = self.limit == 0 && isNoneAll ? nil : self.limit
        var printer = HistoryPrinter(format: csv ? .csv : output.json ? .json : .table)
        try printer.begin()
        if let limit, from == nil {
            try printer.printLast(limit, of: account)
        } else {
            try printer.printAll(of: account, from: from ?? 1, limit: limit)
            if let limit, printer.count >= limit { return }
        }
        guard follow else {
            if printer.count == 0 && !csv && !output.json { try Console.print("no events from \(from ?? 1) on\n") }
            return
        }
        try printer.follow(account, from: from ?? 1, limit: from == nil ? nil : limit)
    }
}

/// Prints events row by row.
private struct HistoryPrinter {
    enum Format {
        case table, json, csv
    }

    private let format: Format
    private var table = Table(RecordView.columns)
    private var buffer = ""
    /// How many events were printed.
    private(set) var count = 0
    /// The last event that was printed, with its line in the journal.
    private var last: Last?

    private struct Last {
        let seq: UInt64
        /// "" if it is not known.
        let line: String
        /// Tells an event from another one that took its number after it was undone.
        let at: Timestamp?
    }

    private static let bufferedByteCount = 1 << 16
    private static let pollMilliseconds: Int32 = 50

    init(format: Format) { self.format = format }

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
                append(event)
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
                events.append(event)
                return true
            }
            if events.count >= limit || first == 1 { break }
            span = span.multipliedReportingOverflow(by: 2).overflow ? end : span * 2
        }
        for event in events.suffix(limit) { append(event) }
        if last == nil, limit == 0 { last = Last(seq: end, line: "", at: nil) }
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
            Console.warn("event \(last.seq) was undone by its writer: it never happened")
            self.last = Last(seq: last.seq - 1, line: "", at: nil)
            return
        }
        try printAll(of: account, from: last.seq + 1, limit: limit)
    }

    private mutating func append(_ event: HistoryEvent) {
        let view = RecordView(event.record)
        switch format {
        case .table: buffer += table.line(view.row)
        case .json: buffer += view.object(generation: event.generation).text + "\n"
        case .csv: buffer += view.csv(generation: event.generation)
        }
        count += 1
        last = Last(seq: event.record.seq, line: event.json, at: event.record.at)
    }

    private mutating func flush() throws(OutputError) {
        guard !buffer.isEmpty else { return }
        try Console.print(buffer)
        buffer = ""
    }
}
