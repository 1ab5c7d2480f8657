import ArgumentParser
import PaperTrade

/// Prices to value positions at, from the command line and from a file.
struct PriceArguments: ParsableArguments {
    @Option(
        name: [.customLong("price"), .customShort("p")],
        help: ArgumentHelp(
            "A price to value a position at; can be repeated, and goes before the file's.", valueName: "symbol=price"))
    var given: [String] = []

    @Option(
        name: .customLong("prices"),
        help: ArgumentHelp(
            "A CSV file with the columns symbol and price (or close); with a column date, each symbol's latest row counts.",
            valueName: "file"),
        completion: .file(extensions: ["csv"]))
    var file: String?

    var isEmpty: Bool { given.isEmpty && file == nil }

    func quotes() throws(PaperTradeError) -> [Symbol: Price] {
        var quotes: [Symbol: Price] = [:]
        if let file { quotes = try PriceFile(path: file).quotes() }
        for text in given {
            // A symbol may contain '=', a price cannot.
            guard let equals = text.lastIndex(of: "=") else {
                throw PaperTradeError(.invalidPrice, "--price \"\(printable(text))\" is not of the form AAPL=151.2")
            }
            let price = try Price(checking: String(text[text.index(after: equals)...]))
            guard !price.isNegative else { throw PaperTradeError(.invalidPrice(price.description)) }
            quotes[try Symbol(checking: String(text[..<equals]))] = price
        }
        return quotes
    }
}

/// A file of prices, for their last ones.
struct PriceFile {
    let path: String

    /// The last price of each symbol: by date if there are dates (as text, so they should be ISO), else by place in the file.
    func quotes() throws(PaperTradeError) -> [Symbol: Price] {
        var latest: [Symbol: (time: Timestamp?, price: Price)] = [:]
        try CSVFile(path: path).forEachRow(needing: [["symbol", "ticker"], ["price", "close"]]) { (row) throws(PaperTradeError) in
            let symbol = try row.symbol(row["symbol", "ticker"] ?? "")
            let price = try row.price(row["price", "close"] ?? "")
            guard !price.isNegative else { throw row.problem("price \(price) is negative") }
            let time = try row["date", "time"].map { (text) throws(PaperTradeError) in try row.time(text) }
            if let time, let known = latest[symbol]?.time, known > time { return }
            latest[symbol] = (time, price)
        }
        return latest.mapValues(\.price)
    }
}

/// Files of daily prices, and of splits and dividends.
struct PriceHistoryFile {
    let path: String

    /// The prices: columns date, symbol, open and close, ordered by date. A security may miss days.
    func history() throws(PaperTradeError) -> PriceHistory {
        var days: [Symbol: [PriceHistory.Day]] = [:]
        var last: CalendarDate?
        try CSVFile(path: path).forEachRow(needing: [["date"], ["symbol", "ticker"], ["open"], ["close"]]) {
            (row) throws(PaperTradeError) in
            let date = try row.date(row["date"] ?? "")
            if let last, date < last { throw row.problem("\(date) comes after \(last): order the file by date") }
            last = date
            let symbol = try row.symbol(row["symbol", "ticker"] ?? "")
            if days[symbol]?.last?.date == date {
                throw row.problem("\(symbol) has a price of \(date) already: keep one of them")
            }
            let day = PriceHistory.Day(
                date: date, open: try positive(row, "open"), close: try positive(row, "close"))
            days[symbol, default: []].append(day)
        }
        guard !days.isEmpty else {
            throw PaperTradeError(.invalidArgument, "\(printable(path)) has no prices, only column names")
        }
        return PriceHistory(days: days)
    }

    /// Splits (value = new shares for each old one) and dividends (value = cash a share): columns ex_date, symbol, action and value.
    static func actions(in path: String) throws(PaperTradeError) -> [PriceHistory.Action] {
        struct Key: Hashable {
            let date: CalendarDate
            let symbol: Symbol
            let name: String
        }
        var actions: [PriceHistory.Action] = []
        var known: Set<Key> = []
        try CSVFile(path: path).forEachRow(needing: [["ex_date", "date"], ["symbol", "ticker"], ["action"], ["value"]]) {
            (row) throws(PaperTradeError) in
            let value = row["value"] ?? ""
            let kind: PriceHistory.Action.Kind
            switch row["action"] ?? "" {
            case "split":
                let ratio = try row.reading { () throws(PaperTradeError) in try Shares(checking: value) }
                guard ratio.isPositive, ratio.micros != microsPerUnit else {
                    throw row.problem("\(value) is not how many new shares there are for each old one")
                }
                kind = .split(ratio)
            case "dividend":
                let cash = try row.price(value)
                guard cash.isPositive else { throw row.problem("a dividend of \(value) is not above 0") }
                kind = .dividend(cash)
            case let other: throw row.problem("action \"\(printable(other))\" is neither split nor dividend")
            }
            let action = PriceHistory.Action(
                date: try row.date(row["ex_date", "date"] ?? ""), symbol: try row.symbol(row["symbol", "ticker"] ?? ""),
                kind: kind)
            guard known.insert(Key(date: action.date, symbol: action.symbol, name: action.name)).inserted else {
                throw row.problem("\(action.symbol) has a \(action.name) of \(action.date) already: make them one")
            }
            actions.append(action)
        }
        return actions
    }

    private func positive(_ row: CSVFile.Row, _ column: String) throws(PaperTradeError) -> Price {
        let text = row[column] ?? ""
        guard !text.isEmpty else { throw row.problem("\(column) is empty: leave out the row of a day without a price") }
        let price = try row.price(text)
        guard price.isPositive else { throw row.problem("\(column) \(text) is not above 0") }
        return price
    }
}

extension PriceHistory.Action {
    /// As in a file.
    var name: String {
        switch kind {
        case .split: "split"
        case .dividend: "dividend"
        }
    }
}
