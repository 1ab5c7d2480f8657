import Ledger

/// A portfolio.json that this library wrote.
struct PublishedFile: Hashable {
    let identity: FileStatus.Identity
    let size: Int64
    let modified: Int64
    /// What it says.
    var seq: UInt64 = 0
    var durableSeq: UInt64 = 0

    init(_ status: FileStatus, _ reference: JournalReference) {
        identity = status.identity
        size = status.size
        modified = status.modified
        seq = reference.position.seq
        durableSeq = reference.durableSeq
    }

    /// Whether `status` is of the same file, untouched.
    func matches(_ status: FileStatus) -> Bool {
        status.identity == identity && status.size == size && status.modified == modified
    }
}

extension DirectoryStore {
    /// The permissions and owner that portfolio.json has and its successor gets.
    struct PortfolioPermissions {
        var exists = false
        var mode: UInt32 = 0o600
        var user: UInt32?
        var group: UInt32?
    }

    /// - Throws: ``StorageError/Kind/readOnly`` if somebody took the write permission away. The mode is looked at, not tried,
    ///   because for root every file can be written.
    func portfolioPermissions() throws(StorageError) -> PortfolioPermissions {
        guard let status = try directory.status(AccountFile.portfolio) else { return PortfolioPermissions() }
        guard status.kind == .regular else { throw portfolioProblem(.unsafeFile, "is not a regular file: remove it") }
        guard status.hasWriteBits else {
            throw portfolioProblem(.readOnly, "has no write permission: run chmod u+w on it to trade on this account")
        }
        return PortfolioPermissions(exists: true, mode: status.permissions & 0o777, user: status.user, group: status.group)
    }

    private func portfolioProblem(_ kind: StorageError.Kind, _ what: String) -> StorageError {
        StorageError(kind, "\(escaped(directory.path(of: AccountFile.portfolio))) \(what)")
    }

    /// Writes the state to the temporary file. On failure there is no such file.
    ///
    /// - Parameter limit: the most bytes that a file may have.
    func writeTemporary(_ permissions: PortfolioPermissions, limit: Int64) throws(StorageError) -> PublishedFile {
        let reference = reference
        let text = try portfolioWriter.write(state, reference)
        let file = try createTemporary()
        do throws(Errno) {
            try system.writeFully(text, to: file, at: 0, limit: limit)
            let status = try system.status(file)
            var mode = permissions.mode
            if let user = permissions.user, let group = permissions.group, user != status.user || group != status.group {
                // Not allowed to give it away: then the group's permissions must not go to another group.
                do throws(Errno) { try system.setOwner(file, user: user, group: group) } catch { mode &= ~0o070 }
            }
            if mode != status.permissions { try system.setMode(file, mode) }
            try system.close(file)
            return PublishedFile(status, reference)
        } catch {
            try? system.close(file)
            try? system.unlink(AccountFile.portfolioTemporary, in: directory.descriptor)
            throw StorageError(error, "write", directory.path(of: AccountFile.portfolioTemporary))
        }
    }

    private func createTemporary() throws(StorageError) -> FileDescriptor {
        do throws(Errno) {
            return try system.open(AccountFile.portfolioTemporary, in: directory.descriptor, .createNew)
        } catch {
            if error != .exists { throw StorageError(error, "make", directory.path(of: AccountFile.portfolioTemporary)) }
        }
        // A process died after making it, or after the exchange.
        try disposeOfTemporary()
        return try attempt("make", directory.path(of: AccountFile.portfolioTemporary)) { () throws(Errno) in
            try system.open(AccountFile.portfolioTemporary, in: directory.descriptor, .createNew)
        }
    }

    /// Puts the temporary file in portfolio.json's place.
    ///
    /// An exchange, because ext4 flushes a file that is renamed over another; and because what was there can then be looked at: an
    /// edit that somebody saved in the meantime is kept.
    func publishTemporary(_ file: PublishedFile) throws(StorageError) {
        let previous = published
        do throws(Errno) {
            try system.exchange(AccountFile.portfolioTemporary, with: AccountFile.portfolio, in: directory.descriptor)
        } catch {
            // It may have happened all the same: look.
            if try directory.status(AccountFile.portfolio)?.identity != file.identity {
                guard error == .noEntry || error.meansUnsupported else {
                    throw StorageError(error, "publish", directory.path(of: AccountFile.portfolio))
                }
                if error != .noEntry { try keepIfEdited(AccountFile.portfolio, unless: previous) }
                try renameTemporary(file)
                published = file
                return
            }
        }
        published = file
        // What was swapped out is not needed; whatever happens to it, the commit stands.
        do throws(StorageError) {
            if try !keepIfEdited(AccountFile.portfolioTemporary, unless: previous) {
                try? system.unlink(AccountFile.portfolioTemporary, in: directory.descriptor)
            }
        } catch {
            notice(isWarning: true, error.description)
        }
    }

    private func renameTemporary(_ file: PublishedFile) throws(StorageError) {
        do throws(Errno) {
            try system.rename(AccountFile.portfolioTemporary, to: AccountFile.portfolio, in: directory.descriptor)
        } catch {
            if try directory.status(AccountFile.portfolio)?.identity == file.identity { return }
            throw StorageError(error, "publish", directory.path(of: AccountFile.portfolio))
        }
    }

    /// Moves the file `name` aside if somebody edited it; whether it did.
    @discardableResult
    private func keepIfEdited(_ name: String, unless known: PublishedFile?) throws(StorageError) -> Bool {
        guard let status = try directory.status(name) else { return false }
        if let known, known.matches(status) { return false }
        if status.kind == .regular, let text = try directory.contents(name, limit: Portfolio.maximumByteCount) {
            if Portfolio.hasRightChecksum(text) || !text.contains(where: { $0 != 0 }) { return false }
        }
        try keepAside(name, as: "edited", because: "it was changed by hand; the account's own file has been published again")
        return true
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
        if status.kind == .regular, let text = try directory.contents(name, limit: Portfolio.maximumByteCount),
            !Portfolio.hasRightChecksum(text),
            text.withUnsafeBytes({ bytes in (try? JSONValue(parsing: bytes)) != nil })
        {
            // Whole JSON that is not ours: swapped out by a process that died before it could keep it.
            try keepAside(name, as: "edited", because: "it was changed by hand")
            return
        }
        try attempt("remove", directory.path(of: name)) { () throws(Errno) in try system.unlink(name, in: directory.descriptor) }
    }

    public func publish() throws(StorageError) {
        if let published, let status = try directory.status(AccountFile.portfolio), published.matches(status),
            published.seq == state.seq, published.durableSeq == durableSeq
        {
            return
        }
        if try isPublishedByOthers() { return }
        let temporary = try writeTemporary(try portfolioPermissions(), limit: system.fileSizeLimit())
        do throws(StorageError) {
            try publishTemporary(temporary)
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
