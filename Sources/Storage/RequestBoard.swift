import Ledger

/// The file `.requests`, where those who wait for the lock leave what they want done. Whoever has the lock does it in one commit with his own.
///
/// This is flat combining (Hendler, Incze, Shavit and Tzafrir, "Flat Combining and the Synchronization-Parallelism Tradeoff", SPAA 2010)
/// between processes. The file is no part of the account: it is never synced, and it can be deleted at any time.
///
/// Each waiting handle owns one slot as long as it is open, by locks on bytes of the file, which end with its process. A slot has
/// - a *request*, written by its owner: a ticket, when it was written, and what is asked;
/// - a *claim*, written by the holder of the lock: which event the request with that ticket becomes, and where its line will stand, or that it
///   was refused. It is written before the journal is;
/// - a *report*, written by its owner, for those whose requests he has claimed: through which of his groups they are acknowledged.
///
/// The line in the journal has the ticket, too. An owner who gets no report takes the lock himself, and looks for his ticket in what has been
/// written since he left the request: the event is there, or it is his to make. So nothing happens twice, whoever dies when, and whatever
/// stands in this file.
///
/// Whoever gives up takes his request away and then looks for a claim; whoever claims writes the claim and then looks whether the request is
/// still there. One of them at least sees the other.
final class RequestBoard: @unchecked Sendable {
    // Unchecked: one thread at a time uses it, but for `report`, which guards what it changes.

    /// How many handles can wait here at once; the others only wait for the lock.
    static let slotCount = 62

    private static let header = Array("ptboard1".utf8)
    private static let claimSize = 72
    private static let reportSize = 24
    private static let requestSize = 256
    private static let requestHeadSize = 32
    private static let claimsOffset = 16
    private static let reportsOffset = claimsOffset + slotCount * claimSize
    private static let requestsOffset = reportsOffset + slotCount * reportSize
    private static let size = requestsOffset + slotCount * requestSize

    /// The owner of a slot locks the byte with its number, and one of those from here on when what his predecessor has left is gone.
    private static let aliveOffset = Int64(slotCount)

    /// The most bytes of a request.
    static let maximumCount = requestSize - requestHeadSize

    /// How old a request may be, nanoseconds. Its owner renews it while he waits: if he has been stopped, it is not done behind his back.
    private static let longestSilence: Int64 = 1_000_000_000

    /// What the holder of the lock does with a request.
    struct Claim: Equatable {
        var slot = 0
        var ticket: UInt64 = 0
        /// 0: it was refused, and its owner is to try it himself.
        var seq: UInt64 = 0
        var generation: UInt32 = 0
        /// Where the line begins, and how many bytes it has.
        var offset: Int64 = 0
        var count = 0
        /// Whose claim it is: his slot, and what tells him from others who had it. And in which of his groups.
        var leader = 0
        var token: UInt64 = 0
        var group: UInt64 = 0
    }

    /// What has become of this handle's own request.
    enum Fate: Equatable {
        case waiting
        case refused
        case claimed(Claim)
        /// Done, and as durable as the handle demands.
        case reported(Claim)
        /// The file cannot be read.
        case unknown
    }

    /// Somebody's request.
    struct Entry {
        let slot: Int
        let ticket: UInt64
        let text: [UInt8]
    }

    private let file: FileDescriptor
    private let system: any System
    /// Where all wait: at the lock file.
    private let waitingPlace: WaitingPlace
    /// Who opened it. A child that was forked since has no such file.
    private let processID: Int32
    private let slot: Int
    private let token: UInt64
    private let tokenText: String
    private var ticket: UInt64 = 0
    private var group: UInt64 = 0
    /// The last group that was reported.
    private let reported = Locked<UInt64>(0)
    private var text: [UInt8] = []
    private var writtenAt: Int64 = 0
    /// Whether a request has been left that has not been taken away.
    private(set) var isWaiting = false

