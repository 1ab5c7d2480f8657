import CPaperTrade
import PaperTrade

/// The analyst that a C program gave, as Swift calls it.
package func swiftAnalyst(_ analyst: pt_analyst_fn?, _ context: UnsafeMutableRawPointer?) throws(PaperTradeError) -> Analyst {
    guard let analyst else { throw invalidArgument("analyst is NULL") }
    return { symbol, time in try analysis(symbol, time, analyst, context) }
}

/// Why an analyst's answer cannot be used.
private struct AnalystProblem: Error, CustomStringConvertible {
    let description: String
}

private func analysis(
    _ symbol: Symbol, _ asked: Timestamp, _ analyst: pt_analyst_fn, _ context: UnsafeMutableRawPointer?
) throws -> Analysis? {
    var out = pt_analysis()
    out.struct_size = UInt32(MemoryLayout<pt_analysis>.size)
    out.score = .nan
    out.price = .nan
    out.shares = .nan
    out.amount = .nan
    out.time = timeNow
    let result = symbol.description.withCString { analyst(context, $0, asked.microseconds, &out) }
    switch result {
    case PT_OK: break
    case PT_NO_OPINION: return nil
    case PT_STOPPED: throw PaperTradeError(.stopped, "the analyst stopped the call: nothing was changed")
    default:
        let reason = try? text(of: &out.reason, "reason")
        throw AnalystProblem(description: reason?.description ?? "it returned \(result)")
    }
    let shares: Shares? = try optional(out.shares)
    let amount: Money? = try optional(out.amount)
    if shares != nil && amount != nil { throw AnalystProblem(description: "it gave both shares and an amount") }
    let size = shares.map { Analysis.Size.shares($0) } ?? amount.map { .amount($0) }
    let confidence = Confidence(rawValue: Int(out.confidence))
    if confidence == nil && out.confidence != 0 { throw AnalystProblem(description: "its confidence is \(out.confidence)") }
    return try Analysis(
        signal: signal(out.signal), score: Rate(checking: out.score), price: Price(checking: out.price), size: size,
        time: time(out.time) ?? asked, confidence: confidence, reason: text(of: &out.reason, "reason"),
        sector: text(of: &out.sector, "sector"))
}

/// The text in a C array of characters, `nil` if it is empty. A missing NUL ends at the array's end.
private func text<Array>(of array: inout Array, _ field: String) throws -> Text? {
    try withUnsafeBytes(of: &array) { bytes in
        let used = bytes.prefix { $0 != 0 }
        guard !used.isEmpty else { return nil }
        guard let text = String(validating: used, as: UTF8.self) else { throw Refusal.textNotUTF8(field: field) }
        return try Text(text, field: field)
    }
}
