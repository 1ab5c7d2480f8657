import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the system calls do, without faults.
extension SimulatedMachine {
    private func failure(_ code: Int32) -> Errno { Errno(code: code) }

    func name(of file: FileDescriptor) -> String { withState { $0.open[file.rawValue]?.name } ?? "?" }

    func open(_ name: String, in directory: FileDescriptor, _ mode: OpenMode, process: Int32) throws(Errno) -> FileDescriptor {
        try withState { state throws(Errno) in
            guard let parent = state.open[directory.rawValue]?.inode, let names = state.disk.inodes[parent]?.names else {
                throw failure(EBADF)
            }
            let inode: UInt64
            if let found = names.cached[name] {
                guard mode != .createNew else { throw failure(EEXIST) }
                inode = found
            } else {
                guard mode == .createNew || mode == .readWriteCreating else { throw failure(ENOENT) }
                inode = state.disk.makeInode(.regular)
                state.disk.inodes[parent]?.names.change([(name, inode)])
                state.disk.inodes[inode]?.modified = state.nanoseconds
            }
            switch state.disk.inodes[inode]?.kind {
            case .regular?: break
            case .symbolicLink?: throw failure(ELOOP)
            case .directory? where mode != .readOnly: throw failure(EISDIR)
            default: break
            }
            return state.add(inode, name, isWritable: mode != .readOnly, process: process)
        }
    }

    func openDirectory(_ name: String, in directory: FileDescriptor?, process: Int32) throws(Errno) -> FileDescriptor {
        try withState { state throws(Errno) in
            let inode: UInt64?
            if let directory {
                let parent = state.open[directory.rawValue]?.inode
                inode = name == "." ? parent : parent.flatMap { state.disk.inodes[$0]?.names.cached[name] }
            } else {
                inode = state.disk.directory(name)
            }
            guard let inode else { throw failure(ENOENT) }
            guard state.disk.inodes[inode]?.kind == .directory else { throw failure(ENOTDIR) }
            return state.add(inode, name, isWritable: false, process: process)
        }
    }

    func close(_ file: FileDescriptor) {
        withState { state in
            let file = state.open.removeValue(forKey: file.rawValue)
            if file?.isLeased == true { state.leasesLeft += 1 }
        }
    }

    func status(_ file: FileDescriptor) throws(Errno) -> FileStatus {
        try withState { state throws(Errno) in
            guard let status = state.open[file.rawValue].flatMap({ state.status($0.inode) }) else { throw failure(EBADF) }
            return status
        }
    }

    func status(_ name: String, in directory: FileDescriptor) throws(Errno) -> FileStatus {
        try withState { state throws(Errno) in
            guard let parent = state.open[directory.rawValue]?.inode else { throw failure(EBADF) }
            guard let status = state.disk.inodes[parent]?.names.cached[name].flatMap({ state.status($0) }) else {
                throw failure(ENOENT)
            }
            return status
        }
    }

    func status(path: String) throws(Errno) -> FileStatus {
        try withState { state throws(Errno) in
            guard let status = state.disk.directory(path).flatMap({ state.status($0) }) else { throw failure(ENOENT) }
            return status
        }
    }

