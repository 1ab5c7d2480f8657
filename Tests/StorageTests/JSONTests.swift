import Ledger
import Testing

@testable import Storage

@Suite struct `JSON through jansson` {
    private func parse(_ text: String) -> JSONValue? { parse(Array(text.utf8)) }

    private func parse(_ bytes: [UInt8]) -> JSONValue? { bytes.withUnsafeBytes { try? JSONValue(parsing: $0) } }

    private func dump(_ value: JSONValue) throws -> String {
        var bytes: [UInt8] = []
        try value.write(.line, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `takes what is JSON`() {
        let table: [(String, JSONValue)] = [
            ("{}", .object([])), ("[]", .array([])), (" [ 1 ] ", .array([.integer(1)])),
            ("[1.5,-2,true,false,null]", .array([.real(1.5), .integer(-2), .bool(true), .bool(false), .null])),
            ("{\"b\":1,\"a\":\"x\"}", .object([JSONMember("b", .integer(1)), JSONMember("a", .string("x"))])),
            ("[\"\\u00e9\\n\\\"\"]", .array([.string("é\n\"")])), ("[\"\\ud83d\\ude00\"]", .array([.string("😀")])),
            ("[9223372036854775807]", .array([.integer(.max)])), ("[1E2]", .array([.real(100)])),
            (
                String(repeating: "[", count: 32) + String(repeating: "]", count: 32),
                (0..<31).reduce(.array([])) { value, _ in .array([value]) }
            ),
        ]
        for (text, value) in table { #expect(parse(text) == value, "\(text)") }
    }

    @Test func `refuses what is not, and what is too much`() {
        let table = [
            "", " ", "{", "[", "]", "{]", "1", "\"text\"", "null", "true", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "[1 2]",
            "[01]", "[+1]",
            "[.5]", "[1.]", "[0x1]", "[NaN]", "[Infinity]", "[1e999]", "[-1e999]", "[9223372036854775808]", "['a']", "[\"a]",
            "[\"\\x\"]",
            "[\"\\ud800\"]", "[\"\\udc00\"]", "[\"\t\"]", "[\"\n\"]", "[] []", "[]x", "// no\n[]", "{\"a\":1,\"a\":2}",
            "{\"a\":{\"b\":1,\"b\":2}}",
            "[\"\\u0000\"]", "{\"\\u0000\":1}", "[tru]", "[nul]", "\u{FEFF}[]", "[1,,2]", "{\"a\":}", "{:1}", "[--1]", "[1e]",
            "[\"\u{0}\"]", "[]\u{0}",
            String(repeating: "[", count: 33) + String(repeating: "]", count: 33), String(repeating: "[", count: 1_000_000),
            String(repeating: "{\"a\":", count: 33) + "1" + String(repeating: "}", count: 33),
            String(repeating: "]", count: 1000) + "[",
        ]
        for text in table { #expect(parse(text) == nil, "\(text.prefix(80))") }
        let bytes: [[UInt8]] = [
            [0x5B, 0x22, 0xFF, 0x22, 0x5D], [0x5B, 0x22, 0xC0, 0x80, 0x22, 0x5D], [0x5B, 0x22, 0xED, 0xA0, 0x80, 0x22, 0x5D],
            [0x5B, 0x22, 0xE2, 0x82, 0x22, 0x5D], [0xFF, 0xFE, 0x5B, 0, 0x5D, 0], [0],
        ]
        for text in bytes { #expect(parse(text) == nil, "\(text)") }
    }

    @Test func `says where it went wrong`() {
        let result = Array("{\n  \"a\": 1,\n  \"a\": 2\n}".utf8).withUnsafeBytes { bytes in
            Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
        }
        guard case .failure(let error) = result else {
            Issue.record("accepted")
            return
        }
        #expect(error.line == 3 && error.message.contains("duplicate"))
        let deep = Array(("\n\n" + String(repeating: "[", count: 40)).utf8)
        let excess = deep.withUnsafeBytes { bytes in Result { () throws(JSONError) in try JSONValue(parsing: bytes) } }
        if case .failure(let error) = excess { #expect(error.line == 3 && error.offset == 34) } else { Issue.record("accepted") }
    }

    @Test func `brings every amount back exactly`() throws {
        var generator = SeededGenerator(for: "amounts")
        var amounts: [Int64] = [
            0, 1, -1, 9, 10, 99, amountLimit, -amountLimit, amountLimit - 1, 7_600_000, 4_000_000_000, 12, 100_000,
        ]
        var power: Int64 = 1
        while power <= amountLimit {
            amounts += [power, power - 1, power + 1, -power]
            for _ in 0..<(setting("PAPERTRADE_AMOUNTS") ?? 400) {
                amounts.append(Int64.random(in: -power...power, using: &generator))
            }
            power *= 10
        }
        for micros in amounts {
            let money = Money(clamping: micros)
            let text = try dump(.array([.real(money.doubleValue)]))
            guard case .array(let elements)? = parse(text), case .real = elements[0] else {
                Issue.record("\(text) is no real")
                continue
            }
            let back: Money? = elements[0].amount()
            #expect(back == money, "\(text)")
            // The journal's own writer gives the same digits.
            var writer = LineWriter()
            writer.beginObject()
            writer.member("a", money)
            #expect(String(decoding: writer.bytes, as: UTF8.self) == "{\"a\":" + text.dropFirst().dropLast(), "\(micros)")
        }
    }

    @Test func `refuses to write what JSON does not have`() {
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(throws: StorageError.self) { try dump(.real(value)) }
            #expect(throws: StorageError.self) { try dump(.array([.real(value)])) }
            #expect(throws: StorageError.self) { try dump(.object([JSONMember("a", .real(value))])) }
        }
    }

    @Test func `writes every kind of value, and reads it back`() throws {
        let value = JSONValue.object([
            JSONMember("list", .array([.null, .bool(true), .bool(false), .integer(-7), .real(0.5), .array([]), .object([])])),
            JSONMember("text", .string("a\"\\\n\u{1}é😀")), JSONMember("", .integer(.min)),
        ])
        let text = try dump(value)
        #expect(text == #"{"list": [null, true, false, -7, 0.5, [], {}], "text": "a\"\\\n\u0001é😀", "": -9223372036854775808}"#)
        #expect(parse(text) == value)
        var indented: [UInt8] = []
        try value.write(.indented, to: &indented)
        #expect(indented.contains(UInt8(ascii: "\n")) && parse(indented) == value)
    }

    @Test func `survives any bytes`() {
        var generator = SeededGenerator(for: "noise JSON")
        let letters = Array("{}[]\",:\\u0123456789.eE+-truefalsn \n".utf8)
        for _ in 0..<(setting("PAPERTRADE_NOISE") ?? 4000) {
            let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
                Int.random(in: 0..<6, using: &generator) == 0
                    ? UInt8.random(in: 0...255, using: &generator) : letters.randomElement(using: &generator) ?? 0
            }
            guard let value = parse(bytes), let text = try? dump(value) else { continue }
            #expect(parse(text) == value)
        }
    }
}
