import Ledger

/// What an analyst in another process is asked, and answers: one JSON object a line.
///
/// The question is `{"symbol":"AAPL","time":"2014-06-09T20:00:00.000000Z"}`. The answer is `null`, for no opinion, or
/// `{"signal":"BUY","score":74.5,"price":93.7,"confidence":"HIGH","reason":"…","sector":"…"}`, of which the last three can be left out, or
/// `{"error":"…"}`. A `symbol` in the answer must be the one that was asked about, so that an analyst that lost step is noticed.
public enum AnalysisCoding {
    /// The most bytes that an answer can have.
    public static let maximumByteCount = 1 << 16

    /// Why an answer is none; one clause, for a sentence about the symbol.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
        /// Whether the analyst says itself that it has no answer. After anything else nobody knows which question its next line answers.
        public let isSaid: Bool

        init(description: String, isSaid: Bool = false) {
            self.description = description
            self.isSaid = isSaid
        }
    }

    /// The line that asks, without its newline.
    public static func question(_ symbol: Symbol, at time: Timestamp) -> String {
        "{\"symbol\":\"\(symbol)\",\"time\":\"\(time)\"}"
    }

    /// What a line asks.
    public static func question(in line: [UInt8]) throws(Problem) -> (symbol: Symbol, time: Timestamp) {
        let root = try parse(line)
        guard let symbol = (root["symbol"]?.text).flatMap({ Symbol(utf8: $0.utf8) }), let time = root["time"]?.timestamp else {
            throw Problem(description: "it is not {\"symbol\": \"AAPL\", \"time\": \"2014-06-09T20:00:00Z\"}")
        }
        return (symbol, time)
    }

    /// The line that answers, without its newline.
    public static func answer(_ analysis: Analysis?, of symbol: Symbol) -> String {
        guard let analysis else { return "null" }
        var members = [
            JSONMember("symbol", .string(symbol.description)), JSONMember("signal", .string(analysis.signal.description)),
            JSONMember("score", .real(analysis.score.doubleValue)), JSONMember("price", .real(analysis.price.doubleValue)),
        ]
        if let confidence = analysis.confidence { members.append(JSONMember("confidence", .string(confidence.name))) }
        if let reason = analysis.reason { members.append(JSONMember("reason", .string(reason.description))) }
        if let sector = analysis.sector { members.append(JSONMember("sector", .string(sector.description))) }
        return text(members)
    }

    /// The line with which a host says, before the first question, that it is ready; ``failure(_:)`` says that it is not.
    public static func greeting() -> String { "null" }

    /// - Throws: what a failure says, or that the line is none of both.
    public static func greeting(in line: [UInt8]) throws(Problem) {
        let root = try parse(line)
        if root == .null { return }
        throw Problem(description: root["error"]?.text ?? "it answered \(root.nameForPeople) before it was asked")
    }

    /// The line that says that there is no answer, and why.
    public static func failure(_ message: String) -> String { text([JSONMember("error", .string(message))]) }

    /// What a line answers about `symbol` as of `time`.
    public static func answer(in line: [UInt8], about symbol: Symbol, at time: Timestamp) throws(Problem) -> Analysis? {
        let root = try parse(line)
        if root == .null { return nil }
        guard case .object(let members) = root else {
            throw Problem(description: "it answered \(root.nameForPeople), not an object or null")
        }
        if let other = root["symbol"], other.text.map({ !$0.utf8.elementsEqual(symbol.description.utf8) }) ?? true {
            throw Problem(description: "it answered about \(other.nameForPeople)")
        }
        if let error = root["error"] {
            // With other members it may be a line of a log.
            let isSaid = members.allSatisfy { ["error", "symbol", "time"].contains($0.name) }
            throw Problem(description: escaped(error.text ?? error.nameForPeople, limit: 180), isSaid: isSaid)
        }
        let known: Set<String> = ["symbol", "time", "signal", "score", "price", "confidence", "reason", "sector"]
        if let unknown = members.first(where: { !known.contains($0.name) }) {
            throw Problem(description: "it answered with an unknown member \"\(escaped(unknown.name, limit: 60))\"")
        }
        return try analysis(root, at: time)
    }

    private static func analysis(_ root: JSONValue, at time: Timestamp) throws(Problem) -> Analysis {
        guard let signal = (root["signal"]?.text).flatMap({ Signal($0) }) else {
            throw wrong("signal", root, not: Signal.allCases.map(\.description))
        }
        guard let score: Rate = root["score"]?.amount() else { throw wrong("score", root) }
        guard let price: Price = root["price"]?.amount() else { throw wrong("price", root) }
        var confidence: Confidence?
        if let value = root["confidence"], value != .null {
            confidence = value.text.flatMap { Confidence($0) }
            guard confidence != nil else { throw wrong("confidence", root, not: Confidence.allCases.map(\.name)) }
        }
        do throws(Refusal) {
            return try Analysis(
                signal: signal, score: score, price: price, size: nil, time: time, confidence: confidence,
                reason: text("reason", root), sector: text("sector", root))
        } catch {
            throw Problem(description: "\(error)")
        }
    }

    private static func text(_ name: String, _ root: JSONValue) throws(Refusal) -> Text? {
        guard let value = root[name], value != .null else { return nil }
        guard let text = value.text else { throw .textNotUTF8(field: name) }
        return text.isEmpty ? nil : try Text(text, field: name)
    }

    private static func wrong(_ name: String, _ root: JSONValue, not words: [String] = []) -> Problem {
        let expected = words.isEmpty ? "" : ", not \(words.joined(separator: " or "))"
        return Problem(description: "its \(name) is \(root[name]?.nameForPeople ?? "missing")\(expected)")
    }

    private static func parse(_ line: [UInt8]) throws(Problem) -> JSONValue {
        // jansson takes only objects and arrays as a whole text, and `null` is neither.
        if line.elementsEqual("null".utf8) { return .null }
        let parsed = line.withUnsafeBytes { bytes in Result { () throws(JSONError) in try JSONValue(parsing: bytes) } }
        guard case .success(let root) = parsed else {
            throw Problem(
                description: "it answered what is not JSON: \(escaped(String(decoding: line, as: UTF8.self), limit: 60))")
        }
        return root
    }

    private static func text(_ members: [JSONMember]) -> String {
        var bytes: [UInt8] = []
        // Only a lack of memory keeps these few members from being written; an empty line is no answer either.
        try? JSONValue.object(members).write(.line, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