    /// Opens the file, making it if necessary, and takes a slot. `nil` where that cannot be had: then one waits without.
    ///
    /// - Parameter identity: a file with whose inode nothing shall share a block.
    init?(in directory: AccountDirectory, _ lock: FileLock, apartFrom identity: FileStatus.Identity) {
        let system = directory.system
        guard directory.isLocal, system.fileSizeLimit() >= Int64(Self.size), let file = Self.open(directory, identity) else {
            return nil
        }
        guard Self.isBoard(file, system), let random = try? system.random(16),
            let slot = (0..<Self.slotCount).first(where: { system.lockByte(file, at: Int64($0)) }),
            let waitingPlace = lock.makeWaitingPlace()
        else {
            try? system.close(file)
            return nil
        }
        self.waitingPlace = waitingPlace
        self.file = file
        self.system = system
        self.slot = slot
        processID = system.processID()
        token = random.withUnsafeBytes { $0.word(0) }
        tokenText = String(token, radix: 16)
        // Other tickets than those of the last owner of the slot, whose request may be about to be claimed.
        ticket = random.withUnsafeBytes { $0.word(8) }
        guard write(Report(token: token, group: 0).bytes, at: Self.reportsOffset + slot * Self.reportSize),
            write([UInt8](repeating: 0, count: 8), at: Self.requestsOffset + slot * Self.requestSize),
            system.lockByte(file, at: Self.aliveOffset + Int64(slot))
        else { return nil }
    }

    deinit {
        guard processID == system.processID() else { return }
        system.discard(waitingPlace)
        try? system.close(file)
    }

    private static func open(_ directory: AccountDirectory, _ identity: FileStatus.Identity) -> FileDescriptor? {
        let (system, name) = (directory.system, AccountFile.requests)
        if let file = try? system.open(name, in: directory.descriptor, .readWrite) { return file }
        if let file = try? system.create(name, in: directory.descriptor, apartFrom: [identity]) { return file }
        // Somebody else has made it in between.
        return try? system.open(name, in: directory.descriptor, .readWrite)
    }

    /// Writes the header into a new file. `false` if it is no board, but somebody's data.
    private static func isBoard(_ file: FileDescriptor, _ system: any System) -> Bool {
        guard let status = try? system.status(file), status.kind == .regular, status.linkCount == 1,
            status.user == system.effectiveUserID(), status.permissions & 0o022 == 0
        else { return false }
        if status.size == 0 { return (try? system.writeFully(header, to: file, at: 0, limit: .max)) != nil }
        var bytes = [UInt8](repeating: 0, count: header.count)
        let result = bytes.withUnsafeMutableBytes { system.readFully(file, into: $0, at: 0) }
        // Never synced: after a power cut it can have its size and no contents.
        return (try? result.get()) != nil && (bytes == header || status.size <= size && bytes.allSatisfy { $0 == 0 })
    }

    // MARK: The waiting side

    /// Which of 30 bits those who wake the owner of a slot give.
    private static func bit(_ slot: Int) -> UInt32 { 1 << UInt32(slot % 30) }

    /// The bit of those who wait for the lock and nothing else.
    static let lockOnly: UInt32 = 1 << 31

    /// What this handle is woken by.
    var bits: UInt32 { Self.bit(slot) }

    /// Leaves a request.
    ///
    /// - Parameter text: what it is with that ticket, which nobody else ever has.
    /// - Returns: the ticket; `nil` if it is too long to be left.
    func leave(_ text: (String) -> [UInt8]?) -> String? {
        ticket = max(1, ticket &+ 1)
        let name = "\(tokenText)-\(ticket)"
        guard let text = text(name), text.count <= Self.maximumCount else { return nil }
        self.text = text
        isWaiting = true
        // A write that fails may have written all the same.
        _ = write()
        return name
    }

