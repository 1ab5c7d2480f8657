import Ledger

extension DirectoryStore {
    /// Writes a consistent copy of the account to `destination`, which must not exist, or be an empty directory. Under the lock; the copy
    /// is on the disk when it returns, and is removed again if it fails, but for the empty directory.
    public func backUp(to destination: String) throws(StorageError) {
        try checkAcceptsChanges()
        let copy = try emptyDirectory(destination)
        do throws(StorageError) {
            for sealed in try directory.sealedJournals() { try copyFile(sealed.name, to: copy, count: nil) }
            if try directory.status(AccountFile.config) != nil { try copyFile(AccountFile.config, to: copy, count: nil) }
            // The journal last, and under its name only when all of it is on the disk: a copy that was cut short is no account, and
            // not an older one.
            try copyFile(AccountFile.journal, to: copy, as: AccountFile.nextJournal, count: position.offset)
            try attempt("rename", copy.path(of: AccountFile.nextJournal)) { () throws(Errno) in
                try system.rename(AccountFile.nextJournal, to: AccountFile.journal, in: copy.descriptor)
            }
            try publish(in: copy)
            try copy.syncDirectory()
        } catch {
            for name in (try? copy.names()) ?? [] { try? system.unlink(name, in: copy.descriptor) }
            throw error
        }
    }

    private func emptyDirectory(_ path: String) throws(StorageError) -> AccountDirectory {
        let taken = StorageError(.exists, "\(escaped(path)) exists already: choose another destination")
        if let status = try? system.status(path: path), status.kind != .directory { throw taken }
        let directory = try AccountDirectory(path: path, system: system, creating: true, isReadOnly: false, allowsNetwork: true)
        guard try directory.names().isEmpty else { throw taken }
        try directory.syncName()
        return directory
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

    /// Copies `count` bytes, or the whole file, in pieces, and syncs the copy.
    private func copyFile(
        _ name: String, to copy: AccountDirectory, as newName: String? = nil, count: Int64?
    ) throws(StorageError) {
        let newName = newName ?? name
        guard let source = try directory.open(name, .readOnly), let target = try copy.open(newName, .createNew) else { return }
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
