import Ledger

/// `config.json`: the rules of an account, as people write them.
///
/// The file is one object. A rule called `commission.per_share` is the member `per_share` of the object `commission`; a rule that
/// is absent has its default. Nothing else may stand in it, comments included: a misspelt rule that is ignored is a wrong account.
public enum ConfigFile {
    /// The most bytes that the file can have.
    public static let maximumByteCount = 1 << 20

    /// Reads the rules.
    ///
    /// - Parameter path: for messages.
    /// - Throws: ``StorageError`` of kind `invalidConfig` about the first thing that is wrong: file, line, key, what was expected,
    ///   and for an unknown key the nearest known one.
    public static func rules(from text: [UInt8], path: String) throws(StorageError) -> Rules {
        let document = try JSONDocument(text, path: path, kind: .invalidConfig, maximumByteCount: maximumByteCount)
        guard let members = document.root.members else {
            throw document.root.unexpected("an object: {\"\(RuleKey.initialCash.name)\": 10000, ...}, or {} for the defaults")
        }
        var rules = Rules()
        try read(members, section: [], into: &rules)
        return rules
    }

    /// A complete config.json that says `rules`, every key included.
    public static func text(_ rules: Rules) -> [UInt8] {
        var text = ""
        write(rules, section: [], indent: "", to: &text)
        return Array((text + "\n").utf8)
    }

    // MARK: Reading

    /// Recursion ends where the names of the rules end: only their sections are entered.
    private static func read(
        _ members: [(name: String, node: JSONNode)], section: [String], into rules: inout Rules
    ) throws(StorageError) {
        for (name, node) in members {
            if section.isEmpty && name == watchlistName {
                try readWatchlist(node, into: &rules)
                continue
            }
            switch RuleTable.entry(at: section + [name]) {
            case .rule(let key): try read(node, for: key, into: &rules)
            case .section(let names):
                guard let inner = node.members else {
                    throw node.problem(
                        "\"\(node.name)\" is \(node.value.nameForPeople); expected a section: {\"\(names.joined(separator: "\": ..., \""))\": ...}"
                    )
                }
                try read(inner, section: section + [name], into: &rules)
            case nil: throw unknown(node, section: section, name: name)
            }
        }
    }

    private static func read(_ node: JSONNode, for key: RuleKey, into rules: inout Rules) throws(StorageError) {
        switch key.kind {
        case .number, .count: try readNumber(node, for: key, into: &rules)
        case .flag:
            guard case .bool(let isOn) = node.value, rules.set(key, to: Rate(clamping: isOn ? microsPerUnit : 0)) else {
                throw wrong(node, key, hint: ", without quotes")
            }
        case .choice(let words):
            guard case .string(let word) = node.value, let place = words.firstIndex(of: word),
                rules.set(key, to: Rate(clamping: Int64(place) * microsPerUnit))
            else { throw wrong(node, key) }
        }
    }

    private static func readNumber(_ node: JSONNode, for key: RuleKey, into rules: inout Rules) throws(StorageError) {
        let number: Double
        switch node.value {
        case .integer(let value): number = Double(value)
        case .real(let value): number = value
        case .string: throw wrong(node, key, hint: ", without quotes")
        default: throw wrong(node, key)
        }
        let value: Rate
        do throws(AmountError) {
            value = try Rate(number)
        } catch {
            throw wrong(node, key, hint: error == .tooPrecise ? " with at most six decimals" : "")
        }
        guard rules.set(key, to: value) else { throw wrong(node, key) }
    }

    private static func wrong(_ node: JSONNode, _ key: RuleKey, hint: String = "") -> StorageError {
        let unit = key.kind == .number || key.kind == .count ? " (\(key.unit))" : ""
        return node.problem(
            "\"\(key.name)\" (\(key.meaning)) is \(node.value.nameForPeople); expected \(key.expectation)\(unit)\(hint)")
    }

    private static func readWatchlist(_ node: JSONNode, into rules: inout Rules) throws(StorageError) {
        let expected = "expected a list of symbols, each once: [\"AAPL\", \"MSFT\"]"
        guard let elements = node.elements else {
            throw node.problem("\"\(watchlistName)\" is \(node.value.nameForPeople); \(expected)")
        }
        var symbols: [Symbol] = []
        var known: Set<Symbol> = []
        for element in elements {
            guard case .string(let text) = element.value, let symbol = Symbol(utf8: text.utf8), known.insert(symbol).inserted
            else {
                throw element.problem("\"\(watchlistName)\" has \(element.value.nameForPeople); \(expected)")
            }
            symbols.append(symbol)
        }
        guard rules.setWatchlist(symbols) else {
            throw node.problem("\"\(watchlistName)\" has more than \(Rules.watchlistByteLimit) characters: shorten it")
        }
    }

    private static func unknown(_ node: JSONNode, section: [String], name: String) -> StorageError {
        let advice: String
        if let nearest = RuleTable.nearest(to: section + [name]) {
            advice = "did you mean \(directions(to: nearest, from: section))?"
        } else {
            let names = RuleTable.names(in: section) + (section.isEmpty ? [watchlistName] : [])
            advice = "known here are \(names.map { "\"\($0)\"" }.joined(separator: ", "))"
        }
        return node.problem("unknown key \"\(node.name)\": \(advice)")
    }

    /// How to write the name in this section: alone, or with what belongs around it, `"queue": {"stale_after_hours": ...}`.
    private static func directions(to path: [String], from section: [String]) -> String {
        let name = "\"\(path.last ?? "")\""
        let around = path.dropLast()
        if around.elementsEqual(section) { return name }
        if around.isEmpty { return "\(name) at the top level" }
        return around.map { "\"\($0)\": {" }.joined() + "\(name): ..." + String(repeating: "}", count: around.count)
    }

    // MARK: Writing

    private static func write(_ rules: Rules, section: [String], indent: String, to text: inout String) {
        text += "{"
        let inner = indent + "  "
        for (index, name) in RuleTable.names(in: section).enumerated() {
            text += "\(index == 0 ? "" : ",")\n\(inner)\"\(name)\": "
            let path = section + [name]
            if case .rule(let key)? = RuleTable.entry(at: path) {
                let value = key.text(of: rules[key])
                text += key.choices.isEmpty ? value : "\"\(value)\""
            } else {
                write(rules, section: path, indent: inner, to: &text)
            }
        }
        if section.isEmpty {
            let symbols = rules.watchlist.map { "\"\($0)\"" }.joined(separator: ", ")
            text += ",\n\(inner)\"\(watchlistName)\": [\(symbols)]"
        }
        text += "\n\(indent)}"
    }
}

