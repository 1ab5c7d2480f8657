import Ledger

/// A portfolio.json that this library wrote.
struct PublishedFile: Equatable {
    let identity: FileStatus.Identity
    let size: Int64
    /// When it was written or seen to be right, by the monotonic clock.
    let time: Int64
    /// What it says.
    let seq: UInt64
    let durableSeq: UInt64

    init(_ identity: FileStatus.Identity, size: Int64, time: Int64, _ reference: JournalReference) {
        self.identity = identity
        self.size = size
        self.time = time
        seq = reference.position.seq
        durableSeq = reference.durableSeq
    }
}

extension DirectoryStore {
    /// What portfolio.json is before a commit. Its successor gets the same permissions and owner.
    struct Predecessor {
        var mode: UInt32 = 0o600
        var user: UInt32?
        var group: UInt32?
        /// Which file it is, if this handle published or read one with this inode and length a moment ago: it need not be read to find an edit when it is
        /// swapped out. If there is one after all, whoever writes over it later, or removes it, reads it and finds it.
        var published: FileStatus.Identity?
    }

    /// - Throws: ``StorageError/Kind/readOnly`` if somebody took the write permission away. The mode is looked at, not tried,
    ///   because for root every file can be written.
    func predecessor() throws(StorageError) -> Predecessor {
        guard let status = try directory.status(AccountFile.portfolio) else { return Predecessor() }
        guard status.kind == .regular else { throw portfolioProblem(.unsafeFile, "is not a regular file: remove it") }
        guard status.hasWriteBits else {
            throw portfolioProblem(.readOnly, "has no write permission: run chmod u+w on it to trade on this account")
        }
        var predecessor = Predecessor(mode: status.permissions & 0o777, user: status.user, group: status.group)
        if let published, published.identity == status.identity, published.size == status.size,
            system.monotonicTime() - published.time < Self.editingTime
        {
            predecessor.published = status.identity
        }
        return predecessor
    }

    /// How soon after it was written nobody has edited portfolio.json, nanoseconds. An edit as quick as that is noticed one trade later, or when
    /// the account is closed or opened.
    private static let editingTime: Int64 = 100_000_000

    private func portfolioProblem(_ kind: StorageError.Kind, _ what: String) -> StorageError {
        StorageError(kind, "\(escaped(directory.path(of: AccountFile.portfolio))) \(what)")
    }

    /// The file that portfolio.json's successor is written to; nobody else sees it.
    struct Successor {
        let predecessor: Predecessor
        let file: FileDescriptor
        /// Of the older portfolio.json in the file, which is written over.
        let retired: FileStatus?
    }

    /// Prepares the text and opens the temporary file: the one that is there, or a new one. On failure nothing has happened.
    func prepareSuccessor(of predecessor: Predecessor) throws(StorageError) -> Successor {
        try portfolioWriter.update(state)
        if let retired = reopenRetired(predecessor) { return retired }
        return Successor(predecessor: predecessor, file: try createTemporary(), retired: nil)
    }

    /// Closes and removes what will not be published.
    func discard(_ successor: Successor) {
        if successor.retired != nil { system.unlease(successor.file) }
        try? system.close(successor.file)
        try? system.unlink(AccountFile.portfolioTemporary, in: directory.descriptor)
    }

    /// Writes the state to the temporary file and closes it. On failure there is no such file.
    ///
    /// - Parameter limit: the most bytes that a file may have.
    func write(_ successor: Successor, limit: Int64) throws(StorageError) -> PublishedFile {
        let file = successor.file
        let reference = reference
        var text = portfolioWriter.text(of: state, reference)
        let identity: FileStatus.Identity
        do throws(Errno) {
            // The first byte comes last: what is left by a process that is killed in between begins with a NUL, and cannot pass for somebody's edit.
            let first = text[0]
            text[0] = 0
            try system.writeFully(text, to: file, at: 0, limit: limit)
            if let retired = successor.retired {
                if retired.size > text.count { try system.truncate(file, to: Int64(text.count)) }
                identity = retired.identity
            } else {
                identity = try give(successor.predecessor, to: file)
            }
            try system.writeFully([first], to: file, at: 0, limit: limit)
        } catch {
            discard(successor)
            throw StorageError(error, "write", directory.path(of: AccountFile.portfolioTemporary))
        }
        if successor.retired != nil { system.unlease(file) }
        do throws(Errno) {
            // Once: after an error the descriptor is gone all the same, and may be another thread's.
            try system.close(file)
            return PublishedFile(identity, size: Int64(text.count), time: system.monotonicTime(), reference)
        } catch {
            try? system.unlink(AccountFile.portfolioTemporary, in: directory.descriptor)
            throw StorageError(error, "close", directory.path(of: AccountFile.portfolioTemporary))
        }
    }

