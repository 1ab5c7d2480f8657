/// How claims and reports stand in `.requests`: see ``RequestBoard``. Words of eight bytes, little-endian.
extension RequestBoard.Claim {
    /// Nothing where there is none, or not all of it.
    init?(_ bytes: UnsafeRawBufferPointer, slot: Int) {
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

    var bytes: [UInt8] {
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
struct BoardReport {
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
    mutating func append(word: UInt64) { Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) } }
}

extension UnsafeRawBufferPointer {
    func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
