import PaperTrade

/// A comma-separated file with a line of column names first, read row by row. Whatever is wrong with it is said with file and line.
struct CSVFile {
    let path: String
    private static let maximumByteCount = 256 << 20

    /// A row's fields, by the column's name.
    struct Row {
        let number: Int
        fileprivate let path: String
        fileprivate let fields: [String]
        fileprivate let columns: [String: Int]

        /// The field in the first of these columns that there is; `nil` if there is none of them.
        subscript(names: String...) -> String? {
            names.lazy.compactMap { columns[$0] }.first.map { fields[$0] }
        }

        func problem(_ what: String) -> PaperTradeError { CSVFile.problem(path, number, what) }

        /// What `read` makes of the row; its error is about this line.
        func reading<Value>(_ read: () throws(PaperTradeError) -> Value) throws(PaperTradeError) -> Value {
            do throws(PaperTradeError) {
                return try read()
            } catch {
                throw problem(error.message)
            }
        }

        /// The price in a column that is known to be there.
        func price(_ text: String) throws(PaperTradeError) -> Price {
            try reading { () throws(PaperTradeError) in try Price(checking: text) }
        }

        func symbol(_ text: String) throws(PaperTradeError) -> Symbol {
            guard let symbol = Symbol(utf8: text.utf8) else { throw problem("\"\(printable(text))\" is not a symbol") }
            return symbol
        }

        func date(_ text: String) throws(PaperTradeError) -> CalendarDate {
            guard let date = CalendarDate(text) else {
                throw problem("\"\(printable(text))\" is not a date such as 2014-06-09")
            }
            return date
        }

        /// A moment, or the day that begins then.
        func time(_ text: String) throws(PaperTradeError) -> Timestamp {
            guard let time = Timestamp(text) else {
                throw problem("\"\(printable(text))\" is not a date such as 2014-06-09, nor a time such as 2014-06-09T14:30:00Z")
            }
            return time
        }
    }

    /// - Parameters:
    ///   - needed: each column that there must be, with the other names it can have.
    ///   - body: gets each row that is not empty.
    func forEachRow(needing needed: [[String]], _ body: (Row) throws(PaperTradeError) -> Void) throws(PaperTradeError) {
        let bytes = try Files.contents(of: path, limit: Self.maximumByteCount)
        var columns: [String: Int]?
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard let text = String(validating: line, as: UTF8.self) else { throw Self.problem(path, number, "it is not UTF-8") }
            let fields = Self.fields(text)
            if fields == [""] { continue }
            guard let columns else {
                columns = try names(fields, number, needed)
                continue
            }
            // Not how many names there are: of columns with the same name, or without one, the first is known.
            let count = columns.values.max().map { $0 + 1 } ?? 0
            guard fields.count >= count else {
                throw Self.problem(path, number, "it has \(counted(fields.count, "field")), not \(count)")
            }
            try body(Row(number: number, path: path, fields: fields, columns: columns))
        }
        guard columns != nil else { throw PaperTradeError(.invalidArgument, "\(printable(path)) is empty") }
    }

    private func names(_ fields: [String], _ number: Int, _ needed: [[String]]) throws(PaperTradeError) -> [String: Int] {
        let columns = Dictionary(
            fields.enumerated().map { ($0.element.lowercased(), $0.offset) }, uniquingKeysWith: { first, _ in first })
        for names in needed where !names.contains(where: { columns[$0] != nil }) {
            throw Self.problem(path, number, "it does not name a column \(names.joined(separator: " or "))")
        }
        return columns
    }

    private static func problem(_ path: String, _ number: Int, _ what: String) -> PaperTradeError {
        PaperTradeError(.invalidArgument, "\(printable(path)), line \(number): \(what)")
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
