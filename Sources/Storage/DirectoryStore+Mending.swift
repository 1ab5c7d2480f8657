import Ledger

/// What open does under the lock about what a crash left.
extension DirectoryStore {
    /// Does under the lock what the table says, and finishes or undoes what crashes left half done.
    ///
    /// - Parameter view: what portfolio.json says, if that is of this account and generation.
    func mend(_ action: RecoveryAction, tail: TornWriteTest.Tail?, view: Portfolio?) throws(StorageError) {
        if directory.isReadOnly { return }
        if let tail { try wipe(to: tail.end) }
        try syncUnknown()
        try finishReset()
        // Whoever made this journal may have died before syncing its name; nothing had been published then.
        if action != .trust { try directory.syncDirectory() }
        switch action {
        case .publish(keepsOld: true), .wipe(keepsOld: true):
            if try directory.status(AccountFile.portfolio) != nil {
                try keepAside(
                    AccountFile.portfolio, as: "edited",
                    because: "it is not what the journal says; the account's own file has been published again")
            }
        default: break
        }
        try disposeOfTemporary()
        if action == .trust, published == nil, let view, let status = try directory.status(AccountFile.portfolio) {
            // As it was written: it may know less than is on the disk now, and is published again then.
            published = PublishedFile(status.identity, size: status.size, time: system.monotonicTime(), view.reference)
        }
    }

    /// Removes the unacknowledged tail of the journal, and syncs that before anything is appended: a power cut must not bring it
    /// back behind new events.
    private func wipe(to end: Int64) throws(StorageError) {
        let path = journalPath()
        let blank = [UInt8](repeating: fill, count: Int(max(0, end - position.offset)))
        try rewrite(blank, at: position.offset, "wipe the tail of")
        if !blank.isEmpty {
            notice(
                isWarning: false,
                "\(escaped(path)): removed \(blank.count) bytes of an unacknowledged write at byte \(position.offset)")
        }
    }

    /// Nobody can see what the disk really has, because reads come from the page cache, and a failed flush may have left the
    /// cache clean. So the bytes beyond the known durable point are written again before anything is built on them.
    private func syncUnknown() throws(StorageError) {
        let (offset, isKnown) = progress.withLock { ($0.durableOffset, $0.durableSeq >= position.seq) }
        if isKnown { return }
        let bytes = try directory.read(journal, AccountFile.journal, at: offset, count: Int(position.offset - offset))
        try rewrite(bytes, at: offset, "sync")
        let seq = position.seq
        progress.withLock { $0.synced(seq) }
    }

    /// A failed sync is reported once for each open file: here it is reported instead of to a commit of another thread of this handle that
    /// waits for its own. So it counts for all of them.
    private func rewrite(_ bytes: [UInt8], at offset: Int64, _ operation: String) throws(StorageError) {
        try syncGate.withLock { _ throws(StorageError) in
            try attempt(operation, journalPath()) { () throws(Errno) in try directory.write(bytes, to: journal, at: offset) }
            do throws(Errno) {
                try system.syncData(journal.descriptor)
            } catch {
                let failure = StorageError(error, operation, journalPath())
                progress.withLock { $0.failure = failure }
                throw failure
            }
        }
    }
}
