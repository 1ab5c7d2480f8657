import Ledger
import Storage

/// Batches, and the account's own lock.
extension Account {
    /// Takes the lock and begins a batch, which belongs to the calling thread: the changes it now makes are decided at once, against
    /// each other's results, and committed together. A refusal does not end the batch. Other threads and processes wait.
    ///
    /// Prefer ``batch(timeoutMilliseconds:_:)``.
    ///
    /// - Throws: `busy`, `misuse` if this thread has begun one already, and the errors of any change.
    public func beginBatch(timeoutMilliseconds: Int64? = nil) throws(PaperTradeError) {
        try checkUsable(isReading: false)
        let time = try now()
        try translated { () throws(StorageError) in
            let deadline = deadline(timeoutMilliseconds)
            try gate.enter(deadline)
            do throws(StorageError) {
                guard batch == nil else {
                    throw StorageError(.misuse, "this thread has begun a batch already: commit it or roll it back")
                }
                try acquire(deadline)
                do throws(StorageError) {
                    try view.withLock { _ throws(StorageError) in
                        try store.catchUp(isLocked: true)
                        var draft = newDraft()
                        try acceptRules(into: &draft, time: time)
                        batch = Batch(draft)
                        gate.hold()
                    }
                } catch {
                    releaseOnce()
                    throw error
                }
            } catch {
                gate.leave()
                throw error
            }
        }
        logNotices()
    }

    /// Commits the batch. Whatever it throws, the batch has ended; unless that is `uncertain`, nothing of it has happened then.
    public func commitBatch() throws(PaperTradeError) {
        try checkUsable(isReading: false)
        let draft = try endBatch { (draft) throws(StorageError) in
            try view.withLock { _ throws(StorageError) in try store.commit(draft) }
        }
        try finish(through: draft.records.last?.seq ?? 0)
    }

    /// Ends the batch; nothing of it has happened.
    ///
    /// - Throws: `misuse` without a batch, or from another thread than began it.
    public func rollbackBatch() throws(PaperTradeError) {
        try checkUsable(isReading: false)
        _ = try endBatch { _ in }
    }

    /// Runs `body` as a batch: commits when it returns, rolls back when it throws.
    public func batch<Result>(
        timeoutMilliseconds: Int64? = nil, _ body: () throws(PaperTradeError) -> Result
    ) throws(PaperTradeError) -> Result {
        try beginBatch(timeoutMilliseconds: timeoutMilliseconds)
        let result: Result
        do throws(PaperTradeError) {
            result = try body()
        } catch {
            try? rollbackBatch()
            throw error
        }
        try commitBatch()
        return result
    }

    private func endBatch(_ body: (Draft) throws(StorageError) -> Void) throws(PaperTradeError) -> Draft {
        guard gate.resume() else {
            try checkUsable(isReading: false)  // a close may have taken it just now
            throw PaperTradeError(.misuse, "this thread has not begun a batch")
        }
        guard let draft = batch?.draft else {
            gate.hold()
            throw PaperTradeError(.misuse, "this thread has not begun a batch")
        }
        batch = nil
        defer {
            releaseOnce()
            gate.leave()
        }
        try translated { () throws(StorageError) in try body(draft) }
        return draft
    }

    /// Takes the account's lock, so that several calls of this thread form one critical section. Counted: each needs its ``unlock()``, on
    /// the same thread. Prefer ``locked(timeoutMilliseconds:_:)``.
    ///
    /// - Throws: `busy`, naming the holder; `wouldDeadlock`.
    public func lock(timeoutMilliseconds: Int64? = nil) throws(PaperTradeError) {
        try checkUsable(isReading: false)
        try translated { () throws(StorageError) in
            let deadline = deadline(timeoutMilliseconds)
            try gate.enter(deadline)
            do throws(StorageError) {
                try acquire(deadline)
                lockCount += 1
                gate.hold()
            } catch {
                gate.leave()
                throw error
            }
        }
    }

    /// - Throws: `misuse` if this thread does not hold the lock.
    public func unlock() throws(PaperTradeError) {
        try checkUsable(isReading: false)
        guard gate.resume() else {
            try checkUsable(isReading: false)  // a close may have taken it just now
            throw PaperTradeError(.misuse, "this thread does not hold the account's lock")
        }
        guard lockCount > 0 else {
            gate.hold()
            throw PaperTradeError(.misuse, "this thread does not hold the account's lock")
        }
        lockCount -= 1
        releaseOnce()
        gate.leave()
    }

    /// Runs `body` while holding the account's lock; releases it also when `body` throws.
    public func locked<Result>(
        timeoutMilliseconds: Int64? = nil, _ body: () throws(PaperTradeError) -> Result
    ) throws(PaperTradeError) -> Result {
        try lock(timeoutMilliseconds: timeoutMilliseconds)
        defer { try? unlock() }
        return try body()
    }
}
