@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension SystemCall {
    /// The errors that the call's manual page gives and that can befall a file of ours.
    ///
    /// Left out are those that say what is there, which a file system does not invent: ENOENT, EEXIST, ENOTDIR, EISDIR; what only a
    /// wrong argument brings about: EBADF, EFAULT, EINVAL, ENAMETOOLONG; and EINTR, which no wrapper lets through. EINVAL and ENOSYS of an
    /// exchange, and EINVAL of a lease, are in: they say that the file system does not know it.
    var errnos: [Int32] {
        switch operation {
        case .open: [EACCES, EPERM, EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT, EROFS, EIO, ELOOP, ENXIO, ETXTBSY]
        case .openDirectory: [EACCES, EMFILE, ENFILE, ENOMEM, EIO, ELOOP]
        case .close: [EIO, ENOSPC, EDQUOT]
        case .status: [EACCES, EIO, ENOMEM, EOVERFLOW]
        case .read: [EIO, ENOMEM]
        case .write: [EIO, ENOSPC, EDQUOT, EFBIG, EPERM, EROFS, ENOMEM]
        case .truncate: [EIO, EPERM, EROFS, EFBIG, ENOSPC]
        case .syncData, .sync: [EIO, ENOSPC, EDQUOT, EROFS]
        case .setMode: [EIO, EPERM, EROFS, ENOMEM]
        case .setOwner: [EIO, EPERM, EROFS, ENOMEM, EDQUOT]
        case .rename: [EIO, EACCES, EPERM, EBUSY, EDQUOT, ENOSPC, ENOMEM, EROFS, EMLINK, EXDEV]
        case .exchange: [EIO, EACCES, EPERM, EBUSY, EDQUOT, ENOSPC, ENOMEM, EROFS, EINVAL, ENOSYS]
        case .unlink: [EIO, EACCES, EPERM, EBUSY, ENOMEM, EROFS]
        case .makeDirectory: [EIO, EACCES, EPERM, EDQUOT, EMLINK, ENOSPC, ENOMEM, EROFS]
        case .names: [EIO, EACCES, EMFILE, ENFILE, ENOMEM]
        case .currentDirectory: [EACCES, ENOMEM]
        case .tryLock: [EIO, ENOLCK, ENOMEM]
        case .unlock: [EIO, ENOLCK]
        case .lease: [EAGAIN, EACCES, EINVAL, ENOMEM]
        case .isLocal: [EIO, ENOMEM, EOVERFLOW]
        case .random: [EIO, ENOSYS]
        // A hint: what it returns is not looked at.
        case .startWriting: [EIO]
        }
    }

    /// Everything that can go wrong with the call: each errno; done but reported failed; cut short; and the process killed before it. Within
    /// a write nobody is killed but between two pages, which is among what power cuts leave.
    var faults: [SimulatedSystem.Fault] {
        var faults = errnos.map { SimulatedSystem.Fault.fail(Errno(code: $0)) }
        switch operation {
        case .exchange, .rename, .unlink, .syncData, .sync, .truncate, .makeDirectory: faults.append(.failButDo(.inputOutput))
        // Not byte by byte: a block of 64 KiB would take as many calls, and the simulation keeps each of them.
        case .write: faults += [.failButDo(.inputOutput), .short(0), .short(200)]
        case .read: faults += [.short(200)]
        default: break
        }
        return faults + [.kill]
    }
}
