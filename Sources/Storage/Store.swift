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
    /// The same for who wants one request carried out: if the lock has to be waited for, whoever has it may carry it out.
    ///
    /// - Parameter place: the store's, as it was before.
    /// - Throws: nothing has happened, unless the error says ``StorageError/Kind/uncertain``.
    func lock(
        _ deadline: Deadline, leaving request: Request, since place: StorePlace
    ) throws(StorageError) -> Delegation
    func unlock()
    /// Reads what others have committed. Under the lock it also mends what a crash left.
    func catchUp(isLocked: Bool) throws(StorageError)
    /// The same under the lock, for who has left a request before he got it. Returns its event if somebody has carried it out.
    func catchUp(lookingFor left: LeftRequest) throws(StorageError) -> Record?
    /// Makes the draft's records part of the account, all or none, and publishes the new state. Under the lock.
    ///
    /// - Throws: nothing has happened, unless the error says ``StorageError/Kind/uncertain``.
    func commit(_ draft: Draft) throws(StorageError)
    /// What others have left to be carried out, by ``lock(_:leaving:since:)``. Under the lock, after ``catchUp(isLocked:)``.
    func requestsOfOthers() -> [OthersRequest]
    /// The same as ``commit(_:)`` for a draft in which others' requests have been decided, too.
    ///
    /// - Parameter others: those requests, and for each the index of its record in the draft; none if it was refused.
    /// - Returns: what is to be acknowledged once the draft is as durable as it is to be. `nil`: somebody has withdrawn a request, and nothing has
    ///   happened.
    func commit(_ draft: Draft, _ others: [(request: OthersRequest, index: Int?)]) throws(StorageError) -> Acknowledgement?
    /// Publishes the state again if the published one is behind or was edited. Under the lock.
    func publish() throws(StorageError)
    /// Returns when the event and all before it are on the disk. Not under the lock; several threads may call it at once.
    func sync(through seq: UInt64) throws(StorageError)
}

/// What has become of a request that could be left to others.
public enum Delegation: Sendable {
    /// The lock is held.
    case locked
    /// The same, but the request has been left before: somebody may have carried it out.
    case lockedAfterLeaving(LeftRequest)
    /// Somebody has carried it out, and it is as durable as this store's own commits. The lock is not held.
    case done(Record)
}

/// Where a store was when it was last read.
public struct StorePlace: Sendable {
    let accountID: String
    let journal: OpenFile
    let generation: UInt32
    let offset: Int64
}

/// A request that this store has left to others.
public struct LeftRequest: Sendable {
    let ticket: String
    let place: StorePlace
}

/// A request that somebody else has left.
public struct OthersRequest: Sendable {
    public let request: Request
    let ticket: String
    let entry: RequestBoard.Entry
}

/// Who is to be told that his request has been carried out.
public struct Acknowledgement: Sendable {
    /// The last event of the commit.
    public let seq: UInt64
    let claims: [RequestBoard.Claim]
    let board: RequestBoard?

    /// Tells them. Not under the lock; several threads may call it at once.
    public func send() { board?.report(claims) }
}

/// Something that was noticed or mended, for the log.
public struct Notice: Equatable, Sendable {
    public let isWarning: Bool
    public let message: String

    public init(isWarning: Bool, message: String) {
        self.isWarning = isWarning
        self.message = message
    }
}

/// How much an acknowledgement promises.
public enum Durability: String, Sendable {
    /// On the disk: survives a power cut.
    case full
    /// Handed to the system: survives a crash of the program.
    case process
}
