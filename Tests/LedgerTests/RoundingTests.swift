import Ledger
import Testing

/// Whether `result` is `numerator` ÷ `denominator` rounded half to even, by the definition: no multiple is nearer, and of two
/// that are equally near it is the even one. `nil` is right exactly when the rounded quotient is out of range.
private func isRounded(_ result: Int64?, _ numerator: Int128, _ denominator: Int128) -> Bool {
    guard denominator != 0 else { return result == nil }
    guard let result else {
        // The limit is odd, so that the tie just above it rounds up and out.
        return 2 * numerator.magnitude >= (2 * UInt128(amountLimit.magnitude) + 1) * denominator.magnitude
    }
    guard abs(result) <= amountLimit else { return false }
    let doubleError = 2 * (numerator - Int128(result) * denominator).magnitude
    return doubleError < denominator.magnitude || (doubleError == denominator.magnitude && result % 2 == 0)
}

@Suite struct Rounding {
    /// The slowest reference there is: of all candidates, the nearest; of two, the even one.
    private func nearest(_ numerator: Int64, _ denominator: Int64) -> Int64? {
        if denominator == 0 { return nil }
        var best: Int64 = 0
        for candidate in Int64(-60)...60 {
            let error = abs(numerator - candidate * denominator)
            let bestError = abs(numerator - best * denominator)
            if error < bestError || (error == bestError && candidate % 2 == 0) { best = candidate }
        }
        return best
    }

    @Test func `small quotients are rounded half to even, of any signs`() {
        for numerator in Int64(-50)...50 {
            for denominator in Int64(-12)...12 {
                let rounded = Money(clamping: numerator).proportion(Shares(clamping: 1), of: Shares(clamping: denominator))
                if rounded?.micros != nearest(numerator, denominator) {
                    Issue.record("\(numerator) ÷ \(denominator) gave \(rounded?.micros as Int64?)")
                }
            }
        }
    }

    @Test func `exact ties go to the even millionth`() throws {
        let table = """
            # shares     price      notional
            0.5          0.000001   0
            0.5          0.000003   0.000002
            0.5          0.000005   0.000002
            0.5          0.000007   0.000004
            1.5          0.000001   0.000002
            2.5          0.000001   0.000002
            -0.5         0.000003   -0.000002
            -0.5         0.000005   -0.000002
            0.000001     0.5        0
            0.000001     1.5        0.000002
            0.000003     0.500001   0.000002
            0.25         0.000002   0
            0.25         0.000006   0.000002
            0.125        1.000004   0.125
            0.125        1.000012   0.125002
            333.333333   3          999.999999
            """
        for row in rows(table) {
            let notional = try Shares(row[0]).notional(at: try Price(row[1]))
            #expect(notional.map(short) == row[2], "\(row)")
        }
    }

    @Test func `shares × price is exact for whole shares`() {
        var random = Random()
        for _ in 0..<20_000 {
            let count = random.spread(upTo: 999_999_999)
            let price = random.spread()
            let exact = Int128(count) * Int128(price)
            let notional = Shares(clamping: count * microsPerUnit).notional(at: Price(clamping: price))
            if notional.map({ Int128($0.micros) }) != (exact <= Int128(amountLimit) ? exact : nil) {
                Issue.record("\(count) × \(price) gave \(notional?.micros as Int64?), seed \(runSeed)")
            }
        }
    }

    @Test func `every product and quotient is rounded once, half to even, and nil out of range`() {
        var random = Random()
        let million: Int128 = 1_000_000
        for _ in 0..<40_000 {
            let (first, second, third) = (random.anyMicros(), random.anyMicros(), random.anyMicros())
            let (a, b, c) = (Int128(first), Int128(second), Int128(third))
            let money = Money(clamping: first)
            let right = [
                isRounded(Shares(clamping: first).notional(at: Price(clamping: second))?.micros, a * b, million),
                isRounded(money.proportion(Shares(clamping: second), of: Shares(clamping: third))?.micros, a * b, c),
                isRounded(money.averagePrice(for: Shares(clamping: second))?.micros, a * million, b),
                isRounded(money.percentage(Rate(clamping: second))?.micros, a * b, 100 * million),
                isRounded(money.percent(of: Money(clamping: second))?.micros, a * 100 * million, b),
            ]
            if right.contains(false) { Issue.record("\(first), \(second), \(third): \(right), seed \(runSeed)") }
        }
    }

    @Test func `no product or quotient of extreme amounts traps`() {
        for first in `Sums and limits`.edges {
            for second in `Sums and limits`.edges {
                let money = Money(clamping: first)
                let (a, b) = (Int128(first), Int128(second))
                #expect(isRounded(Shares(clamping: first).notional(at: Price(clamping: second))?.micros, a * b, 1_000_000))
                #expect(isRounded(money.averagePrice(for: Shares(clamping: second))?.micros, a * 1_000_000, b))
                #expect(isRounded(money.percentage(Rate(clamping: second))?.micros, a * b, 100_000_000))
                #expect(isRounded(money.percent(of: Money(clamping: second))?.micros, a * 100_000_000, b))
                for third in `Sums and limits`.edges {
                    let part = money.proportion(Shares(clamping: second), of: Shares(clamping: third))
                    #expect(isRounded(part?.micros, a * b, Int128(third)))
                }
            }
        }
    }

    @Test func `what an amount affords is rounded down`() throws {
        let table = """
            # amount    price      shares      whole
            1000        150        6.666666    6
            1000        1000       1           1
            999.999999  1000       0.999999    0
            0           1          0           0
            0.000001    1000000    0           0
            0.000001    0.000001   1           1
            999999999   0.000001   nil         nil
            1000        0          nil         nil
            1000        -1         nil         nil
            -1          1          nil         nil
            """
        for row in rows(table) {
            let (amount, price) = (try Money(row[0]), try Price(row[1]))
            #expect(amount.sharesAffordable(at: price, wholeShares: false).map(short) ?? "nil" == row[2], "\(row)")
            #expect(amount.sharesAffordable(at: price, wholeShares: true).map(short) ?? "nil" == row[3], "\(row)")
        }
    }

    @Test func `the cost basis is the rounded average, or nothing when it cannot be expressed`() throws {
        let table = """
            # shares    cost         basis
            40          6000         150
            3           100          33.333333
            7           0.00001      0.000001
            6           0.000009     0.000002
            0.000001    999          999000000
            0.000001    1000         nil
            """
        for row in rows(table) {
            let position = Position(
                symbol: try Symbol("AAPL"), shares: try Shares(row[0]), cost: try Money(row[1]), firstPurchaseDate: start)
            #expect(position.costBasis.map(short) ?? "nil" == row[2], "\(row)")
        }
    }
}
