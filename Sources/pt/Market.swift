import ArgumentParser
import PaperTrade

struct MarketCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "market", abstract: "Show whether the market is open, or its trading days.",
        discussion: """
            With --from and --to each trading day from one to the other, by the market's own dates. The schedule of the New York Stock \
            Exchange is known from 1993 to 2030, and continued by its rules; trading that began late or was halted is not in it.

            JSON: calendar, time, open, reason, next_open and next_close; with --from and --to one object a line, with date, opens_at, \
            closes_at, early_close and reason. The reason is why the market is closed, or closes early; else null.
            """)

    @Option(
        help: ArgumentHelp(
            "Which market: nyse, the New York Stock Exchange, or always, one that never closes.", valueName: "nyse|always"))
    var calendar = "nyse"
    @OptionGroup var when: TimeArguments
    @Option(help: ArgumentHelp("The first day to list, such as 2014-06-09.", valueName: "date")) var from: String?
    @Option(help: ArgumentHelp("The last day to list.", valueName: "date")) var to: String?
    @OptionGroup(title: "Output") var output: OutputArguments

    func validate() throws {
        guard (from == nil) == (to == nil) else { throw ValidationError("--from and --to go together: give both days") }
        if from != nil && when.time != nil {
            throw ValidationError("--time excludes --from and --to: ask for a moment or for days")
        }
    }

    func run() throws {
        let market = try MarketCalendar(named: calendar)
        guard let from, let to else {
            let view = MarketView(calendar, market, at: try when.timestamp() ?? Console.now())
            return try Console.print(output.json ? view.object.text + "\n" : view.text)
        }
        let first = try Self.date(from, of: "--from")
        let last = try Self.date(to, of: "--to")
        guard first <= last else { throw PaperTradeError(.invalidTime, "--to \(last) is before --from \(first)") }
        var printer = SessionPrinter(isJSON: output.json)
        try printer.print(market.sessions(from: first, through: last))
        if printer.count == 0 && !output.json { try Console.print("no trading days from \(first) to \(last)\n") }
    }

    static func date(_ text: String, of option: String) throws(PaperTradeError) -> CalendarDate {
        guard let date = CalendarDate(text) else {
            throw PaperTradeError(
                .invalidTime, "\(option) \"\(printable(text))\" is not a date from 1970 to 9999, such as 2014-06-09")
        }
        return date
    }
}

/// A market at one moment.
private struct MarketView {
    private let name: String
    private let time: Timestamp
    /// `nil` if it is closed.
    private let session: MarketSession?
    private let closure: String?
    private let nextOpen: Timestamp?
    private let nextClose: Timestamp?

    init(_ name: String, _ market: MarketCalendar, at time: Timestamp) {
        self.name = name
        self.time = time
        session = market.session(containing: time)
        closure = market.closure(at: time)
        nextOpen = market.nextOpen(after: time)
        nextClose = market.nextClose(after: time)
    }

    var text: String {
        var text = "\(name) at \(time.forPeople) UTC: "
        if let closure {
            text += "closed (\(closure))"
        } else {
            text += session?.earlyCloseReason.map { "open, with an early close (\($0))" } ?? "open"
        }
        let times = [("Next open", nextOpen), ("Next close", nextClose)]
        let rows = times.map { [$0, $1.map { $0.forPeople + " UTC" } ?? "never"] }
        return text + "\n" + Table.text([Table.Column(""), Table.Column("")], rows, hasHeader: false)
    }

    var object: JSON {
        .object([
            ("calendar", .string(name)), ("time", .time(time)), ("open", .bool(closure == nil)),
            ("reason", .text(closure ?? session?.earlyCloseReason)), ("next_open", .text(nextOpen)),
            ("next_close", .text(nextClose)),
        ])
    }
}

/// Prints trading days row by row, however many there are.
private struct SessionPrinter {
    private let isJSON: Bool
    private var table = Table([
        Table.Column("DATE", width: 10), Table.Column("OPENS (UTC)", width: 19), Table.Column("CLOSES (UTC)", width: 19),
        Table.Column("EARLY CLOSE"),
    ])
    private(set) var count = 0

    private static let bufferedByteCount = 1 << 16

    init(isJSON: Bool) { self.isJSON = isJSON }

    mutating func print(_ sessions: some Sequence<MarketSession>) throws(OutputError) {
        var buffer = ""
        for session in sessions {
            if count == 0 && !isJSON { buffer += table.header() }
            count += 1
            buffer += line(session)
            guard buffer.utf8.count >= Self.bufferedByteCount else { continue }
            try Console.print(buffer)
            buffer = ""
        }
        try Console.print(buffer)
    }

    private mutating func line(_ session: MarketSession) -> String {
        guard isJSON else {
            return table.line([
                "\(session.date)", session.opensAt.forPeople, session.closesAt.forPeople, session.earlyCloseReason ?? "",
            ])
        }
        let object = JSON.object([
            ("date", .text(session.date)), ("opens_at", .time(session.opensAt)), ("closes_at", .time(session.closesAt)),
            ("early_close", .bool(session.isEarlyClose)), ("reason", .text(session.earlyCloseReason)),
        ])
        return object.text + "\n"
    }
}
