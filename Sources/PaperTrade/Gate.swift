import Ledger
import Storage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What keeps the threads of one handle apart: flock does not exclude them. One thread at a time is inside; it may enter again.
final class Gate: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private let system: any System
    private var owner: UInt64?
    private var depth = 0
    /// How many of those outlast a call: a batch, the account's lock.
    private var holds = 0
    private var isClosed = false
    /// Calls that are under way, inside or not.
    private var calls = 0

    init(system: any System) {
        self.system = system
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Whether the calling thread is inside.
    var isInside: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return owner == system.threadID()
    }

    /// Whether ``close()`` was called, which waits for whoever is inside.
    var isClosing: Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return isClosed
    }

    /// - Throws: ``StorageError/Kind/busy`` if another thread does not leave in time, ``StorageError/Kind/closed`` if the gate is
    ///   closed meanwhile.
    func enter(_ deadline: Deadline) throws(StorageError) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        let thread = system.threadID()
        while let owner, owner != thread {
            if isClosed { throw Self.closed }
            let remaining = deadline.remaining(system)
            guard remaining > 0 else {
                throw StorageError(.busy, "another thread of this process is using the account: try again, or wait longer")
            }
            wait(nanoseconds: min(remaining, 100_000_000))
        }
        if isClosed { throw Self.closed }
        owner = thread
        depth += 1
    }

    func leave() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard depth > 0 else { return }
        depth -= 1
        if depth == 0 { owner = nil }
        pthread_cond_broadcast(condition)
    }

    /// The thread inside goes on being inside when its call has returned.
    func hold() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        holds += 1
    }

    /// A call of the thread that holds takes over: from now on closing waits for it to ``leave()``, instead of taking from it what it
    /// holds. `false` if the calling thread holds nothing, or no longer.
    func resume() -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard owner == system.threadID(), holds > 0, !isClosed else { return false }
        holds -= 1
        return true
    }

    /// To be called before a call that closing is to wait for; ``endCall()`` after it, on the same thread.
    func beginCall() throws(StorageError) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isClosed { throw Self.closed }
        calls += 1
        CallDepth.add(1)
    }

    /// - Parameter isForked: the call has come back in a child, where another thread of the parent may have left the mutex locked.
    func endCall(isForked: Bool) {
        CallDepth.add(-1)
        if isForked { return }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        calls -= 1
        if isClosed { pthread_cond_broadcast(condition) }
    }

    /// Lets nobody in any more, and waits until no call of another thread is inside or under way. What a thread only holds is taken from it.
    ///
    /// A thread that closes one account inside a callback of another waits for nobody's callbacks: two such threads could wait for each other.
    func close() {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        isClosed = true
        pthread_cond_broadcast(condition)
        let isInCallback = CallDepth.value > 0
        while isOtherInside || (calls > 0 && !isInCallback) { wait(nanoseconds: 100_000_000) }
        owner = system.threadID()
        depth = 1
        holds = 0
    }

    private var isOtherInside: Bool {
        guard let owner, owner != system.threadID() else { return false }
        return depth > holds
    }

    static let closed = StorageError(.closed, "the account has been closed: open it again")

    /// Waits for a change, at most so long. Called with the mutex held.
    private func wait(nanoseconds: Int64) {
        // pthread_cond_timedwait takes a moment of the real-time clock. A clock that jumps only makes the wait longer or shorter than
        // it should be; the caller's deadline is by the monotonic clock, and no wait is longer than a tenth of a second.
        let now = system.realTime()
        let (seconds, microseconds) = (now + nanoseconds / 1000 + 1).quotientAndRemainder(dividingBy: 1_000_000)
        var moment = timespec(tv_sec: Int(seconds), tv_nsec: Int(microseconds) * 1000)
        pthread_cond_timedwait(condition, mutex, &moment)
    }
}

/// How many calls the thread is in, of whatever accounts: more than none inside a callback.
private enum CallDepth {
    // Not a dictionary by thread: a child could be forked while its lock is held.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    static var value: Int { key.map { Int(bitPattern: pthread_getspecific($0)) } ?? 0 }

    static func add(_ change: Int) {
        if let key { pthread_setspecific(key, UnsafeRawPointer(bitPattern: value + change)) }
    }
}