    private func write() -> Bool {
        writtenAt = system.monotonicTime()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.requestSize)
        bytes.append(word: ticket)
        bytes.append(word: UInt64(bitPattern: writtenAt))
        bytes.append(word: UInt64(text.count))
        bytes.append(word: Self.checksum(of: text, ticket))
        bytes += text
        return write(bytes, at: Self.requestsOffset + slot * Self.requestSize)
    }

    /// To be called from time to time while waiting.
    func renew() {
        if isWaiting && system.monotonicTime() - writtenAt > Self.longestSilence / 10 { _ = write() }
    }

    /// Takes the request away. Then ``fate`` is final, but that what is claimed may still be reported or refused. `false` if it cannot be taken
    /// away: then the slot has to be given up, with which it ends as well.
    func withdraw() -> Bool {
        guard isWaiting else { return true }
        guard write([UInt8](repeating: 0, count: 8), at: Self.requestsOffset + slot * Self.requestSize) else { return false }
        isWaiting = false
        system.fence()
        return true
    }

    var fate: Fate {
        let read = read(Self.claimSize, at: Self.claimsOffset + slot * Self.claimSize) { Claim($0, slot: slot) }
        guard let read else { return .unknown }
        guard let claim = read, claim.ticket == ticket else { return .waiting }
        if claim.seq == 0 { return .refused }
        return report(of: claim.leader)?.covers(claim) == true ? .reported(claim) : .claimed(claim)
    }

    private func report(of slot: Int) -> Report? {
        read(Self.reportSize, at: Self.reportsOffset + slot * Self.reportSize) { Report($0) } ?? nil
    }

    /// Whether nobody is left who could report.
    func isAbandoned(_ claim: Claim) -> Bool {
        // A slot of one's own shows as free.
        claim.leader != slot && !system.isByteLocked(file, at: Self.aliveOffset + Int64(claim.leader))
            || report(of: claim.leader)?.token != claim.token
    }

    /// The bits of those who are waiting for the lock, and not for a report.
    var bitsOfUnclaimed: UInt32 { withContents(Self.size) { ~bitsOfClaimed($0) & ~bits } ?? .max }

    // MARK: The side that has the lock

    /// What others have left, and ``bitsOfUnclaimed``. Under the lock.
    func entries() -> (entries: [Entry], bitsOfUnclaimed: UInt32) {
        let now = system.monotonicTime()
        return withContents(Self.size) { bytes in
            var entries: [Entry] = []
            for other in 0..<Self.slotCount where other != slot {
                let start = Self.requestsOffset + other * Self.requestSize
                let ticket = bytes.word(start)
                guard ticket != 0, claim(of: other, in: bytes)?.ticket != ticket else { continue }
                let age = now.subtractingReportingOverflow(Int64(bitPattern: bytes.word(start + 8)))
                guard !age.overflow, age.partialValue.magnitude < UInt64(Self.longestSilence),
                    let count = Int(exactly: bytes.word(start + 16)), count <= Self.maximumCount
                else { continue }
                let text = Array(bytes[(start + Self.requestHeadSize)...].prefix(count))
                // Checked last, because it is a system call: what a process left that is gone.
                guard bytes.word(start + 24) == Self.checksum(of: text, ticket),
                    system.isByteLocked(file, at: Self.aliveOffset + Int64(other))
                else { continue }
                entries.append(Entry(slot: other, ticket: ticket, text: text))
            }
            return (entries, ~bitsOfClaimed(bytes))
        } ?? ([], .max)
    }

    /// Begins a group of claims.
    func beginGroup() -> Claim {
        group &+= 1
        return Claim(leader: slot, token: token, group: group)
    }

    /// Writes claims. Under the lock. `false` if one of the requests has been withdrawn: then none of them may be carried out, and all are refused.
    func write(_ claims: [Claim]) -> Bool {
        guard !claims.isEmpty else { return true }
        if writeTable(claims) {
            system.fence()
            let isComplete = withContents(Self.size) { bytes in
                claims.allSatisfy { $0.seq == 0 || ticketOfRequest($0.slot, in: bytes) == $0.ticket }
            }
            if isComplete == true { return true }
        }
        refuse(claims)
        return false
    }

    /// Leaves the requests to their owners. Under the lock.
    func refuse(_ claims: [Claim]) {
        _ = writeTable(
            claims.map { claim in
                var claim = claim
                claim.seq = 0
                return claim
            })
    }

    /// All of it in one write: nobody else writes claims while the lock is held.
    private func writeTable(_ claims: [Claim]) -> Bool {
        var table = [UInt8](repeating: 0, count: Self.reportsOffset - Self.claimsOffset)
        let result = table.withUnsafeMutableBytes { system.readFully(file, into: $0, at: Int64(Self.claimsOffset)) }
        guard (try? result.get()) != nil else { return false }
        for claim in claims {
            let start = claim.slot * Self.claimSize
            table.replaceSubrange(start..<start + Self.claimSize, with: claim.bytes)
        }
        return write(table, at: Self.claimsOffset)
    }

    /// Says that a group is acknowledged, and wakes those who wait for that. Any thread may call it.
    func report(_ claims: [Claim]) {
        guard let group = claims.first?.group else { return }
        reported.withLock { reported in
            // Another thread can have been faster with a later group.
            guard group > reported else { return }
            reported = group
            _ = write(Report(token: token, group: group).bytes, at: Self.reportsOffset + slot * Self.reportSize)
        }
        system.wake(at: waitingPlace, atMost: .max, bits: Self.bits(of: claims))
    }

    static func bits(of claims: [Claim]) -> UInt32 { claims.reduce(0) { $0 | bit($1.slot) } }

    // MARK: The bytes

    private func withContents<Result>(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        read(count, at: 0, body)
    }

    /// `nil` if it cannot be read. What the file does not have yet is empty.
    private func read<Result>(_ count: Int, at offset: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { buffer in
            guard let done = try? system.readFully(file, into: buffer, at: Int64(offset)).get() else { return nil }
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).initializeMemory(as: UInt8.self, repeating: 0)
            return body(UnsafeRawBufferPointer(buffer))
        }
    }

    private func write(_ bytes: [UInt8], at offset: Int) -> Bool {
        (try? system.writeFully(bytes, to: file, at: Int64(offset), limit: system.fileSizeLimit())) != nil
    }

    private func ticketOfRequest(_ slot: Int, in bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.word(Self.requestsOffset + slot * Self.requestSize)
    }

    private func report(of slot: Int, in bytes: UnsafeRawBufferPointer, covers claim: Claim) -> Bool {
        let start = Self.reportsOffset + slot * Self.reportSize
        return Report(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.reportSize]))?.covers(claim) == true
    }

    private func bitsOfClaimed(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var bits: UInt32 = 0
        for other in 0..<Self.slotCount where other != slot {
            if let claim = claim(of: other, in: bytes), claim.seq != 0, ticketOfRequest(other, in: bytes) == claim.ticket,
                !report(of: claim.leader, in: bytes, covers: claim)
            {
                bits |= Self.bit(other)
            }
        }
        return bits
    }

    /// Nothing where there is none, or not all of it.
    private func claim(of slot: Int, in bytes: UnsafeRawBufferPointer) -> Claim? {
        let start = Self.claimsOffset + slot * Self.claimSize
        return Claim(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.claimSize]), slot: slot)
    }

    private static func checksum(of text: [UInt8], _ ticket: UInt64) -> UInt64 {
        var crc = CRC32C()
        withUnsafeBytes(of: ticket.littleEndian) { crc.add($0) }
        text.withUnsafeBytes { crc.add($0) }
        return UInt64(crc.value)
    }
}

