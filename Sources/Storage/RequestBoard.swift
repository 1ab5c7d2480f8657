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
/// written since he left the request: the event is there, or it is his to make. So nothing happens twice, whoever dies when.
///
/// A request that is done is not taken away: its claim says that nobody has to do it.
///
/// Whoever gives up takes his request away and then looks for a claim; whoever claims writes the claim and then looks whether the request is
/// still there. One of them at least sees the other.
final class RequestBoard: @unchecked Sendable {
    // Unchecked: one thread at a time uses it, but for `report`, which guards what it changes.

    /// How many handles can wait here at once; the others only wait for the lock.
    static let slotCount = 62

    private static let header = Array("ptboard1".utf8)
    private static let noTicket = [UInt8](repeating: 0, count: 8)
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
        let content: [UInt8]
    }

    private let file: FileDescriptor
    private let system: any System
    /// What has been read.
    private let buffer: UnsafeMutableRawBufferPointer
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
    /// Whose owners are known to have been there since the lock was taken: bits by slot.
    private var present: UInt64 = 0
    private var content: [UInt8] = []
    private var writtenAt: Int64 = 0
    /// The most bytes that a file may have, as it was lately.
    private var limit: Int64
    /// Whether a request has been left that is neither done nor taken away. One that is done can stay: its claim keeps others from it.
    var isWaiting = false

    /// Opens the file, making it if necessary, and takes a slot. `nil` where that cannot be had: then one waits without.
    ///
    /// - Parameter identity: a file with whose inode nothing shall share a block.
    init?(in directory: AccountDirectory, _ lock: FileLock, apartFrom identity: FileStatus.Identity) {
        let system = directory.system
        limit = system.fileSizeLimit()
        guard directory.isLocal, limit >= Int64(Self.size), let file = Self.open(directory, identity) else {
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
        buffer = .allocate(byteCount: Self.size, alignment: 8)
        self.file = file
        self.system = system
        self.slot = slot
        processID = system.processID()
        token = random.withUnsafeBytes { $0.word(0) }
        tokenText = String(token, radix: 16)
        // Other tickets than those of the last owner of the slot, whose request may be about to be claimed.
        ticket = random.withUnsafeBytes { $0.word(8) }
        guard write(BoardReport(token: token, group: 0).bytes, at: Self.reportsOffset + slot * Self.reportSize),
            write(Self.noTicket, at: Self.requestsOffset + slot * Self.requestSize),
            system.lockByte(file, at: Self.aliveOffset + Int64(slot))
        else { return nil }
    }

    deinit {
        buffer.deallocate()
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
    /// - Parameter content: what it is with that ticket, which nobody else ever has.
    /// - Returns: the ticket; `nil` if it is too long to be left.
    func leave(_ content: (String) -> [UInt8]?) -> String? {
        ticket = max(1, ticket &+ 1)
        let name = "\(tokenText)-\(ticket)"
        guard let content = content(name), content.count <= Self.maximumCount else { return nil }
        self.content = content
        isWaiting = true
        // A write that fails may have written all the same.
        _ = write()
        return name
    }

    private func write() -> Bool {
        limit = system.fileSizeLimit()
        writtenAt = system.monotonicTime()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.requestSize)
        bytes.append(word: ticket)
        bytes.append(word: UInt64(bitPattern: writtenAt))
        bytes.append(word: UInt64(content.count))
        bytes.append(word: Self.checksum(of: content, ticket))
        bytes += content
        return write(bytes, at: Self.requestsOffset + slot * Self.requestSize)
    }

    /// To be called from time to time while waiting.
    func renew() {
        if isWaiting && system.monotonicTime() - writtenAt > Self.longestSilence / 10 { _ = write() }
    }

    /// Takes the request away. Then ``fate`` is final, but that what is claimed may still be reported or refused. `false` if it cannot be taken
    /// away: then see ``end()``.
    func withdraw() -> Bool {
        guard isWaiting else { return true }
        limit = system.fileSizeLimit()
        guard write(Self.noTicket, at: Self.requestsOffset + slot * Self.requestSize) else { return false }
        isWaiting = false
        system.fence()
        return true
    }

    /// Has nobody do what has been left, and cannot be taken away: as if this process were gone. Its groups can still be reported.
    func end() { system.unlockByte(file, at: Self.aliveOffset + Int64(slot)) }

    var fate: Fate {
        withContents(Self.requestsOffset) { bytes in
            guard let claim = claim(of: slot, in: bytes), claim.ticket == ticket else { return .waiting }
            if claim.seq == 0 { return .refused }
            return report(of: claim.leader, in: bytes, covers: claim) ? .reported(claim) : .claimed(claim)
        } ?? .unknown
    }

    private func report(of slot: Int) -> BoardReport? {
        read(Self.reportSize, at: Self.reportsOffset + slot * Self.reportSize) { BoardReport($0) } ?? nil
    }

    /// Whether nobody is left who could report.
    func isAbandoned(_ claim: Claim) -> Bool {
        // A slot of one's own shows as free.
        claim.leader != slot && !isAlive(claim.leader)
            || report(of: claim.leader)?.token != claim.token
    }

    /// The bits of those who are waiting for the lock, and not for a report.
    var bitsOfUnclaimed: UInt32 { withContents(Self.size) { ~bitsOfClaimed($0, system.monotonicTime()) & ~bits } ?? .max }

    // MARK: The side that has the lock

    /// Notes who is there, so that ``entries()`` need not ask. Under the lock; that then tells who has been there since it was taken.
    func lookWhoIsThere() {
        let now = system.monotonicTime()
        withContents(Self.size) { bytes in
            for other in 0..<Self.slotCount where other != slot && isFresh(other, in: bytes, now) && isAlive(other) {
                present |= 1 << UInt64(other)
            }
        }
    }

    private func isAlive(_ slot: Int) -> Bool { system.isByteLocked(file, at: Self.aliveOffset + Int64(slot)) }

    /// What others have left, and ``bitsOfUnclaimed``. Under the lock.
    func entries() -> (entries: [Entry], bitsOfUnclaimed: UInt32) {
        limit = system.fileSizeLimit()
        let now = system.monotonicTime()
        defer { present = 0 }
        return withContents(Self.size) { bytes in
            var entries: [Entry] = []
            for other in 0..<Self.slotCount where other != slot {
                let start = Self.requestsOffset + other * Self.requestSize
                let ticket = bytes.word(start)
                guard ticket != 0, claim(of: other, in: bytes)?.ticket != ticket, isFresh(other, in: bytes, now),
                    let count = Int(exactly: bytes.word(start + 16)), count <= Self.maximumCount
                else { continue }
                let content = Array(bytes[(start + Self.requestHeadSize)...].prefix(count))
                // Checked last, because it is a system call: what a process left that is gone.
                guard bytes.word(start + 24) == Self.checksum(of: content, ticket),
                    present & 1 << UInt64(other) != 0 || isAlive(other)
                else { continue }
                entries.append(Entry(slot: other, ticket: ticket, content: content))
            }
            return (entries, ~bitsOfClaimed(bytes, now))
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
            _ = write(
                BoardReport(token: token, group: group).bytes, at: Self.reportsOffset + slot * Self.reportSize,
                limit: system.fileSizeLimit())
        }
        system.wake(at: waitingPlace, atMost: .max, bits: Self.bits(of: claims))
    }

    static func bits(of claims: [Claim]) -> UInt32 { claims.reduce(0) { $0 | bit($1.slot) } }

    // MARK: The bytes

    @discardableResult
    private func withContents<Result>(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        read(count, at: 0, body)
    }

    /// `nil` if it cannot be read. What the file does not have yet is empty.
    private func read<Result>(_ count: Int, at offset: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        let buffer = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        guard let done = try? system.readFully(file, into: buffer, at: Int64(offset)).get() else { return nil }
        UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).initializeMemory(as: UInt8.self, repeating: 0)
        return body(UnsafeRawBufferPointer(buffer))
    }

    private func write(_ bytes: [UInt8], at offset: Int) -> Bool { write(bytes, at: offset, limit: limit) }

    private func write(_ bytes: [UInt8], at offset: Int, limit: Int64) -> Bool {
        (try? system.writeFully(bytes, to: file, at: Int64(offset), limit: limit)) != nil
    }

    private func ticketOfRequest(_ slot: Int, in bytes: UnsafeRawBufferPointer) -> UInt64 {
        bytes.word(Self.requestsOffset + slot * Self.requestSize)
    }

    private func report(of slot: Int, in bytes: UnsafeRawBufferPointer, covers claim: Claim) -> Bool {
        let start = Self.reportsOffset + slot * Self.reportSize
        return BoardReport(UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.reportSize]))?.covers(claim) == true
    }

    /// Whether the owner of a request has written it within the time in which he renews it.
    private func isFresh(_ slot: Int, in bytes: UnsafeRawBufferPointer, _ now: Int64) -> Bool {
        let age = now.subtractingReportingOverflow(
            Int64(bitPattern: bytes.word(Self.requestsOffset + slot * Self.requestSize + 8)))
        return !age.overflow && age.partialValue.magnitude < UInt64(Self.longestSilence)
    }

    private func bitsOfClaimed(_ bytes: UnsafeRawBufferPointer, _ now: Int64) -> UInt32 {
        var bits: UInt32 = 0
        for other in 0..<Self.slotCount where other != slot {
            if let claim = claim(of: other, in: bytes), claim.seq != 0, ticketOfRequest(other, in: bytes) == claim.ticket,
                isFresh(other, in: bytes, now), !report(of: claim.leader, in: bytes, covers: claim)
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

    private static func checksum(of content: [UInt8], _ ticket: UInt64) -> UInt64 {
        var crc = CRC32C()
        withUnsafeBytes(of: ticket.littleEndian) { crc.add($0) }
        content.withUnsafeBytes { crc.add($0) }
        return UInt64(crc.value)
    }
}