    func read(_ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Errno) -> Int {
        try withState { state throws(Errno) in
            guard let open = state.open[file.rawValue], let bytes = state.disk.inodes[open.inode]?.file.cached else {
                throw failure(EBADF)
            }
            let start = min(Int(offset), bytes.count)
            let count = min(buffer.count, bytes.count - start)
            bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: FileDescriptor, at offset: Int64) throws(Errno) {
        try withState { state throws(Errno) in
            guard let open = state.open[file.rawValue], open.isWritable else { throw failure(EBADF) }
            guard offset + Int64(bytes.count) <= state.fileSizeLimit else { throw failure(EFBIG) }
            state.nanoseconds += 1000
            state.disk.inodes[open.inode]?.file.write(bytes, at: Int(offset))
            state.disk.inodes[open.inode]?.modified = state.nanoseconds
        }
    }

    func truncate(_ file: FileDescriptor, to size: Int64) throws(Errno) {
        try withState { state throws(Errno) in
            guard let open = state.open[file.rawValue], open.isWritable else { throw failure(EBADF) }
            state.disk.inodes[open.inode]?.file.truncate(to: Int(size))
        }
    }

    /// An open file is told of a failed sync that it has not been told of, whoever made it.
    func sync(_ file: FileDescriptor) throws(Errno) {
        try withState { state throws(Errno) in
            guard let open = state.open[file.rawValue] else { throw failure(EBADF) }
            state.disk.inodes[open.inode]?.file.sync()
            state.disk.inodes[open.inode]?.names.sync()
            let failed = state.disk.inodes[open.inode]?.failedSyncs ?? 0
            guard open.knownFailedSyncs < failed else { return }
            state.open[file.rawValue]?.knownFailedSyncs = failed
            throw .inputOutput
        }
    }

    func failSync(_ file: FileDescriptor) {
        withState { state in
            guard let inode = state.open[file.rawValue]?.inode else { return }
            state.disk.inodes[inode]?.file.failSync()
            state.disk.inodes[inode]?.failedSyncs += 1
            state.open[file.rawValue]?.knownFailedSyncs = state.disk.inodes[inode]?.failedSyncs ?? 0
        }
    }

    /// The disk loses what is dirty of a file, and nobody has been told yet.
    func failSync(of name: String) {
        withState { state in
            guard let directory = state.disk.directory(simulatedPath),
                let inode = state.disk.inodes[directory]?.names.cached[name]
            else {
                return
            }
            state.disk.inodes[inode]?.file.failSync()
            state.disk.inodes[inode]?.failedSyncs += 1
        }
    }

    func change(_ file: FileDescriptor, _ change: (inout SimulatedDisk.Inode) -> Void) {
        withState { state in
            guard let number = state.open[file.rawValue]?.inode, var inode = state.disk.inodes[number] else { return }
            change(&inode)
            state.disk.inodes[number] = inode
        }
    }

    func rename(_ name: String, to newName: String, in directory: FileDescriptor) throws(Errno) {
        try changeNames(in: directory) { names throws(Errno) in
            guard let inode = names[name] else { throw failure(ENOENT) }
            return [(name, nil), (newName, inode)]
        }
    }

    func exchange(_ name: String, with other: String, in directory: FileDescriptor) throws(Errno) {
        try changeNames(in: directory) { names throws(Errno) in
            guard let first = names[name], let second = names[other] else { throw failure(ENOENT) }
            return [(name, second), (other, first)]
        }
    }

    func unlink(_ name: String, in directory: FileDescriptor) throws(Errno) {
        try changeNames(in: directory) { names throws(Errno) in
            guard names[name] != nil else { throw failure(ENOENT) }
            return [(name, nil)]
        }
    }

    private func changeNames(
        in directory: FileDescriptor, _ body: ([String: UInt64]) throws(Errno) -> SimulatedNames.Change
    ) throws(Errno) {
        try withState { state throws(Errno) in
            guard let parent = state.open[directory.rawValue]?.inode, let names = state.disk.inodes[parent]?.names.cached else {
                throw failure(EBADF)
            }
            let change = try body(names)
            state.disk.inodes[parent]?.names.change(change)
        }
    }

    func makeDirectory(path: String, mode: UInt32) throws(Errno) {
        try withState { state throws(Errno) in
            guard state.disk.directory(path) == nil else { throw failure(EEXIST) }
            let inode = state.disk.makeInode(.directory)
            state.disk.inodes[inode]?.permissions = mode
            state.disk.inodes[SimulatedDisk.root]?.names.change([(String(path.drop { $0 == "/" }), inode)])
        }
    }

    func names(in directory: FileDescriptor) throws(Errno) -> [String] {
        try withState { state throws(Errno) in
            guard let names = state.open[directory.rawValue].flatMap({ state.disk.inodes[$0.inode]?.names.cached }) else {
                throw failure(EBADF)
            }
            return names.keys.sorted()
        }
    }

    func tryLock(_ file: FileDescriptor, _ kind: LockKind) throws(Errno) -> Bool {
        try withState { state throws(Errno) in
            guard let open = state.open[file.rawValue] else { throw failure(EBADF) }
            let others = state.open.filter { $0.value.inode == open.inode && $0.key != file.rawValue }.compactMap(\.value.lock)
            guard !others.contains(.exclusive), kind == .shared || others.isEmpty else { return false }
            state.open[file.rawValue]?.lock = kind
            return true
        }
    }

    func unlock(_ file: FileDescriptor) { withState { $0.open[file.rawValue]?.lock = nil } }

    /// Whether another open file has locked the byte.
    func isByteLocked(_ file: FileDescriptor, at offset: Int64) -> Bool {
        withState { state in
            let inode = state.open[file.rawValue]?.inode
            return state.open.contains {
                $0.key != file.rawValue && $0.value.inode == inode && $0.value.lockedBytes.contains(offset)
            }
        }
    }

    func lockByte(_ file: FileDescriptor, at offset: Int64) {
        withState { _ = $0.open[file.rawValue]?.lockedBytes.insert(offset) }
    }

    func unlockByte(_ file: FileDescriptor, at offset: Int64) {
        withState { _ = $0.open[file.rawValue]?.lockedBytes.remove(offset) }
    }

    /// That others wait who open the file is not simulated: they do it before or after.
    func lease(_ file: FileDescriptor) throws(Errno) {
        try withState { state throws(Errno) in
            guard let open = state.open[file.rawValue] else { throw failure(EBADF) }
            let isOpenElsewhere = state.open.contains { $0.value.inode == open.inode && $0.key != file.rawValue }
            guard !isOpenElsewhere else { throw failure(EAGAIN) }
            state.open[file.rawValue]?.isLeased = true
        }
    }

    func unlease(_ file: FileDescriptor) { withState { $0.open[file.rawValue]?.isLeased = false } }

    /// The time, in nanoseconds, after so much more of it has passed.
    @discardableResult
    func tick(_ nanoseconds: Int64 = 1000) -> Int64 {
        withState { state in
            state.nanoseconds += nanoseconds
            return state.nanoseconds
        }
    }

    func takeSnapshot(_ call: SystemCall) {
        withState { state in
            guard state.takesSnapshots else { return }
            state.snapshots.append(
                Snapshot(
                    disk: state.disk, call: call.description, operation: state.operation, acknowledged: state.acknowledged))
        }
    }
}

extension SimulatedMachine.State {
    fileprivate mutating func add(_ inode: UInt64, _ name: String, isWritable: Bool, process: Int32) -> FileDescriptor {
        lastDescriptor += 1
        open[lastDescriptor] = SimulatedMachine.OpenFile(
            inode: inode, process: process, isWritable: isWritable, name: name,
            knownFailedSyncs: disk.inodes[inode]?.failedSyncs ?? 0)
        return FileDescriptor(rawValue: lastDescriptor)
    }

    fileprivate func status(_ number: UInt64) -> FileStatus? {
        guard let inode = disk.inodes[number] else { return nil }
        return FileStatus(
            identity: FileStatus.Identity(device: 1, inode: number), kind: inode.kind, permissions: inode.permissions,
            linkCount: 1,
            user: inode.user, group: inode.group, size: Int64(inode.file.cached.count), modified: inode.modified)
    }
}