extension RequestBoard.Claim {
    fileprivate init?(_ bytes: UnsafeRawBufferPointer, slot: Int) {
        let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(8))
        let (leader, count) = (bytes.word(32), bytes.word(48))
        guard bytes.word(0) != 0, bytes.word(64) == UInt64(CRC32C.checksum(content)), leader < UInt64(RequestBoard.slotCount),
            count <= UInt64(maximumLineCount)
        else { return nil }
        self.init(
            slot: slot, ticket: bytes.word(0), seq: bytes.word(8), generation: UInt32(truncatingIfNeeded: bytes.word(24)),
            offset: Int64(bitPattern: bytes.word(16)), count: Int(count), leader: Int(leader), token: bytes.word(56),
            group: bytes.word(40))
    }

    fileprivate var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(72)
        bytes.append(word: ticket)
        bytes.append(word: seq)
        bytes.append(word: UInt64(bitPattern: offset))
        bytes.append(word: UInt64(generation))
        bytes.append(word: UInt64(leader))
        bytes.append(word: group)
        bytes.append(word: UInt64(count))
        bytes.append(word: token)
        bytes.append(word: UInt64(bytes.withUnsafeBytes { CRC32C.checksum($0) }))
        return bytes
    }
}

/// Through which of its groups a handle has acknowledged.
private struct Report {
    let token: UInt64
    let group: UInt64

    init(token: UInt64, group: UInt64) {
        self.token = token
        self.group = group
    }

    /// `nil` if it is none, or only part of it has been written.
    init?(_ bytes: UnsafeRawBufferPointer) {
        self.init(token: bytes.word(0), group: bytes.word(8))
        guard bytes.word(16) == ~(token ^ group) else { return nil }
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(word: token)
        bytes.append(word: group)
        bytes.append(word: ~(token ^ group))
        return bytes
    }

    /// A later group tells as much: a sync reaches everything that was written before it.
    func covers(_ claim: RequestBoard.Claim) -> Bool { token == claim.token && group >= claim.group }
}

extension [UInt8] {
    fileprivate mutating func append(word: UInt64) { Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) } }
}

extension UnsafeRawBufferPointer {
    fileprivate func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
