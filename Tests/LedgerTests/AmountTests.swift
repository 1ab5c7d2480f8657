import Ledger
import Testing

@Suite struct `Amounts as Double` {
    @Test func `every amount survives the trip through a Double`() {
        var random = Random()
        let limits = [0, 1, -1, amountLimit, -amountLimit, amountLimit - 1, 1 - amountLimit]
        let sample =
            limits + (0..<200_000).map { _ in random.int(-amountLimit...amountLimit) }
            + (0..<100_000).map { _ in random.anyMicros() }
        let wrong = sample.filter { (try? Money(Money(clamping: $0).doubleValue))?.micros != $0 }
        #expect(wrong.prefix(5) == [], "seed \(runSeed)")
    }

    @Test func `every small amount survives the trip through a Double`() {
        let wrong = (-200_000...200_000).filter { (try? Price(Price(clamping: $0).doubleValue))?.micros != Int64($0) }
        #expect(wrong.prefix(5) == [])
    }

    @Test func `an amount's Double is the one that its decimal text reads as`() {
        var random = Random()
        let sample = (0..<50_000).map { _ in random.anyMicros() } + Array(-2000...2000)
        let wrong = sample.filter { Money(clamping: $0).doubleValue != Double(Money(clamping: $0).description) }
        #expect(wrong.prefix(5) == [], "seed \(runSeed)")
    }

    @Test func `a Double is taken to the nearest millionth, or refused with the reason`() throws {
        let table = """
            0                       0
            -0.0                    0
            1                       1000000
            -0.25                   -250000
            99.99999999999999       100000000
            0.1                     100000
            150.25                  150250000
            999999999.999999        999999999999999
            -999999999.999999       -999999999999999
            999999999.9999994       999999999999999
            999999999.9999996       outOfRange
            1000000000              outOfRange
            -1000000000             outOfRange
            1e15                    outOfRange
            1e300                   outOfRange
            1.7976931348623157e308  outOfRange
            inf                     outOfRange
            -inf                    outOfRange
            nan                     notANumber
            -nan                    notANumber
            0.000001                1
            0.000002                2
            0.0000078               tooPrecise
            -0.0000078              tooPrecise
            0.0000005               tooPrecise
            0.0000001               tooPrecise
            5e-324                  tooPrecise
            # Rounding may change a value by a ten-thousandth of itself: half a millionth from 0.005 on.
            0.0049995               tooPrecise
            0.0050005               5000
            -0.0050005              -5000
            0.0050015               5002
            0.000100009             100
            0.000100011             tooPrecise
            0.00010000999           100
            # Ties go to the even millionth.
            64.0000005              64000000
            0.0078125               7812
            0.0234375               23438
            -0.0078125              -7812
            """
        for row in rows(table) {
            let value = try #require(Double(row[0]))
            let outcome: String
            do throws(AmountError) { outcome = "\(try Money(value).micros)" } catch { outcome = "\(error)" }
            #expect(outcome == row[1], "\(row[0])")
        }
    }

    @Test func `a Double is refused exactly when rounding changes it by more than a ten-thousandth`() {
        // In tenths of a millionth, where the rule can be stated in whole numbers; x.x5 ties are left to the table above.
        let wrong = (1...120_000).filter { tenths in
            let nearest = (tenths + 5) / 10 * 10
            let change = abs(nearest - tenths)
            if change == 5 || change * 10_000 == tenths { return false }
            return ((try? Rate(Double(tenths) / 1e7)) != nil) != (change * 10_000 < tenths)
        }
        #expect(wrong.prefix(5) == [])
    }
}

@Suite struct `Sums and limits` {
    static let edges: [Int64] = [0, 1, 2, 999_999, 1_000_000, 500_000_000_000_000, 999_999_999_999_998, amountLimit]
        .flatMap { [$0, -$0] }

    @Test func `a number of micros is an amount exactly within the limit`() {
        for micros in [amountLimit, -amountLimit, 0] { #expect(Shares(micros: micros)?.micros == micros) }
        for micros in [amountLimit + 1, -amountLimit - 1, .max, .min] { #expect(Shares(micros: micros) == nil) }
        #expect(Shares(clamping: .max).micros == amountLimit)
        #expect(Shares(clamping: .min).micros == -amountLimit)
    }

    @Test func `sums and differences are exact, or nil out of range`() {
        for left in Self.edges {
            for right in Self.edges {
                let sum = left + right
                let difference = left - right
                #expect(Money(clamping: left).adding(Money(clamping: right))?.micros == (abs(sum) <= amountLimit ? sum : nil))
                #expect(
                    Money(clamping: left).subtracting(Money(clamping: right))?.micros
                        == (abs(difference) <= amountLimit ? difference : nil))
            }
        }
    }

    @Test func `negating twice gives the amount back, and the order is that of the micros`() {
        for left in Self.edges {
            #expect(Money(clamping: left).negated.micros == -left)
            #expect(Money(clamping: left).negated.negated == Money(clamping: left))
            for right in Self.edges { #expect((Money(clamping: left) < Money(clamping: right)) == (left < right)) }
        }
    }

    @Test func `signs and wholes`() {
        for micros in Self.edges {
            let amount = Shares(clamping: micros)
            #expect([amount.isPositive, amount.isNegative, amount.isZero] == [micros > 0, micros < 0, micros == 0])
            #expect(amount.isWhole == (micros % 1_000_000 == 0))
        }
    }
}