    private func give(_ predecessor: Predecessor, to file: FileDescriptor) throws(Errno) -> FileStatus.Identity {
        let status = try system.status(file)
        var mode = predecessor.mode
        if let user = predecessor.user, let group = predecessor.group, user != status.user || group != status.group {
            // Not allowed to give it away: then the group's permissions must not go to another group.
            do throws(Errno) { try system.setOwner(file, user: user, group: group) } catch { mode &= ~0o070 }
        }
        if mode != status.permissions { try system.setMode(file, mode) }
        return status.identity
    }

    /// The file that was portfolio.json one commit ago, to be written over: making a file and removing another takes as long as all that a
    /// commit computes. `nil` where that is not what has the name, or somebody might see it change.
    private func reopenRetired(_ predecessor: Predecessor) -> Successor? {
        guard hasLeases, let file = try? system.open(AccountFile.portfolioTemporary, in: directory.descriptor, .readWrite) else {
            return nil
        }
        if let status = try? system.status(file), status.kind == .regular, status.linkCount == 1,
            status.permissions == predecessor.mode, status.user == predecessor.user, status.group == predecessor.group,
            takeLease(on: file), isPortfolio(file, status)
        {
            return Successor(predecessor: predecessor, file: file, retired: status)
        }
        system.unlease(file)
        try? system.close(file)
        return nil
    }

    /// Whether what this library wrote stands in a file, and nothing else. In one read: `false` also if that comes short.
    private func isPortfolio(_ file: FileDescriptor, _ status: FileStatus) -> Bool {
        guard status.kind == .regular, status.size <= Portfolio.maximumByteCount else { return false }
        let text = [UInt8](unsafeUninitializedCapacity: Int(status.size) + 1) { buffer, count in
            count = (try? system.read(file, into: UnsafeMutableRawBufferPointer(buffer), at: 0)) ?? 0
        }
        return text.count == status.size && Portfolio.hasRightChecksum(text)
    }

    private func takeLease(on file: FileDescriptor) -> Bool {
        do throws(Errno) {
            try system.lease(file)
            return true
        } catch {
            hasLeases = error == .wouldBlock
            return false
        }
    }

    private func createTemporary() throws(StorageError) -> FileDescriptor {
        // Each commit syncs the journal; where it does not, or a file is written only once, its place does not matter.
        let others = hasLeases && durability == .full ? [journal.identity] : []
        do throws(Errno) {
            return try system.create(AccountFile.portfolioTemporary, in: directory.descriptor, apartFrom: others)
        } catch {
            if error != .exists { throw StorageError(error, "make", directory.path(of: AccountFile.portfolioTemporary)) }
        }
        // A process died after making it, or after the exchange.
        try disposeOfTemporary()
        return try attempt("make", directory.path(of: AccountFile.portfolioTemporary)) { () throws(Errno) in
            try system.create(AccountFile.portfolioTemporary, in: directory.descriptor, apartFrom: others)
        }
    }

    /// Puts the temporary file in the predecessor's place.
    ///
    /// An exchange, because ext4 flushes a file that is renamed over another; and because what was there can then be looked at: an
    /// edit that somebody saved in the meantime is kept.
    func publishTemporary(_ file: PublishedFile, over predecessor: Predecessor) throws(StorageError) {
        do throws(Errno) {
            try system.exchange(AccountFile.portfolioTemporary, with: AccountFile.portfolio, in: directory.descriptor)
        } catch {
            // It may have happened all the same: look.
            if try directory.status(AccountFile.portfolio)?.identity != file.identity {
                guard error == .noEntry || error.meansUnsupported else {
                    throw StorageError(error, "publish", directory.path(of: AccountFile.portfolio))
                }
                // There was none, it may be there by now: an editor moves the old one away before it writes.
                try keepAsideIfEdited(AccountFile.portfolio)
                try renameTemporary(file)
                published = file
                return
            }
        }
        published = file
        // What was swapped out waits for the next commit; whatever happens to it, this one stands.
        do throws(StorageError) {
            retired = nil
            if let published = predecessor.published {
                retired = published
            } else {
                retired = try keepAsideIfEdited(AccountFile.portfolioTemporary)
            }
            if !hasLeases { removeRetired() }
        } catch {
            retired = nil
            notice(isWarning: true, error.description)
        }
    }

    /// Removes what this handle last swapped out, if that still waits for another commit.
    private func removeRetired() {
        guard let retired, let status = try? directory.status(AccountFile.portfolioTemporary), retired == status.identity else {
            return
        }
        do throws(StorageError) {
            if try keepAsideIfEdited(AccountFile.portfolioTemporary) == retired {
                try? system.unlink(AccountFile.portfolioTemporary, in: directory.descriptor)
            }
        } catch {
            notice(isWarning: true, error.description)
        }
        self.retired = nil
    }

