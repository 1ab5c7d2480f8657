import Ledger

extension DirectoryStore {
    /// Writes a consistent copy of the account to `destination`, which must not exist, or be an empty directory. Under the lock; the copy
    /// is on the disk when it returns. If it fails its files are removed again; a directory that was made for them stays, empty.
    public func backUp(to destination: String) throws(StorageError) {
        try checkAcceptsChanges()
        let (copy, lock) = try emptyDirectory(destination)
        defer { lock.release() }
        var made = [AccountFile.lock]
        do throws(StorageError) {
            for sealed in try directory.sealedJournals() { try copyFile(sealed.name, to: copy, count: nil, &made) }
            if try directory.status(AccountFile.config) != nil { try copyFile(AccountFile.config, to: copy, count: nil, &made) }
            // The journal last, and under its name only when all of it is on the disk: a copy that was cut short is no account, and
            // not an older one.
            try copyFile(AccountFile.journal, to: copy, as: AccountFile.nextJournal, count: position.offset, &made)
            made += [AccountFile.journal, AccountFile.portfolioTemporary, AccountFile.portfolio]
            try attempt("rename", copy.path(of: AccountFile.nextJournal)) { () throws(Errno) in
                try system.rename(AccountFile.nextJournal, to: AccountFile.journal, in: copy.descriptor)
            }
            try publish(in: copy)
            try copy.syncDirectory()
        } catch {
            // Nothing else: somebody may have put files of his own there since.
            for name in made.reversed() { try? system.unlink(name, in: copy.descriptor) }
            throw error
        }
    }

    /// The directory and its lock, without which somebody could make an account there meanwhile, or another backup.
    private func emptyDirectory(_ path: String) throws(StorageError) -> (AccountDirectory, FileLock) {
        let taken = StorageError(.exists, "\(escaped(path)) exists already: choose another destination")
        if let status = try? system.status(path: path), status.kind != .directory { throw taken }
        let directory = try AccountDirectory(path: path, system: system, creating: true, isReadOnly: false, allowsNetwork: true)
        guard try directory.names().isEmpty else { throw taken }
        let lock = FileLock(
            AccountFile.lock, in: directory.descriptor, path: directory.path(of: AccountFile.lock), purpose: .account,
            system: system)
        try lock.acquire(Deadline(timeoutMilliseconds: 0, system: system))
        do throws(StorageError) {
            guard try directory.names() == [AccountFile.lock] else { throw taken }
            try directory.syncName()
        } catch {
            try? system.unlink(AccountFile.lock, in: directory.descriptor)
            throw error
        }
        return (directory, lock)
    }

    /// Reads the copy, and writes the portfolio.json that belongs to it.
    private func publish(in copy: AccountDirectory) throws(StorageError) {
        guard let journal = try copy.open(AccountFile.journal, .readWrite) else { return }
        let store = DirectoryStore(directory: copy, durability: .full, journal: journal)
        try store.load(isLocked: true)
        try store.publish()
        guard let portfolio = try copy.open(AccountFile.portfolio, .readOnly) else { return }
        try attempt("sync", copy.path(of: AccountFile.portfolio)) { () throws(Errno) in try system.sync(portfolio.descriptor) }
    }

    /// Copies `count` bytes, or the whole file, in pieces, and syncs the copy, whose name is added to `made`.
    private func copyFile(
        _ name: String, to copy: AccountDirectory, as newName: String? = nil, count: Int64?, _ made: inout [String]
    ) throws(StorageError) {
        let newName = newName ?? name
        guard let source = try directory.open(name, .readOnly), let target = try copy.open(newName, .createNew) else { return }
        made.append(newName)
        let path = copy.path(of: newName)
        var offset: Int64 = 0
        while true {
            let wanted = min(1 << 20, Int(clamping: (count ?? .max) - offset))
            let bytes = wanted > 0 ? try directory.read(source, name, at: offset, count: wanted) : []
            if bytes.isEmpty { break }
            try attempt("write", path) { () throws(Errno) in try copy.write(bytes, to: target, at: offset) }
            offset += Int64(bytes.count)
        }
        if count != nil {
            // The journal goes on in the copy: it ends in fill as every journal does.
            let end = (offset + sectorSize + Self.blockSize - 1) / Self.blockSize * Self.blockSize
            let filling = [UInt8](repeating: fill, count: Int(end - offset))
            try attempt("write", path) { () throws(Errno) in try copy.write(filling, to: target, at: offset) }
        }
        try attempt("sync", path) { () throws(Errno) in try system.sync(target.descriptor) }
    }
}
