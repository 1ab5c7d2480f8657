import Ledger

/// A JSON file that somebody else wrote: its value, and its text, so that a message can name the line.
struct JSONDocument: Sendable {
    let path: String
    let root: JSONNode

    /// - Parameters:
    ///   - path: for messages.
    ///   - kind: of every error about the file.
    /// - Throws: ``StorageError`` of that kind if the text is not JSON, with the line and what to do about it.
    init(_ text: [UInt8], path: String, kind: StorageError.Kind, maximumByteCount: Int) throws(StorageError) {
        let source = JSONSource(text: text, path: path, kind: kind)
        guard text.count <= maximumByteCount else {
            throw source.problem("has \(text.count) bytes, more than the \(maximumByteCount) that it can have")
        }
        guard text.contains(where: { $0 > 0x20 }) else { throw source.problem("is empty; expected JSON") }
        if text.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw source.problem("begins with a byte order mark: save it as UTF-8 without one", line: 1)
        }
        if text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF]) {
            throw source.problem("is UTF-16: save it as UTF-8 without a byte order mark", line: 1)
        }
        let parsed = text.withUnsafeBytes { bytes in Result { () throws(JSONError) in try JSONValue(parsing: bytes) } }
        switch parsed {
        case .success(let value): root = JSONNode(source: source, place: [], value: value)
        case .failure(let error) where error.isOutOfMemory:
            throw StorageError(.noMemory, "no memory to read \(escaped(path))")
        case .failure(let error): throw source.problem(Self.reason(error, text), line: error.line)
        }
        self.path = path
    }

    private static func reason(_ error: JSONError, _ text: [UInt8]) -> String {
        // jansson names short keys only.
        if error.message.hasPrefix("duplicate object key"), let key = JSONLocator.string(endingAt: error.offset, in: text) {
            return "the key \"\(escaped(key, limit: 60))\" stands twice in one object: keep one of them"
        }
        return "not JSON: \(escaped(error.message.isEmpty ? "unreadable" : error.message))"
    }
}

/// Where a JSON value comes from.
final class JSONSource: Sendable {
    let text: [UInt8]
    let path: String
    let kind: StorageError.Kind

    init(text: [UInt8], path: String, kind: StorageError.Kind) {
        self.text = text
        self.path = path
        self.kind = kind
    }

    func problem(_ message: String, line: Int = 0) -> StorageError {
        StorageError(kind, "\(escaped(path))\(line > 0 ? ", line \(line):" : "") \(message)")
    }
}

/// A value in a JSON file, and the way to it.
struct JSONNode: Sendable {
    let source: JSONSource
    let place: [JSONStep]
    let value: JSONValue

    /// The member called `name`, `nil` if there is none.
    func member(_ name: String) -> JSONNode? {
        value[name].map { JSONNode(source: source, place: place + [.member(name)], value: $0) }
    }

    /// The members with their names, in the order of the file; `nil` if this is no object.
    var members: [(name: String, node: JSONNode)]? {
        guard case .object(let members) = value else { return nil }
        return members.map { ($0.name, JSONNode(source: source, place: place + [.member($0.name)], value: $0.value)) }
    }

    /// The elements; `nil` if this is no array.
    var elements: [JSONNode]? {
        guard case .array(let elements) = value else { return nil }
        return elements.enumerated().map { JSONNode(source: source, place: place + [.element($0.offset)], value: $0.element) }
    }

    /// The way to the value, as people say it: `positions.AAPL.shares`, `entry 3, price`. Entries are counted from 1.
    var name: String {
        var name = ""
        var previous: JSONStep?
        for step in place {
            switch (step, previous) {
            case (.member(let member), .member): name += "." + escaped(member, limit: 60)
            case (.member(let member), .element): name += ", " + escaped(member, limit: 60)
            case (.member(let member), nil): name += escaped(member, limit: 60)
            case (.element(let index), let previous): name += "\(previous == nil ? "" : " ")entry \(index + 1)"
            }
            previous = step
        }
        return place.isEmpty ? "the file" : name
    }

    /// The error that this value is not what was expected.
    func unexpected(_ expected: String) -> StorageError {
        problem("\(name) is \(value.nameForPeople); expected \(expected)")
    }

    func problem(_ message: String) -> StorageError {
        source.problem(message, line: JSONLocator.line(of: place, in: source.text) ?? 0)
    }
}

extension JSONValue {
    /// The value in a sentence.
    var nameForPeople: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .string(let text): "the text \"\(escaped(text, limit: 60))\""
        case .array: "a list"
        case .object: "an object"
        }
    }
}
