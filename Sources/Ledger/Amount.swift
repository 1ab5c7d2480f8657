/// A quantity counted in whole millionths ("micros"), so that arithmetic is exact.
///
/// | operation                     | result   | rounding                   | error            |
/// |-------------------------------|----------|----------------------------|------------------|
/// | `a + b`, `a - b` (same type)  | same     | none                       | `nil` off range  |
/// | shares × price                | `Money`  | once, half to even         | `nil` off range  |
/// | money × part ÷ whole          | `Money`  | once, half to even         | `nil` off range  |
/// | money ÷ shares                | `Price`  | once, half to even         | `nil` off range  |
/// | money × rate                  | `Money`  | once, half to even         | `nil` off range  |
/// | from `Double`                 | any      | nearest, half to even      | ``AmountError``  |
/// | from text                     | any      | none: refused if inexact   | ``AmountError``  |
/// | to `Double`, to text          | —        | none                       | —                |
///
/// The four amounts are distinct types and cannot be mixed. All of them lie within ±999,999,999.999999. In that range a decimal
/// survives the trip through a `Double` and back unchanged, which is why C and JSON can carry amounts as ordinary numbers.
public protocol Amount: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The quantity in millionths, within ±``amountLimit``.
    var micros: Int64 { get }

    /// The amount nearest to `micros` that is in range.
    init(clamping micros: Int64)
}

/// The largest magnitude of an amount, in micros: 999,999,999.999999.
public let amountLimit: Int64 = 999_999_999_999_999

/// Millionths in one.
public let microsPerUnit: Int64 = 1_000_000

/// Why a number is not an amount.
public enum AmountError: Error, Equatable, Sendable {
    /// NaN, or text that is not a decimal number.
    case notANumber
    /// Beyond ±999,999,999.999999, or infinite.
    case outOfRange
    /// Rounding to a millionth would change it: text at all, a `Double` by more than a ten-thousandth of itself.
    case tooPrecise
}

/// A number of shares.
public struct Shares: Amount {
    public let micros: Int64
    public init(clamping micros: Int64) { self.micros = min(max(micros, -amountLimit), amountLimit) }
}

/// What one share costs, in the account's currency.
public struct Price: Amount {
    public let micros: Int64
    public init(clamping micros: Int64) { self.micros = min(max(micros, -amountLimit), amountLimit) }
}

/// An amount of the account's currency.
public struct Money: Amount {
    public let micros: Int64
    public init(clamping micros: Int64) { self.micros = min(max(micros, -amountLimit), amountLimit) }
}

/// A percentage, or a score: a plain number that is no quantity of anything.
public struct Rate: Amount {
    public let micros: Int64
    public init(clamping micros: Int64) { self.micros = min(max(micros, -amountLimit), amountLimit) }
}

extension Amount {
    /// Nothing of it.
    public static var zero: Self { Self(clamping: 0) }

    /// `nil` if `micros` is out of range.
    public init?(micros: Int64) {
        guard micros.magnitude <= amountLimit.magnitude else { return nil }
        self.init(clamping: micros)
    }

    /// The nearest amount to `value`.
    ///
    /// - Throws: ``AmountError`` for NaN, a value out of range, and one that rounding would change by more than 10⁻⁴ of itself.
    public init(_ value: Double) throws(AmountError) {
        if value.isNaN { throw .notANumber }
        let scaled = (value * 1e6).rounded(.toNearestOrEven)
        guard scaled.magnitude <= Double(amountLimit) else { throw .outOfRange }
        let change = (scaled - value * 1e6).magnitude
        guard change <= (value * 1e6).magnitude * 1e-4 else { throw .tooPrecise }
        self.init(clamping: Int64(scaled))
    }

    /// The exact value as a `Double`: dividing, not multiplying by 1e-6, which is off for more than a quarter of all values.
    public var doubleValue: Double { Double(micros) / 1e6 }

    public static func < (left: Self, right: Self) -> Bool { left.micros < right.micros }

    /// The sum, or `nil` if it is out of range.
    public func adding(_ other: Self) -> Self? {
        let (sum, overflow) = micros.addingReportingOverflow(other.micros)
        return overflow ? nil : Self(micros: sum)
    }

    /// The difference, or `nil` if it is out of range.
    public func subtracting(_ other: Self) -> Self? {
        let (difference, overflow) = micros.subtractingReportingOverflow(other.micros)
        return overflow ? nil : Self(micros: difference)
    }

    /// The same quantity with the opposite sign. The range is symmetric, so it always exists.
    public var negated: Self { Self(clamping: 0 - micros) }

    public var isPositive: Bool { micros > 0 }
    public var isNegative: Bool { micros < 0 }
    public var isZero: Bool { micros == 0 }
}

extension Shares {
    /// What these shares cost at `price`, rounded once, half to even; `nil` if that is out of range.
    public func notional(at price: Price) -> Money? {
        Money(rounding: Int128(micros) * Int128(price.micros), dividedBy: Int128(microsPerUnit))
    }

    /// Whether this is a whole number of shares.
    public var isWhole: Bool { micros % microsPerUnit == 0 }
}

extension Money {
    /// This amount's share that `part` is of `whole`, rounded half to even; `nil` if `whole` is zero or the result is out of range.
    public func proportion(_ part: Shares, of whole: Shares) -> Money? {
        Money(rounding: Int128(micros) * Int128(part.micros), dividedBy: Int128(whole.micros))
    }

    /// The average price if this amount was paid for `shares`; `nil` if there are none or the price is out of range.
    public func averagePrice(for shares: Shares) -> Price? {
        Price(rounding: Int128(micros) * Int128(microsPerUnit), dividedBy: Int128(shares.micros))
    }

    /// `rate` per cent of this amount, rounded half to even; `nil` if out of range.
    public func percentage(_ rate: Rate) -> Money? {
        Money(rounding: Int128(micros) * Int128(rate.micros), dividedBy: Int128(100) * Int128(microsPerUnit))
    }

    /// This amount as a percentage of `whole`, rounded half to even; `nil` if `whole` is zero or the result is out of range.
    public func percent(of whole: Money) -> Rate? {
        Rate(rounding: Int128(micros) * Int128(100) * Int128(microsPerUnit), dividedBy: Int128(whole.micros))
    }

    /// How many shares this amount buys at `price`, rounded down; `nil` if the price is not positive or the number out of range.
    public func sharesAffordable(at price: Price, wholeShares: Bool) -> Shares? {
        guard price.isPositive, !isNegative else { return nil }
        let exact = Int128(micros) * Int128(microsPerUnit) / Int128(price.micros)
        let rounded = wholeShares ? exact - exact % Int128(microsPerUnit) : exact
        return Int64(exactly: rounded).flatMap(Shares.init(micros:))
    }
}

extension Amount {
    /// `numerator` ÷ `denominator` rounded half to even; `nil` if the denominator is zero or the result out of range.
    ///
    /// Products of two amounts are below 10³⁰ and Int128 holds 1.7 × 10³⁸, so callers cannot overflow it with two amounts and a
    /// small factor.
    init?(rounding numerator: Int128, dividedBy denominator: Int128) {
        guard denominator != 0 else { return nil }
        var (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        let twice = remainder.magnitude * 2
        let half = denominator.magnitude
        if twice > half || (twice == half && quotient % 2 != 0) {
            quotient += (numerator < 0) == (denominator < 0) ? 1 : -1
        }
        guard let micros = Int64(exactly: quotient) else { return nil }
        self.init(micros: micros)
    }
}
