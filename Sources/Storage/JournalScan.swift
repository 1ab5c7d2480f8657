import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a disk writes whole or not at all.
let sectorSize: Int64 = 512

/// What the journal is filled with ahead of its end.
let fill = UInt8(ascii: "\n")

/// How far the journal has been read: the end of a whole group of lines.
struct JournalPosition: Equatable, Sendable {
    /// Just behind the newline of the last line.
    var offset: Int64 = 0
    /// The number of lines before.
    var lineCount = 0
    /// The last event.
    var seq: UInt64 = 0
    /// The last line's checksum.
    var crc: UInt32 = 0
    /// Lines of other generations and the first line's `prev` are not known yet: any link will do.
    var acceptsAnyLink = true
}

/// A line that was read, with its place.
struct PlacedLine {
    let line: JournalLine
    let offset: Int64
    /// Just behind its newline.
    let end: Int64
    let number: Int
}

/// Where reading stopped, and why.
enum ScanEnd {
    /// Nothing but fill follows.
    case clean
    /// Something that is not the next line.
    case fault(JournalFault)
}

struct JournalFault {
    /// The place, just behind the last good line, and the number, from 1, that the bad line has or should have.
    let offset: Int64
    let lineNumber: Int
    /// The event that was expected.
    let seq: UInt64
    /// What is wrong, for the message.
    let problem: String
    /// A checksum that is right over something that cannot be read means a newer writer.
    let isNewerFormat: Bool
}

/// Reads a journal line by line and checks every checksum and link.
struct JournalScanner {
    private let directory: AccountDirectory
    private let file: OpenFile
    private let name: String
    /// The end of the last whole group.
    private(set) var position: JournalPosition

    private static let chunkSize = 1 << 18

    init(_ file: OpenFile, _ name: String, in directory: AccountDirectory, from position: JournalPosition) {
        self.file = file
        self.name = name
        self.directory = directory
        self.position = position
    }

    /// Reads groups of lines until the end or a fault, handing each whole group to `visit`, in order.
    ///
    /// - Parameter onlyNewLines: stop at the first fill behind a whole group, without looking for anything beyond it.
    mutating func scan(
        onlyNewLines: Bool = false, _ visit: (ArraySlice<PlacedLine>) throws(StorageError) -> Void
    ) throws(StorageError) -> ScanEnd {
        try scan(onlyNewLines: onlyNewLines, byLine: false) { (group) throws(StorageError) in
            try visit(group)
            return true
        }
    }

    /// The same, until `visit` returns false.
    ///
    /// - Parameter byLine: hand over each line by itself, whether or not its group is whole.
    mutating func scan(
        onlyNewLines: Bool = false, byLine: Bool, while visit: (ArraySlice<PlacedLine>) throws(StorageError) -> Bool
    ) throws(StorageError) -> ScanEnd {
        var group: [PlacedLine] = []
        var next = position
        // What has been read and not yet used; it starts at `offset`.
        var buffer: [UInt8] = []
        var offset = position.offset
        var chunkSize = onlyNewLines ? 4096 : Self.chunkSize
        while true {
            let chunk = try directory.read(file, name, at: offset + Int64(buffer.count), count: chunkSize)
            let isAtEnd = chunk.count < chunkSize
            chunkSize = Self.chunkSize
            buffer.append(contentsOf: chunk)
            var consumed = 0
            while consumed < buffer.count {
                if buffer[consumed] == fill {
                    if onlyNewLines && group.isEmpty { return .clean }
                    consumed = buffer[consumed...].firstIndex { $0 != fill } ?? buffer.count
                    continue
                }
                let start = offset + Int64(consumed)
                guard let length = lengthOfLine(in: buffer, from: consumed) else {
                    // The rest of the line may be in the next chunk.
                    if !isAtEnd && buffer.count - consumed <= maximumLineCount { break }
                    return .fault(fault("it has no end", next))
                }
                let result = buffer.withUnsafeBytes {
                    read(UnsafeRawBufferPointer(rebasing: $0[consumed..<consumed + length]), after: next)
                }
                switch result {
                case .failure(let fault): return .fault(fault)
                case .success(let line):
                    consumed += length + 1
                    next = JournalPosition(
                        offset: start + Int64(length) + 1, lineCount: next.lineCount + 1, seq: line.record.seq, crc: line.crc,
                        acceptsAnyLink: false)
                    group.append(PlacedLine(line: line, offset: start, end: next.offset, number: next.lineCount))
                    if line.more && !byLine { continue }
                    let goesOn = try visit(group[...])
                    group.removeAll(keepingCapacity: true)
                    position = next
                    if !goesOn { return .clean }
                }
            }
            offset += Int64(consumed)
            buffer.removeFirst(consumed)
            if isAtEnd {
                return group.isEmpty ? .clean : .fault(fault("the rest of its group of events is missing", next))
            }
        }
    }

    private func lengthOfLine(in buffer: [UInt8], from start: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let newline = memchr(base + start, Int32(fill), bytes.count - start) else {
                return nil
            }
            return UnsafeRawPointer(newline) - (base + start)
        }
    }

    private func read(
        _ bytes: UnsafeRawBufferPointer, after previous: JournalPosition
    ) -> Result<JournalLine, JournalFault> {
        func failure(_ problem: String, isNewer: Bool = false) -> Result<JournalLine, JournalFault> {
            .failure(fault(problem, previous, isNewer: isNewer))
        }
        guard hasRightChecksum(bytes) else { return failure("its checksum does not fit") }
        var reader = LineReader(bytes)
        do throws(LineReader.Unexpected) {
            let line = try reader.readLine()
            if !previous.acceptsAnyLink {
                guard line.previousCRC == previous.crc else { return failure("it does not follow the line before") }
                guard line.record.seq == previous.seq &+ 1 else {
                    return failure("it is event \(line.record.seq), but the line before is event \(previous.seq)")
                }
            }
            return .success(line)
        } catch {
            return failure("expected \(escaped(error.expected)) at its byte \(error.position + 1)", isNewer: true)
        }
    }

    private func fault(_ problem: String, _ previous: JournalPosition, isNewer: Bool = false) -> JournalFault {
        JournalFault(
            offset: previous.offset, lineNumber: previous.lineCount + 1, seq: previous.seq &+ 1, problem: problem,
            isNewerFormat: isNewer)
    }
}

extension JournalFault: Error {}

/// Whether a line ends in its own checksum.
func hasRightChecksum(_ line: UnsafeRawBufferPointer) -> Bool {
    let count = line.last == UInt8(ascii: " ") ? line.count - 1 : line.count
    guard count > checksumSuffixCount, let start = line.baseAddress else { return false }
    let text = UnsafeRawBufferPointer(start: start, count: count - checksumSuffixCount)
    let suffix = UnsafeRawBufferPointer(start: start + text.count, count: checksumSuffixCount)
    guard suffix.starts(with: ",\"crc\":\"".utf8), suffix.suffix(2).elementsEqual("\"}".utf8),
        let crc = checksumValue(UnsafeRawBufferPointer(rebasing: suffix[8..<16]))
    else { return false }
    return CRC32C.checksum(text) == crc
}
