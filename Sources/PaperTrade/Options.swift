import Ledger
import Storage

public typealias Durability = Storage.Durability
public typealias AnalysisCoding = Storage.AnalysisCoding
public typealias VerifyReport = Storage.VerifyReport
public typealias RecoverReport = Storage.RecoverReport

/// How an account is opened. All of it can be left as it is.
public struct Options: Sendable {
    /// Only read: no write permission needed, nothing is mended, changes are refused.
    public var isReadOnly = false
    /// Make an account where there is none.
    public var createsIfMissing = true
    /// Trust a network file system, where flock and fsync may lie.
    public var allowsNetwork = false
    /// For a new account: its cash, zero or more; `nil`: what `config.json` says, 10,000 by default.
    public var initialCash: Money?
    /// For a new account: 1 to 64 characters of `A–Z a–z 0–9 - _`; `nil`: random.
    public var accountID: String?
    /// How long changes wait for the lock, in milliseconds; negative: for ever.
    public var lockTimeoutMilliseconds: Int64 = 10_000
    public var durability = Durability.full
    /// Gets diagnostics, one line each, on the thread of the call that noticed, without locks. It must not use the account.
    public var log: (@Sendable (LogLevel, String) -> Void)?
    /// The account's clock: gives an event's ``Record/time`` where the caller gives none. Called without locks. It must not use the account.
    public var clock: (@Sendable () -> Timestamp?)?
    /// The operating system. For tests.
    public var system: any System = SystemCalls()

    public init() {}
}

public enum LogLevel: Int32, Sendable {
    /// Something was mended.
    case info = 1
    /// Something needs attention.
    case warning = 2
}

/// What can accompany any change.
public struct RequestOptions: Sendable {
    /// Makes the change safe to repeat: the same id with the same content returns the first outcome. 1 to 64 bytes.
    public var id: String?
    /// Refuse unless this is the account's last event.
    public var expectedSeq: UInt64?
    /// When it happened, for the rules; `nil`: now, by the account's clock.
    public var time: Timestamp?
    /// Kept with the event; up to 256 bytes.
    public var note: String?

    public init(id: String? = nil, expectedSeq: UInt64? = nil, time: Timestamp? = nil, note: String? = nil) {
        self.id = id
        self.expectedSeq = expectedSeq
        self.time = time
        self.note = note
    }
}
