import Ledger
import Testing

@Suite struct Symbols {
    @Test func `of all bytes exactly the listed characters are allowed, anywhere in a symbol`() {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/^=:".utf8)
        #expect(allowed.count == 69)
        for byte in UInt8.min...UInt8.max {
            for bytes in [[byte], [byte, 65], [65, byte], [UInt8](repeating: 65, count: 31) + [byte]] {
                #expect((Symbol(utf8: bytes) != nil) == allowed.contains(byte), "byte \(byte)")
            }
        }
    }

    @Test func `a symbol has 1 to 32 characters`() {
        for count in 0...70 {
            let text = String(repeating: "x", count: count)
            #expect((Symbol(utf8: text.utf8) != nil) == (1...32).contains(count), "\(count) characters")
        }
    }

    @Test(arguments: ["", "AAPL ", "A B", "É", "A\u{0}", "😀", "123456789012345678901234567890123"])
    func `what is no symbol is refused with its text`(text: String) {
        #expect(throws: Refusal.invalidSymbol(text)) { try Symbol(text) }
    }

    @Test func `a symbol is written as it was read, at every length`() throws {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ^=:/._"
        for count in 1...32 {
            let text = String(alphabet.suffix(count))
            let symbol = try Symbol(text)
            #expect(symbol.description == text)
            var bytes = [UInt8](repeating: 0, count: Symbol.maximumCount)
            let written = bytes.withUnsafeMutableBufferPointer { symbol.write(to: $0) }
            #expect(written == count && Array(bytes.prefix(written)) == Array(text.utf8))
        }
    }

    @Test func `symbols are equal, ordered and hashed as their text`() throws {
        var random = Random()
        let letters = Array("Aa0.:z")
        func text() -> String { String((0..<random.pick([1, 2, 3, 8, 9, 16, 17, 31, 32])).map { _ in random.pick(letters) }) }
        for _ in 0..<5_000 {
            let left = text()
            // Often the same but for the end, so that every word of the representation decides.
            let right = random.chance(percent: 60) ? String((left.dropLast(1) + text()).prefix(32)) : text()
            let (leftSymbol, rightSymbol) = (try Symbol(left), try Symbol(right))
            let isBefore = left.utf8.lexicographicallyPrecedes(right.utf8)
            if (leftSymbol < rightSymbol) != isBefore || (leftSymbol == rightSymbol) != (left == right) {
                Issue.record("\(left) and \(right), seed \(runSeed)")
            }
            if left == right && leftSymbol.hashValue != rightSymbol.hashValue { Issue.record("\(left) has two hashes") }
        }
    }

    @Test func `positions are kept in the order of their symbols`() throws {
        var random = Random()
        var state = AccountState()
        var expected: [String: Int64] = [:]
        for step in 0..<500 {
            let text = random.pick(["A", "AA", "AB", "B", "BRK.B", "BRK-B", "^GSPC", "EUR=X", "a", "9"])
            let symbol = try Symbol(text)
            if random.chance(percent: 30) {
                state.removePosition(symbol)
                expected[text] = nil
            } else {
                state.setPosition(
                    Position(symbol: symbol, shares: Shares(clamping: Int64(step) + 1), cost: .zero, firstPurchaseDate: start))
                expected[text] = Int64(step) + 1
            }
            #expect(
                state.positions.map(\.symbol.description) == expected.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            #expect(state.position(symbol)?.shares.micros == expected[text])
        }
    }
}
