/// What a call came to: the numbers of the C API, which are never reused. New ones may be added; they keep their ranges.
public struct Status: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let ok = Status(rawValue: 0)

    // Refused by a rule of the account. Nothing has changed.
    public static let insufficientFunds = Status(rawValue: 101)
    public static let insufficientShares = Status(rawValue: 102)
    public static let noPosition = Status(rawValue: 103)
    public static let alreadyQueued = Status(rawValue: 104)
    public static let seqMismatch = Status(rawValue: 105)
    public static let requestConflict = Status(rawValue: 106)
    public static let totalIsZero = Status(rawValue: 107)
    public static let outOfRange = Status(rawValue: 108)
    public static let notFound = Status(rawValue: 109)
    public static let needsPrice = Status(rawValue: 110)

    // An argument is wrong. Nothing has changed.
    public static let invalidArgument = Status(rawValue: 201)
    public static let invalidSymbol = Status(rawValue: 202)
    public static let invalidShares = Status(rawValue: 203)
    public static let invalidPrice = Status(rawValue: 204)
    public static let invalidAmount = Status(rawValue: 205)
    public static let tooPrecise = Status(rawValue: 206)
    public static let invalidText = Status(rawValue: 207)
    public static let invalidRequestID = Status(rawValue: 208)
    public static let invalidTime = Status(rawValue: 209)
    public static let invalidScore = Status(rawValue: 210)
    public static let invalidSignal = Status(rawValue: 211)
    public static let invalidRatio = Status(rawValue: 212)
    public static let bufferTooSmall = Status(rawValue: 213)
    public static let misuse = Status(rawValue: 214)
    public static let closed = Status(rawValue: 215)

    // The environment does not allow it. Nothing has changed.
    public static let busy = Status(rawValue: 301)
    public static let wouldDeadlock = Status(rawValue: 302)
    public static let forked = Status(rawValue: 303)
    public static let readOnly = Status(rawValue: 304)
    public static let noSpace = Status(rawValue: 305)
    public static let io = Status(rawValue: 306)
    public static let permission = Status(rawValue: 307)
    public static let networkFileSystem = Status(rawValue: 308)
    public static let unsafeFile = Status(rawValue: 309)
    public static let noAccount = Status(rawValue: 310)
    public static let exists = Status(rawValue: 311)
    public static let noMemory = Status(rawValue: 312)
    public static let stopped = Status(rawValue: 313)
    public static let replaced = Status(rawValue: 314)

    // The data is not usable. Nothing has changed.
    public static let corrupt = Status(rawValue: 401)
    public static let newerFormat = Status(rawValue: 402)
    public static let wrongAccount = Status(rawValue: 403)
    public static let missingData = Status(rawValue: 404)
    public static let invalidConfig = Status(rawValue: 405)
    public static let invalidImport = Status(rawValue: 406)

    // It is not known whether the change has happened.
    public static let uncertain = Status(rawValue: 501)
    public static let failedHandle = Status(rawValue: 502)

    /// Every status with the name of its C constant.
    public static let names: [(status: Status, name: StaticString)] = [
        (.ok, "PT_OK"),
        (.insufficientFunds, "PT_INSUFFICIENT_FUNDS"), (.insufficientShares, "PT_INSUFFICIENT_SHARES"),
        (.noPosition, "PT_NO_POSITION"), (.alreadyQueued, "PT_ALREADY_QUEUED"), (.seqMismatch, "PT_SEQ_MISMATCH"),
        (.requestConflict, "PT_REQUEST_CONFLICT"), (.totalIsZero, "PT_TOTAL_IS_ZERO"), (.outOfRange, "PT_OUT_OF_RANGE"),
        (.notFound, "PT_NOT_FOUND"), (.needsPrice, "PT_NEEDS_PRICE"),
        (.invalidArgument, "PT_INVALID_ARGUMENT"), (.invalidSymbol, "PT_INVALID_SYMBOL"), (.invalidShares, "PT_INVALID_SHARES"),
        (.invalidPrice, "PT_INVALID_PRICE"), (.invalidAmount, "PT_INVALID_AMOUNT"), (.tooPrecise, "PT_TOO_PRECISE"),
        (.invalidText, "PT_INVALID_TEXT"), (.invalidRequestID, "PT_INVALID_REQUEST_ID"), (.invalidTime, "PT_INVALID_TIME"),
        (.invalidScore, "PT_INVALID_SCORE"), (.invalidSignal, "PT_INVALID_SIGNAL"), (.invalidRatio, "PT_INVALID_RATIO"),
        (.bufferTooSmall, "PT_BUFFER_TOO_SMALL"), (.misuse, "PT_MISUSE"), (.closed, "PT_CLOSED"),
        (.busy, "PT_BUSY"), (.wouldDeadlock, "PT_WOULD_DEADLOCK"), (.forked, "PT_FORKED"), (.readOnly, "PT_READ_ONLY"),
        (.noSpace, "PT_NO_SPACE"), (.io, "PT_IO"), (.permission, "PT_PERMISSION"),
        (.networkFileSystem, "PT_NETWORK_FILE_SYSTEM"), (.unsafeFile, "PT_UNSAFE_FILE"), (.noAccount, "PT_NO_ACCOUNT"),
        (.exists, "PT_EXISTS"), (.noMemory, "PT_NO_MEMORY"), (.stopped, "PT_STOPPED"), (.replaced, "PT_REPLACED"),
        (.corrupt, "PT_CORRUPT"), (.newerFormat, "PT_NEWER_FORMAT"), (.wrongAccount, "PT_WRONG_ACCOUNT"),
        (.missingData, "PT_MISSING_DATA"), (.invalidConfig, "PT_INVALID_CONFIG"), (.invalidImport, "PT_INVALID_IMPORT"),
        (.uncertain, "PT_UNCERTAIN"), (.failedHandle, "PT_FAILED_HANDLE"),
    ]
}

extension Status: CustomStringConvertible {
    /// The name of the C constant, such as `PT_BUSY`.
    public var description: String {
        Self.names.first { $0.status == self }.map { "\($0.name)" } ?? "PT_UNKNOWN"
    }
}
