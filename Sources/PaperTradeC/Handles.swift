import PaperTrade
import Storage
import Synchronization

/// What the opaque pointers of the C API stand for.
///
/// A handle is a number that is never used twice, not an address: using one after it was closed is an error with a message, not a
/// read of freed memory. This table is the only state of the library that is not in a handle, and nothing can be seen through it.
enum Handles {
    static func account(_ handle: OpaquePointer?) throws(PaperTradeError) -> Account {
        guard let handle else { throw PaperTradeError(.invalidArgument, "account is NULL: open it with pt_open") }
        guard let account = try table().object(handle) as? Account else { throw notOpen("account") }
        return account
    }

    static func lock(_ handle: OpaquePointer?) throws(PaperTradeError) -> Lock {
        guard let handle else { throw PaperTradeError(.invalidArgument, "lock is NULL: open it with pt_lock_open") }
        guard let lock = try table().object(handle) as? Lock else { throw notOpen("lock") }
        return lock
    }

    static func add(_ object: AnyObject & Sendable) -> OpaquePointer? { table().add(object) }

    static func remove(_ handle: OpaquePointer) throws(PaperTradeError) { try table().remove(handle) }

    static func notOpen(_ what: String) -> PaperTradeError {
        PaperTradeError(.closed, "this \(what) has been closed, or never was opened: open it again")
    }

    /// The table of this process. A forked child starts an empty one: another thread of the parent may have held the lock of the
    /// inherited one, which nobody would release here. For the same reason it is put in place without a lock.
    private static func table() -> HandleTable {
        let processID = SystemCalls().processID()
        let found = current.load(ordering: .acquiring)
        // Never freed: whatever was current stays the parent of what replaced it.
        let table = found.takeUnretainedValue()
        if table.processID == processID { return table }
        let new = Unmanaged.passRetained(HandleTable(processID: processID, parent: table))
        let (isMine, first) = current.compareExchange(expected: found, desired: new, ordering: .acquiringAndReleasing)
        if isMine { return new.takeUnretainedValue() }
        // Another thread of the child was first; with two tables, a number would stand for two handles.
        new.release()
        return first.takeUnretainedValue()
    }

    private static let current = Atomic(
        Unmanaged.passRetained(HandleTable(processID: SystemCalls().processID(), parent: nil)))
}

final class HandleTable: @unchecked Sendable {
    let processID: Int32
    /// The table that was inherited by a fork. Never freed: that would close the parent's accounts, and wait for the locks that were held
    /// when it forked.
    private let parent: HandleTable?
    /// Handles below this were opened by a parent process.
    private let firstID: UInt
    /// Read without the lock, and only by a child that has just been forked: then no other thread writes it.
    private(set) var nextIDOfParent: UInt
    /// Accounts and locks. As plain references: those of an enumeration have its case in their spare bits, and leak checkers do not see them.
    private let objects = Locked<[UInt: AnyObject & Sendable]>([:])

    /// Handles are multiples of this, so that they look like the aligned pointers they are declared as.
    private static let stride: UInt = 16

    init(processID: Int32, parent: HandleTable?) {
        self.processID = processID
        self.parent = parent
        firstID = parent?.nextIDOfParent ?? 1
        nextIDOfParent = firstID
    }

    func add(_ object: AnyObject & Sendable) -> OpaquePointer? {
        objects.withLock { objects in
            let id = nextIDOfParent
            nextIDOfParent += 1
            objects[id] = object
            return OpaquePointer(bitPattern: id &* Self.stride)
        }
    }

    func object(_ handle: OpaquePointer) throws(PaperTradeError) -> AnyObject & Sendable {
        let id = UInt(bitPattern: handle) / Self.stride
        guard let object = objects.withLock({ $0[id] }), UInt(bitPattern: handle) % Self.stride == 0 else {
            throw missing(id)
        }
        return object
    }

    func remove(_ handle: OpaquePointer) throws(PaperTradeError) {
        let id = UInt(bitPattern: handle) / Self.stride
        guard objects.withLock({ $0.removeValue(forKey: id) }) != nil else { throw missing(id) }
    }

    private func missing(_ id: UInt) -> PaperTradeError {
        0 < id && id < firstID
            ? PaperTradeError(.forked, "this handle was opened by the parent process: open it again in the child")
            : Handles.notOpen("handle")
    }
}