    private func renameTemporary(_ file: PublishedFile) throws(StorageError) {
        do throws(Errno) {
            try system.rename(AccountFile.portfolioTemporary, to: AccountFile.portfolio, in: directory.descriptor)
        } catch {
            if try directory.status(AccountFile.portfolio)?.identity == file.identity { return }
            throw StorageError(error, "publish", directory.path(of: AccountFile.portfolio))
        }
    }

    /// Moves a file aside if somebody edited it; else tells which it is, `nil` if there is none.
    @discardableResult
    private func keepAsideIfEdited(_ name: String) throws(StorageError) -> FileStatus.Identity? {
        if let file = try? system.open(name, in: directory.descriptor, .readOnly) {
            defer { try? system.close(file) }
            if let status = try? system.status(file), isPortfolio(file, status) { return status.identity }
        }
        guard let status = try directory.status(name) else { return nil }
        if status.kind == .regular, !isEdit(text(of: name)) { return status.identity }
        try keepAside(name, as: "edited", because: "it was changed by hand; the account's own file has been published again")
        return nil
    }

    /// Renames a file to `portfolio.json.<word>-<time>` and says so.
    func keepAside(_ name: String, as word: String, because reason: String) throws(StorageError) {
        let kept = try directory.freeName("\(AccountFile.portfolio).\(word)")
        try attempt("rename", directory.path(of: name)) { () throws(Errno) in
            try system.rename(name, to: kept, in: directory.descriptor)
        }
        notice(isWarning: true, "\(escaped(directory.path(of: AccountFile.portfolio))) was kept as \(kept): \(reason)")
    }

    /// Removes a temporary file that a crash left, unless it is an edit that was just being kept.
    func disposeOfTemporary() throws(StorageError) {
        let name = AccountFile.portfolioTemporary
        guard let status = try directory.status(name) else { return }
        if status.identity == retired {
            retired = nil
            if try keepAsideIfEdited(name) == nil { return }
        } else if status.kind != .regular || isEdit(text(of: name)) {
            // An edit, swapped out by a process that died before it could keep it. Or a power cut has mixed two versions, which nothing
            // tells from an edit.
            try keepAside(name, as: "edited", because: "it is not what was written there")
            return
        }
        try attempt("remove", directory.path(of: name)) { () throws(Errno) in try system.unlink(name, in: directory.descriptor) }
    }

    /// Whether it is, or may be, somebody's: neither this library's, nor being written when its writer was killed; or it cannot be read.
    private func isEdit(_ text: [UInt8]?) -> Bool {
        guard let text else { return true }
        return !Portfolio.hasRightChecksum(text) && text.first ?? 0 != 0
    }

    /// What stands in a file, whoever owns it and however many names it has: it is only compared. `nil` if it cannot be read, or is longer
    /// than portfolio.json can be.
    private func text(of name: String) -> [UInt8]? {
        guard let file = try? system.open(name, in: directory.descriptor, .readOnly) else { return nil }
        defer { try? system.close(file) }
        guard let size = try? system.status(file).size, size <= Portfolio.maximumByteCount else { return nil }
        var isRead = false
        // One byte more than the size: a file that has grown meanwhile is another text.
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size) + 1) { buffer, initializedCount in
            guard case .success(let count) = system.readFully(file, into: UnsafeMutableRawBufferPointer(buffer), at: 0) else {
                return
            }
            (isRead, initializedCount) = (true, count)
        }
        return isRead ? bytes : nil
    }

    public func publish() throws(StorageError) {
        defer { removeRetired() }
        if let published, published.seq == state.seq, published.durableSeq == durableSeq,
            try directory.status(AccountFile.portfolio)?.identity == published.identity,
            text(of: AccountFile.portfolio).map(Portfolio.hasRightChecksum) ?? false
        {
            return
        }
        if try isPublishedByOthers() { return }
        let successor = try prepareSuccessor(of: try predecessor())
        let written = try write(successor, limit: system.fileSizeLimit())
        do throws(StorageError) {
            try publishTemporary(written, over: successor.predecessor)
        } catch {
            try? system.unlink(AccountFile.portfolioTemporary, in: directory.descriptor)
            throw error
        }
    }

    /// Whether another process has published this state, and knew at least as much as we do of what is on the disk. What it knew is
    /// taken over: publishing again with less would forget it.
    private func isPublishedByOthers() throws(StorageError) -> Bool {
        guard let text = try directory.contents(AccountFile.portfolio, limit: Portfolio.maximumByteCount),
            let current = try Portfolio.usable(text), current.state.accountID == state.accountID,
            current.reference.generation == state.generation, current.reference.position == position
        else { return false }
        progress.withLock { $0.synced(current.reference.durableSeq) }
        return current.reference.durableSeq >= durableSeq
    }
}