/// The one member that is no ``RuleKey``.
private let watchlistName = "watchlist"

/// The names of the rules as the tree that config.json is.
private enum RuleTable {
    enum Entry {
        case rule(RuleKey)
        /// With the names in it.
        case section([String])
    }

    /// `nil` if nothing of that name can stand there.
    static func entry(at path: [String]) -> Entry? {
        if let key = RuleKey.allCases.first(where: { $0.path == path }) { return .rule(key) }
        let names = names(in: path)
        return names.isEmpty ? nil : .section(names)
    }

    /// What can stand in a section, in the order of the table.
    static func names(in section: [String]) -> [String] {
        var names: [String] = []
        for key in RuleKey.allCases where key.path.count > section.count && key.path.starts(with: section) {
            let name = key.path[section.count]
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// The section or rule whose name `path` was probably meant to be: the whole of it, or its last part in another section.
    static func nearest(to path: [String]) -> [String]? {
        let asked = folded(path.joined(separator: "."))
        let askedLast = folded(path.last ?? "")
        // Nobody misspells a name by so much, and the distance takes time.
        guard asked.count <= 64 else { return nil }
        var best: (path: [String], distance: Int)?
        for candidate in RuleKey.allCases.flatMap(\.prefixes) + [[watchlistName]] {
            let whole = folded(candidate.joined(separator: "."))
            let last = folded(candidate.last ?? "")
            let isInSection = candidate.dropLast().elementsEqual(path.dropLast())
            var distance = editDistance(asked, whole)
            var length = whole.count
            // Elsewhere only a name that is almost right, so that `commission.max` does not become `queue.max_score_drop`.
            let lastDistance = editDistance(askedLast, last)
            if isInSection || lastDistance <= 1 {
                (distance, length) = (lastDistance + (isInSection ? 0 : 1), last.count)
            }
            guard distance <= max(1, length / 3), distance < best?.distance ?? .max else { continue }
            best = (candidate, distance)
        }
        return best?.path
    }

    /// Lower case and `_` for `-`: what people mix up without misspelling it.
    private static func folded(_ text: String) -> [UInt8] {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 32
            case UInt8(ascii: "-"), UInt8(ascii: " "): UInt8(ascii: "_")
            default: byte
            }
        }
    }
}

extension RuleKey {
    /// The parts of the name: sections, then the rule.
    fileprivate var path: [String] { name.split(separator: ".").map(String.init) }

    /// The path and the paths of the sections around it, outermost first.
    fileprivate var prefixes: [[String]] {
        let path = path
        return path.indices.map { Array(path[...$0]) }
    }
}
