import Ledger
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `Decimal text` {
    @Test func `text is read exactly, or refused with the reason`() {
        let table = """
            150                          150000000
            -0.25                        -250000
            +1.5                         1500000
            .5                           500000
            5.                           5000000
            -.000001                     -1
            0                            0
            -0                           0
            0.000001                     1
            1.0000000000000              1000000
            00000000000000000000000001   1000000
            0.0000001                    tooPrecise
            1.2345678                    tooPrecise
            -1.0000001                   tooPrecise
            999999999.999999             999999999999999
            -999999999.999999            -999999999999999
            999999999.9999990            999999999999999
            999999999.9999999            tooPrecise
            1000000000                   outOfRange
            -1000000000                  outOfRange
            1000000000.000001            outOfRange
            99999999999999999999999999   outOfRange
            -                            notANumber
            +                            notANumber
            .                            notANumber
            -.                           notANumber
            --1                          notANumber
            1-                           notANumber
            1.2.3                        notANumber
            1,000                        notANumber
            1_000                        notANumber
            1e5                          notANumber
            0x10                         notANumber
            NaN                          notANumber
            inf                          notANumber
            ١                            notANumber
            1½                           notANumber
            """
        for row in rows(table) {
            #expect(read(row[0]) == row[1], "\(row[0])")
        }
        for text in ["", " ", " 1", "1 ", "1\n", "1\u{0}", "−1"] { #expect(read(text) == "notANumber", "\"\(text)\"") }
    }

    @Test func `what is no number is never called too large or too precise`() {
        for text in ["99999999999999999999x", "1.2345678x", "1000000000..", "0.0000001-"] {
            #expect(read(text) == "notANumber", "\(text)")
        }
    }

    private func read(_ text: String) -> String {
        do throws(AmountError) { return "\(try Money(text).micros)" } catch { return "\(error)" }
    }

    @Test func `every amount survives the trip through text`() {
        var random = Random()
        let sample = (0..<50_000).map { _ in random.anyMicros() } + [amountLimit, -amountLimit] + Array(-20_000...20_000)
        let wrong = sample.filter { (try? Shares(Shares(clamping: $0).description))?.micros != $0 }
        #expect(wrong.prefix(5) == [], "seed \(runSeed)")
    }

    @Test func `an amount is written with one decimal at least and no superfluous zeros`() throws {
        let table = """
            0                  0.0
            1                  0.000001
            -1                 -0.000001
            10                 0.00001
            100000             0.1
            -250000            -0.25
            1000000            1.0
            1000001            1.000001
            4000000000         4000.0
            10203000           10.203
            999999999999999    999999999.999999
            -999999999999999   -999999999.999999
            100000000000000    100000000.0
            """
        for row in rows(table) {
            let micros = try #require(Int64(row[0]))
            #expect(Money(clamping: micros).description == row[1])
        }
    }

    @Test func `the jansson style is what jansson prints with fifteen digits`() {
        var random = Random()
        let sample =
            Array(-12_000...12_000) + [amountLimit, -amountLimit, 99_999_999_999_999, 100_000_000_000_000]
            + (0..<30_000).map { _ in random.anyMicros() }
        let wrong = sample.filter { text($0, .jansson) != janssonText(Double($0) / 1e6) }
        #expect(wrong.prefix(5) == [], "seed \(runSeed)")
    }

    @Test func `the jansson style at its borders`() throws {
        let table = """
            0     0.0
            1     1e-6
            9     9e-6
            10    1e-5
            25    2.5e-5
            -25   -2.5e-5
            99    9.9e-5
            100   0.0001
            101   0.000101
            """
        for row in rows(table) {
            let micros = try #require(Int64(row[0]))
            #expect(text(micros, .jansson) == row[1])
        }
    }

    private func text(_ micros: Int64, _ style: DecimalStyle) -> String {
        String(unsafeUninitializedCapacity: decimalTextCapacity) { writeDecimal(micros, style: style, to: $0) }
    }

    /// What jansson 2.14 does (`jsonp_dtostr` in strconv.c): `%.15g`, then `.0` if neither point nor exponent appeared, then the
    /// exponent without its plus sign and leading zeros.
    private func janssonText(_ value: Double) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = withVaList([value]) { vsnprintf(&buffer, 64, "%.15g", $0) }
        let printed = String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if !printed.contains(".") && !printed.contains("e") { return printed + ".0" }
        let parts = printed.split(separator: "e")
        guard parts.count == 2 else { return printed }
        let sign = parts[1].hasPrefix("-") ? "-" : ""
        return parts[0] + "e" + sign + parts[1].drop { "+-0".contains($0) }
    }
}
