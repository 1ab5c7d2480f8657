import Ledger

/// A second lock, on the journal itself.
///
/// The lock file can be deleted while somebody holds it. Whoever comes next makes another one and holds that, so both are inside, and
/// one would write over the other's events. Nobody can delete the journal and go on, so it is locked, too. It is not locked instead
/// of the lock file: a reset puts another journal in its place, and a new account has none yet.
extension DirectoryStore {
    /// With the lock file held. Nobody has to be waited for then, but for the holder of a lock file that is gone.
    func lockJournal(_ deadline: Deadline) throws(StorageError) {
        let file = journal
        while true {
            let isTaken = try attempt("lock", journalPath()) { () throws(Errno) in
                try system.tryLock(file.descriptor, exclusive: true)
            }
            if isTaken { break }
            if let interruption = deadline.interruption?() { throw interruption }
            let remaining = deadline.remaining(system)
            guard remaining > 0 else {
                throw StorageError(
                    .busy, "\(escaped(journalPath())) is locked by a process whose lock file is gone: try again, or wait longer"
                )
            }
            system.sleep(nanoseconds: min(remaining, 200_000))
        }
        lockedJournal = (file, system.processID())
    }

    /// A journal that is about to become the account's, before anybody can see it.
    func lockNextJournal(_ next: OpenFile) throws(StorageError) {
        let path = directory.path(of: AccountFile.nextJournal)
        let isTaken = try attempt("lock", path) { () throws(Errno) in try system.tryLock(next.descriptor, exclusive: true) }
        guard isTaken else { throw StorageError(.busy, "\(escaped(path)) is locked by another process: try again") }
        lockedJournal = (next, system.processID())
    }

    /// In a forked child it does nothing: the lock is the parent's.
    func unlockJournal() {
        guard let (file, processID) = lockedJournal else { return }
        lockedJournal = nil
        if processID == system.processID() { try? system.unlock(file.descriptor) }
    }
}
