import Ledger
import Storage

/// Why a call failed. The one error of this module.
public struct PaperTradeError: Error, Hashable, Sendable, CustomStringConvertible {
    public let status: Status
    /// One line: what was wrong, with which value, where, and what to do about it. Control characters are escaped.
    public let message: String
    /// The system's error number, 0 if none was involved.
    public let errno: Int32
    /// The event concerned, 0 if none.
    public let seq: UInt64
    /// The byte offset in the file that the message names, -1 if none.
    public let offset: Int64

    public init(_ status: Status, _ message: String, errno: Int32 = 0, seq: UInt64 = 0, offset: Int64 = -1) {
        self.status = status
        self.message = message
        self.errno = errno
        self.seq = seq
        self.offset = offset
    }

    public init(_ refusal: Refusal) { self.init(StorageError(refusal)) }

    public init(_ error: StorageError) {
        self.init(Status(error.kind), error.description, errno: error.errno, seq: error.seq, offset: error.offset)
    }

    public var description: String { message }
}

extension Status {
    init(_ kind: StorageError.Kind) {
        self =
            switch kind {
            case .busy: .busy
            case .wouldDeadlock: .wouldDeadlock
            case .forked: .forked
            case .readOnly: .readOnly
            case .noSpace: .noSpace
            case .io: .io
            case .permission: .permission
            case .networkFileSystem: .networkFileSystem
            case .unsafeFile: .unsafeFile
            case .noAccount: .noAccount
            case .exists: .exists
            case .noMemory: .noMemory
            case .replaced: .replaced
            case .closed: .closed
            case .misuse: .misuse
            case .corrupt: .corrupt
            case .newerFormat: .newerFormat
            case .wrongAccount: .wrongAccount
            case .missingData: .missingData
            case .invalidConfig: .invalidConfig
            case .invalidImport: .invalidImport
            case .uncertain: .uncertain
            case .failedHandle: .failedHandle
            case .notFound: .notFound
            case .invalidArgument: .invalidArgument
            case .refused(let refusal): Status(refusal)
            }
    }

    private init(_ refusal: Refusal) {
        self =
            switch refusal {
            case .invalidSymbol: .invalidSymbol
            case .invalidShares: .invalidShares
            case .invalidPrice: .invalidPrice
            case .invalidAmount: .invalidAmount
            case .tooPrecise: .tooPrecise
            case .invalidRatio: .invalidRatio
            case .invalidScore: .invalidScore
            case .invalidSignal: .invalidSignal
            case .textTooLong, .textNotUTF8: .invalidText
            case .invalidRequestID: .invalidRequestID
            case .invalidTime: .invalidTime
            case .invalidAccountID: .invalidArgument
            case .sequenceMismatch: .seqMismatch
            case .requestConflict: .requestConflict
            case .noPosition: .noPosition
            case .insufficientShares: .insufficientShares
            case .needsPrice: .needsPrice
            case .totalIsZero: .totalIsZero
            case .outOfRange: .outOfRange
            case .insufficientFunds: .insufficientFunds
            case .alreadyQueued: .alreadyQueued
            case .batchTooLarge: .outOfRange
            }
    }
}

/// Runs code of the layers below; their errors become ``PaperTradeError``.
func translated<Result>(_ body: () throws(StorageError) -> Result) throws(PaperTradeError) -> Result {
    do throws(StorageError) {
        return try body()
    } catch {
        throw PaperTradeError(error)
    }
}

/// Checks arguments; refusals become ``PaperTradeError``.
func checked<Result>(_ body: () throws(Refusal) -> Result) throws(PaperTradeError) -> Result {
    do throws(Refusal) {
        return try body()
    } catch {
        throw PaperTradeError(error)
    }
}
