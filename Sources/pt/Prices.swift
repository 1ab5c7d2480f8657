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

/// A file of prices: comma-separated, with a line of column names first.
struct PriceFile {
    let path: String
    private static let maximumByteCount = 256 << 20

    /// The last price of each symbol: by date if there are dates (as text, so they should be ISO), else by place in the file.
    func quotes() throws(PaperTradeError) -> [Symbol: Price] {
        let bytes = try Files.contents(of: path, limit: Self.maximumByteCount)
        var latest: [Symbol: (date: String, price: Price)] = [:]
        var columns: Columns?
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard let text = String(validating: line, as: UTF8.self) else { throw problem(number, "it is not UTF-8") }
            let fields = Self.fields(text)
            if fields == [""] { continue }
            guard let columns else {
                columns = Columns(fields)
                if columns == nil { throw problem(number, "it does not name the columns symbol and price (or close)") }
                continue
            }
            guard fields.count >= columns.count else {
                throw problem(number, "it has \(counted(fields.count, "field")), not \(columns.count)")
            }
            guard let symbol = Symbol(utf8: fields[columns.symbol].utf8) else {
                throw problem(number, "\"\(printable(fields[columns.symbol]))\" is not a symbol")
            }
            let price: Price
            do {
                price = try Price(checking: fields[columns.price])
            } catch {
                throw problem(number, error.message)
            }
            guard !price.isNegative else { throw problem(number, "price \(price) is negative") }
            let date = columns.date.map { fields[$0] } ?? ""
            if let known = latest[symbol], known.date > date { continue }
            latest[symbol] = (date, price)
        }
        guard columns != nil else { throw PaperTradeError(.invalidArgument, "\(printable(path)) is empty") }
        return latest.mapValues(\.price)
    }

    private func problem(_ number: Int, _ what: String) -> PaperTradeError {
        PaperTradeError(.invalidArgument, "\(printable(path)), line \(number): \(what)")
    }

    /// Where what is in a row.
    private struct Columns {
        let symbol: Int
        let price: Int
        let date: Int?

        init?(_ names: [String]) {
            let names = names.map { $0.lowercased() }
            guard let symbol = names.firstIndex(of: "symbol") ?? names.firstIndex(of: "ticker"),
                let price = names.firstIndex(of: "price") ?? names.firstIndex(of: "close")
            else { return nil }
            self.symbol = symbol
            self.price = price
            date = names.firstIndex(of: "date") ?? names.firstIndex(of: "time")
        }

        /// How many fields a row needs at least.
        var count: Int { max(symbol, price, date ?? 0) + 1 }
    }

    /// The fields of a line, without quotes and the spaces around them.
    private static func fields(_ line: String) -> [String] {
        var fields: [String] = []
        var field = ""
        var isQuoted = false
        for scalar in line.unicodeScalars {
            switch scalar {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                fields.append(trimmed(field))
                field = ""
            // The mark that spreadsheets put before the first column's name.
            case "\u{FEFF}": break
            default: field.unicodeScalars.append(scalar)
            }
        }
        return fields + [trimmed(field)]
    }
}
