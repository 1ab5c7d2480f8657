import Ledger

/// Why storage could not do what was asked: what, on which file, where, and what to do about it, in one sentence.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        case busy, wouldDeadlock, forked, readOnly, noSpace, io, permission, networkFileSystem, unsafeFile, noAccount, exists
        case noMemory, replaced, closed, misuse
        case corrupt, newerFormat, wrongAccount, missingData, invalidConfig, invalidImport
        case uncertain, failedHandle
        case notFound, invalidArgument
        case refused(Refusal)
    }

    public let kind: Kind
    /// The sentence: one line, control characters escaped.
    public let description: String
    /// The system's errno, 0 if none was involved.
    public let errno: Int32
    /// The event concerned, 0 if none.
    public let seq: UInt64
    /// The byte offset in the file that the sentence names, -1 if none.
    public let offset: Int64

    public init(_ kind: Kind, _ description: String, errno: Int32 = 0, seq: UInt64 = 0, offset: Int64 = -1) {
        self.kind = kind
        self.description = description
        self.errno = errno
        self.seq = seq
        self.offset = offset
    }

    /// A system call failed: `operation` is a verb ("read"), `path` the file.
    init(_ error: Errno, _ operation: String, _ path: String, offset: Int64 = -1) {
        let advice =
            switch error.kind {
            case .noSpace: ": free some space, or raise the file size limit or quota"
            case .permission: ": check the permissions of file and directory"
            case .unsafeFile: ": it must be a regular file, not a link, device or FIFO"
            default: ""
            }
        self.init(
            error.kind, "cannot \(operation) \(escaped(path)): \(error)\(advice)", errno: error.code, seq: 0, offset: offset)
    }

    public init(_ refusal: Refusal) {
        var seq: UInt64 = 0
        switch refusal {
        case .sequenceMismatch(_, let actual): seq = actual
        case .requestConflict(_, let used): seq = used
        case .alreadyQueued(_, let queued): seq = queued
        default: break
        }
        self.init(.refused(refusal), refusal.description, seq: seq)
    }
}
