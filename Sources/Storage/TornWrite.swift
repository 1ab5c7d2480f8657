import Ledger

/// Telling a write that a crash cut short from damage.
///
/// A crash leaves each 512-byte sector of an unsynced write either new or as it was, and before the write these bytes were fill
/// that had been synced before use. So a torn write shows a sector of fill where its text should be:
///
/// | what is found                                              | verdict | because                                        |
/// |------------------------------------------------------------|---------|------------------------------------------------|
/// | fill from the expected place to the end of its sector      | torn    | the line's first sector is missing             |
/// | a line that ends at a sector's start, and that sector fill | torn    | that sector is missing: no line ends there     |
/// | the start of a line, and fill to the end of the file       | torn    | a write that stopped early and was not undone  |
/// | anything else                                              | damage  | no crash looks like this                       |
///
/// Neither matters below what is known to be synced: there every fault is damage. ``LineWriter/appendLine(_:ticket:durableSeq:more:previousCRC:at:)``
/// makes sure that no whole line ends at a sector's start, and the journal always ends in at least a sector of fill.
struct TornWriteTest {
    private let directory: AccountDirectory
    private let file: OpenFile
    private let name: String

    init(_ file: OpenFile, _ name: String, in directory: AccountDirectory) {
        self.file = file
        self.name = name
        self.directory = directory
    }

    /// What follows a fault, or the last whole group before it.
    struct Tail {
        /// The largest `durable` of the later lines that are whole.
        var durableSeq: UInt64 = 0
        /// Just behind the last byte that is not fill.
        var end: Int64
        /// How many later lines are whole, and the last event among them.
        var wholeLines = 0
        var highestSeq: UInt64 = 0
    }

    /// Reads everything from `start` on.
    func tail(from start: Int64) throws(StorageError) -> Tail {
        var tail = Tail(end: start)
        var offset = start
        var rest: [UInt8] = []
        while true {
            let chunk = try directory.read(file, name, at: offset, count: 1 << 18)
            if let last = chunk.lastIndex(where: { $0 != fill }) { tail.end = offset + Int64(last) + 1 }
            offset += Int64(chunk.count)
            rest.append(contentsOf: chunk)
            let isAtEnd = chunk.isEmpty
            // What follows the last newline may go on in the next chunk, unless it is too long to be a line.
            let whole = isAtEnd ? rest.count : (rest.lastIndex(of: fill) ?? 0)
            for line in rest[..<whole].split(separator: fill) {
                line.withUnsafeBytes { bytes in
                    guard bytes.count <= maximumLineCount, hasRightChecksum(bytes) else { return }
                    var reader = LineReader(bytes)
                    guard let line = try? reader.readLine() else { return }
                    tail.durableSeq = max(tail.durableSeq, line.durableSeq)
                    tail.wholeLines += 1
                    tail.highestSeq = max(tail.highestSeq, line.record.seq)
                }
            }
            if isAtEnd { return tail }
            rest = rest.count - whole > maximumLineCount ? [] : Array(rest[whole...])
        }
    }

    func isTorn(_ fault: JournalFault, _ tail: Tail) throws(StorageError) -> Bool {
        let start = fault.offset
        // From the expected place to the end of the longest line, and a sector more.
        let bytes = try directory.read(file, name, at: start, count: maximumLineCount + 2 * Int(sectorSize))
        func isFill(from: Int, count: Int) -> Bool {
            from + count <= bytes.count && bytes[from..<from + count].allSatisfy { $0 == fill }
        }
        if bytes.first == fill {
            return isFill(from: 0, count: Int(sectorSize - start % sectorSize))
        }
        guard let lineEnd = bytes.firstIndex(of: fill) else { return false }
        if (start + Int64(lineEnd)) % sectorSize == 0 && isFill(from: lineEnd, count: Int(sectorSize)) { return true }
        let isCutShort =
            bytes[..<lineEnd].last != UInt8(ascii: "}") && bytes[..<lineEnd].last != UInt8(ascii: " ")
            && !hasChecksum(bytes[..<lineEnd].dropLast())
        let boundary = Int((sectorSize - (start + Int64(lineEnd)) % sectorSize) % sectorSize)
        return isCutShort && tail.end <= start + Int64(lineEnd) && isFill(from: lineEnd + boundary, count: Int(sectorSize))
    }

    /// Whether the bytes end in a checksum, or a little behind one. A line that has its checksum, and so much as one byte more, was not cut
    /// short: one of its last bytes is damaged.
    private func hasChecksum(_ line: ArraySlice<UInt8>) -> Bool {
        let start = Array(",\"crc\":\"".utf8)
        return (0...2).contains { surplus in
            let end = line.dropLast(surplus)
            guard end.last == UInt8(ascii: "\""), checksumValue(end.dropLast().suffix(8)) != nil else { return false }
            return end.dropLast(9).suffix(start.count).elementsEqual(start)
        }
    }
}
