import Ledger
import Testing

@testable import Storage

/// The lines between `pt` and an analyst in another process.
@Suite struct `An analyst's line` {
    private let symbol: Symbol
    private let time = Timestamp(clamping: 1_402_344_000_000_000)

    init() throws { symbol = try Symbol("AAPL") }

    /// What the line answers; what is wrong with it as text.
    private func answer(_ line: String) -> Result<Analysis?, AnalysisCoding.Problem> {
        Result { () throws(AnalysisCoding.Problem) in try AnalysisCoding.answer(in: Array(line.utf8), about: symbol, at: time) }
    }

    private func problem(_ line: String) -> String? {
        guard case .failure(let problem) = answer(line) else { return nil }
        return problem.description
    }

    private func analysis(_ confidence: Confidence? = nil, _ reason: String? = nil, _ sector: String? = nil) throws -> Analysis {
        try Analysis(
            signal: .strongBuy, score: Rate(clamping: 74_500_000), price: Price(clamping: 93_700_001), size: nil, time: time,
            confidence: confidence, reason: reason.map { try Text($0, field: "reason") },
            sector: sector.map { try Text($0, field: "sector") })
    }

    @Test func `asks about a symbol as of a time, and is read as it was written`() throws {
        let line = AnalysisCoding.question(symbol, at: time)
        #expect(line == #"{"symbol":"AAPL","time":"2014-06-09T20:00:00.000000Z"}"#)
        let question = try AnalysisCoding.question(in: Array(line.utf8))
        #expect(question.symbol == symbol && question.time == time)
        for wrong in [
            "null", "[]", "{}", "AAPL", "", #"{"symbol":"AAPL"}"#, #"{"symbol":"A A","time":"2014-06-09T20:00:00Z"}"#,
            #"{"symbol":"AAPL","time":1402344000}"#, #"{"symbol":7,"time":"2014-06-09T20:00:00Z"}"#,
        ] {
            #expect(throws: AnalysisCoding.Problem.self, "\(wrong)") { try AnalysisCoding.question(in: Array(wrong.utf8)) }
        }
    }

    @Test func `answers with every member, or with those that there are`() throws {
        #expect(AnalysisCoding.answer(nil, of: symbol) == "null")
        #expect(
            AnalysisCoding.answer(try analysis(.high, "up \"and\" up\n", "Technology"), of: symbol)
                == #"{"symbol": "AAPL", "signal": "STRONG BUY", "score": 74.5, "price": 93.700001, "confidence": "HIGH", "#
                + #""reason": "up \"and\" up\n", "sector": "Technology"}"#)
        for analysis in [
            try analysis(), try analysis(.low), try analysis(nil, "why"), try analysis(nil, nil, "Energy"),
            try analysis(.medium, "\u{1}é😀", "Energy"),
        ] {
            let line = AnalysisCoding.answer(analysis, of: symbol)
            #expect(!line.contains("\n"))
            #expect(try answer(line).get() == analysis, "\(line)")
        }
        #expect(try answer("null").get() == nil)
    }

    @Test func `takes null and empty texts for nothing, and needs no symbol`() throws {
        let expected = try analysis()
        for rest in [
            "", #","confidence":null"#, #","reason":null,"sector":null"#, #","reason":"","sector":"""#,
            #","symbol":"AAPL","time":"2014-06-09T20:00:00Z""#,
        ] {
            #expect(
                try answer(#"{"signal":"STRONG BUY","score":74.5,"price":93.700001\#(rest)}"#).get() == expected, "\(rest)")
        }
    }

    @Test func `that is no answer is refused with what is wrong about it`() {
        let table = [
            ("", "it answered what is not JSON: "),
            ("null ", "it answered what is not JSON: null "),
            ("74.5", "it answered what is not JSON: 74.5"),
            ("[]", "it answered a list, not an object or null"),
            (#"{"error":"no data"}"#, "no data"),
            (#"{"error":3}"#, "3"),
            (#"{"verdict":"BUY"}"#, #"it answered with an unknown member "verdict""#),
            (#"{"symbol":"MSFT","signal":"BUY","score":1,"price":1}"#, #"it answered about the text "MSFT""#),
            (#"{"symbol":1,"signal":"BUY","score":1,"price":1}"#, "it answered about 1"),
            ("{}", "its signal is missing, not SELL or WEAK SELL or HOLD or WEAK BUY or BUY or STRONG BUY"),
            (
                #"{"signal":"buy","score":1,"price":1}"#,
                #"its signal is the text "buy", not SELL or WEAK SELL or HOLD or WEAK BUY or BUY or STRONG BUY"#
            ),
            (#"{"signal":"BUY","price":1}"#, "its score is missing"),
            (#"{"signal":"BUY","score":"high","price":1}"#, #"its score is the text "high""#),
            (#"{"signal":"BUY","score":1}"#, "its price is missing"),
            (#"{"signal":"BUY","score":1,"price":null}"#, "its price is null"),
            (
                #"{"signal":"BUY","score":1,"price":1,"confidence":"SURE"}"#,
                #"its confidence is the text "SURE", not LOW or MEDIUM or HIGH"#
            ),
            (#"{"signal":"BUY","score":100.5,"price":1}"#, "score 100.5 is not a number from 0 to 100"),
            (#"{"signal":"BUY","score":1,"price":-1}"#, "price -1.0 is not a number above 0 and at most 999999999.999999"),
            (#"{"signal":"BUY","score":1,"price":1,"reason":7}"#, "reason is not valid UTF-8 without NUL characters"),
            (
                #"{"signal":"BUY","score":1,"price":1,"sector":"\#(String(repeating: "x", count: 300))"}"#,
                "sector has 300 bytes; at most 256 are kept: shorten it"
            ),
        ]
        for (line, expected) in table { #expect(problem(line) == expected, "\(line)") }
    }

    @Test func `greets, or says that there is no answer and why`() throws {
        try AnalysisCoding.greeting(in: Array(AnalysisCoding.greeting().utf8))
        let failure = AnalysisCoding.failure("the \"file\" is missing\n")
        #expect(failure == #"{"error": "the \"file\" is missing\n"}"#)
        #expect(problem(failure) == #"the \"file\" is missing\n"#)
        for (line, expected) in [
            (failure, "the \"file\" is missing\n"), ("[]", "it answered a list before it was asked"),
            ("hello", "it answered what is not JSON: hello"),
        ] {
            #expect(throws: AnalysisCoding.Problem(description: expected)) { try AnalysisCoding.greeting(in: Array(line.utf8)) }
        }
    }

    @Test func `of any bytes is an answer or a problem on one line, never a trap`() throws {
        var generator = SeededGenerator(for: "analyst lines")
        let line = Array(AnalysisCoding.answer(try analysis(.high, "why", "Energy"), of: symbol).utf8)
        for _ in 0..<3000 {
            var changed = line
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            do throws(AnalysisCoding.Problem) {
                _ = try AnalysisCoding.answer(in: changed, about: symbol, at: time)
            } catch {
                #expect(!error.description.contains("\n"), "\(error)")
            }
        }
    }
}
