import Ledger

/// Where an account is kept: what the rest of the library needs of a directory now, and of a database one day.
///
/// The order of a change: `lock`, `catchUp`, decide, `commit` (which also publishes), `unlock`, `sync`. Between `lock` and
/// `unlock` nobody else changes the account.
///
/// All calls but ``sync(through:)`` must be made by one thread at a time.
public protocol Store: AnyObject {
    /// The account as last read.
    var state: AccountState { get }
    /// The last event known to be on the disk.
    var durableSeq: UInt64 { get }
    /// Set once an outcome could not be known: no more changes.
    var failure: StorageError? { get }

    /// Keeps everybody else from changing the account.
    func lock(_ deadline: Deadline) throws(StorageError)
    func unlock()
    /// Reads what others have committed. Under the lock it also mends what a crash left.
    func catchUp(isLocked: Bool) throws(StorageError)
    /// Makes the draft's records part of the account, all or none, and publishes the new state. Under the lock.
    ///
    /// - Throws: nothing has happened, unless the error says ``StorageError/Kind/uncertain``.
    func commit(_ draft: Draft) throws(StorageError)
    /// Publishes the state again if the published one is behind or was edited. Under the lock.
    func publish() throws(StorageError)
    /// Returns when the event and all before it are on the disk. Not under the lock; several threads may call it at once.
    func sync(through seq: UInt64) throws(StorageError)
}

/// Something that was noticed or mended, for the log.
public struct Notice: Hashable, Sendable {
    public let isWarning: Bool
    public let message: String

    public init(isWarning: Bool, message: String) {
        self.isWarning = isWarning
        self.message = message
    }
}

/// How much an acknowledgement promises.
public enum Durability: Sendable {
    /// On the disk: survives a power cut.
    case full
    /// Handed to the system: survives a crash of the program.
    case process
}
