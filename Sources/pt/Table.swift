/// Aligned columns of text. Rows can be written before all are known: a column grows when a wider cell comes.
struct Table {
    enum Alignment {
        case left
        /// For numbers.
        case right
    }

    struct Column {
        let title: String
        let alignment: Alignment
        var width: Int

        /// - Parameter width: what cells of a usual size need, for tables that are written row by row.
        init(_ title: String, _ alignment: Alignment = .left, width: Int = 0) {
            self.title = title
            self.alignment = alignment
            self.width = max(width, title.count)
        }
    }

    private var columns: [Column]

    init(_ columns: [Column]) { self.columns = columns }

    /// The titles as a line.
    mutating func header() -> String { line(columns.map(\.title)) }

    /// One row as a line. Cells are made harmless; the last column is not padded.
    mutating func line(_ cells: [String]) -> String {
        var result = ""
        for (index, cell) in cells.enumerated() {
            let text = printable(cell)
            columns[index].width = max(columns[index].width, text.count)
            let padding = String(repeating: " ", count: columns[index].width - text.count)
            if index > 0 { result += "  " }
            result += columns[index].alignment == .right ? padding + text : text + padding
        }
        while result.hasSuffix(" ") { result.removeLast() }
        return result + "\n"
    }

    /// A whole table. Numbers of one column have their points below each other.
    static func text(_ columns: [Column], _ rows: [[String]], hasHeader: Bool = true) -> String {
        var rows = rows
        for (index, column) in columns.enumerated() where column.alignment == .right {
            let decimals = rows.map { decimalCount($0[index]) }
            let most = decimals.max() ?? 0
            for row in rows.indices { rows[row][index] += String(repeating: " ", count: most - decimals[row]) }
        }
        var table = Table(columns)
        // Once for the widths, once for the text.
        for row in rows { _ = table.line(row) }
        return (hasHeader ? table.header() : "") + rows.map { table.line($0) }.joined()
    }

    /// The point and what follows it.
    private static func decimalCount(_ number: String) -> Int {
        number.firstIndex(of: ".").map { number.distance(from: $0, to: number.endIndex) } ?? 0
    }
}

/// Comma-separated values (RFC 4180, but with plain newlines) that a spreadsheet does not take for formulas.
enum CSV {
    enum Cell {
        /// A number, written as it is.
        case number(String)
        case text(String)
        case empty
    }

    static func line(_ cells: [Cell]) -> String {
        cells.map { cell in
            switch cell {
            case .number(let digits): digits
            case .text(let text): field(text)
            case .empty: ""
            }
        }.joined(separator: ",") + "\n"
    }

    private static func field(_ text: String) -> String {
        var text = printable(text)
        // Behind an apostrophe a spreadsheet shows a formula instead of running it.
        if let first = text.unicodeScalars.first, "=+-@＝＋－＠".unicodeScalars.contains(first) { text = "'" + text }
        guard text.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
