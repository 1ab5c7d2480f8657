import Foundation
import Ledger
import Testing

@Suite struct `The table of rules in the README` {
    @Test func `it says of each rule what the library says`() throws {
        let readme = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "README.md")
        let lines = try String(contentsOf: readme, encoding: .utf8).split(separator: "\n").map(String.init)
        let start = try #require(lines.firstIndex(of: "| key | meaning | unit | range | default |"))
        let rows = lines[(start + 2)...].prefix { $0.hasPrefix("| `") }
        #expect(rows.dropLast() == RuleKey.allCases.map(row)[...])
        #expect(rows.last?.hasPrefix("| `watchlist` |") == true && rows.last?.contains("\(Rules.watchlistByteLimit)") == true)
    }

    private func row(_ key: RuleKey) -> String {
        let range: String
        var unit = key.unit
        switch key.kind {
        case .number: range = "\(whole(key.range.lowerBound)) to \(whole(key.range.upperBound))"
        case .count: range = "\(whole(key.range.lowerBound)) to \(whole(key.range.upperBound)), whole"
        case .flag:
            range = "true or false"
            unit = "–"
        case .choice(let words):
            range = words.joined(separator: " or ")
            unit = "–"
        }
        let standard = key.kind == .number ? whole(key.defaultValue) : key.text(of: key.defaultValue)
        return "| `\(key.name)` | \(key.meaning) | \(unit) | \(range) | \(standard) |"
    }

    /// Without the decimals that a whole number does not need.
    private func whole(_ value: Rate) -> String {
        value.micros % microsPerUnit == 0 ? "\(value.micros / microsPerUnit)" : value.description
    }
}
