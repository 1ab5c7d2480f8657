import Ledger
import Testing

@Suite struct Texts {
    /// Characters of one to four bytes.
    static let characters = ["x", "é", "€", "😀"]

    @Test(arguments: characters)
    func `a text has at most 256 bytes of UTF-8`(character: String) throws {
        for count in [0, 1, 63, 64, 65, 85, 86, 127, 128, 129, 255, 256, 257, 300] {
            let text = String(repeating: character, count: count)
            let bytes = text.utf8.count
            if bytes <= 256 {
                #expect(try Text(text, field: "note").description == text)
            } else {
                #expect(throws: Refusal.textTooLong(field: "note", byteCount: bytes)) { try Text(text, field: "note") }
            }
        }
    }

    @Test func `a sentence keeps its own quotes and escapes, and loses what would break its line`() {
        let sentence = #"config.json, line 1: unknown key "limit\u{7}""#
        #expect(Text(cutting: sentence).description == sentence)
        #expect(Text(cutting: Text(cutting: "a\nb\u{202E}\u{0}").description).description == #"a\nb\u{202e}\u{0}"#)
        #expect(Text(cutting: String(repeating: "€", count: 100)).description.utf8.count <= 256)
    }

    @Test(arguments: characters)
    func `a request id has 1 to 64 bytes of UTF-8`(character: String) throws {
        for count in [0, 1, 15, 16, 17, 21, 22, 31, 32, 33, 63, 64, 65, 100] {
            let text = String(repeating: character, count: count)
            if (1...64).contains(text.utf8.count) {
                #expect(try RequestID(text).description == text)
            } else {
                #expect(throws: Refusal.invalidRequestID(text)) { try RequestID(text) }
            }
        }
    }

    @Test func `a request id has no control characters`() throws {
        for value in UInt8(0)...0x7F {
            let text = "a" + String(Unicode.Scalar(value)) + "b"
            #expect(((try? RequestID(text)) == nil) == (value < 0x20 || value == 0x7F), "character \(value)")
        }
    }

    @Test func `request ids are the same only if their bytes are`() throws {
        let pairs = [("caf\u{E9}", "cafe\u{301}"), ("K", "\u{212A}"), ("\u{1F71}", "\u{3AC}")]
        for (left, right) in pairs {
            #expect(try RequestID(left) != RequestID(right), "\(Array(left.utf8)) and \(Array(right.utf8))")
        }
    }

    @Test func `signals have six names, weakest first`() {
        let names = ["SELL", "WEAK SELL", "HOLD", "WEAK BUY", "BUY", "STRONG BUY"]
        #expect(Signal.allCases.map(\.description) == names)
        #expect(names.map { Signal($0) } == Signal.allCases)
        #expect(Signal.allCases.sorted() == Signal.allCases)
        #expect(Signal.allCases.filter(\.isBuyable) == [.buy, .strongBuy])
        #expect(Signal.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6])
    }

    @Test(arguments: ["", "buy", "Buy", " BUY", "BUY ", "STRONG_BUY", "STRONGBUY", "STRONG  BUY", "BUY\u{0}", "WEA\u{212A} BUY"])
    func `no other text is a signal`(text: String) {
        #expect(Signal(text) == nil)
    }

    @Test func `messages escape what would leave the line or hide text`() {
        let cases = [
            ("plain é 😀", "plain é 😀"),
            ("a\nb\rc\td", "a\\nb\\rc\\td"),
            ("back\\slash \"quoted\"", "back\\\\slash \\\"quoted\\\""),
            ("\u{1B}[31m", "\\u{1b}[31m"),
            ("\u{0}\u{7F}\u{85}", "\\u{0}\\u{7f}\\u{85}"),
            ("\u{202E}gpj.exe\u{200B}", "\\u{202e}gpj.exe\\u{200b}"),
            ("\u{2028}\u{2029}\u{FEFF}", "\\u{2028}\\u{2029}\\u{feff}"),
        ]
        for (text, expected) in cases { #expect(escaped(text) == expected) }
    }

    @Test func `messages cut long text and say so`() {
        let text = String(repeating: "é", count: 10)
        #expect(escaped(text, limit: 10) == text)
        #expect(escaped(text, limit: 9) == String(repeating: "é", count: 9) + "…")
        #expect(escaped("", limit: 0) == "")
    }
}
