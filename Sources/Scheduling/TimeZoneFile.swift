import Ledger

extension TimeZoneRules {
    /// How large a time zone file may be that is read. Those of the tz database have less than 4 KiB.
    public static let maximumFileSize = 65_536

    /// Reads a compiled time zone file (TZif, RFC 8536, versions 1 to 4). Any bytes may be given.
    ///
    /// `nil` if it is damaged, or counts leap seconds, which UTC as computers keep it does not.
    public init?(file bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let old = Header(&reader) else { return nil }
        guard old.version != 0 else {
            guard let block = Block(&reader, old, timeSize: 4), reader.isAtEnd else { return nil }
            self.init(firstOffset: block.firstOffset, changes: block.changes, later: nil)
            return
        }
        // The first block is for programs that know only version 1; the second says the same in 64 bits.
        guard reader.skip(old.size(timeSize: 4)), let header = Header(&reader),
            let block = Block(&reader, header, timeSize: 8), let footer = reader.takeFooter()
        else { return nil }
        guard !footer.isEmpty else {
            self.init(firstOffset: block.firstOffset, changes: block.changes, later: nil)
            return
        }
        guard let later = SeasonalTime(footer) else { return nil }
        self.init(firstOffset: block.firstOffset, changes: block.changes, later: later)
    }
}

/// How much of what follows.
private struct Header {
    let version: UInt8
    let utIndicatorCount: Int
    let standardIndicatorCount: Int
    let leapCount: Int
    let timeCount: Int
    let typeCount: Int
    let characterCount: Int

    init?(_ reader: inout ByteReader) {
        guard reader.take(4).map(Array.init) == Array("TZif".utf8), let version = reader.take(1)?.first,
            version == 0 || (UInt8(ascii: "2")...UInt8(ascii: "4")).contains(version), reader.skip(15),
            let utIndicatorCount = reader.takeCount(), let standardIndicatorCount = reader.takeCount(),
            let leapCount = reader.takeCount(), let timeCount = reader.takeCount(), let typeCount = reader.takeCount(),
            let characterCount = reader.takeCount()
        else { return nil }
        self.version = version
        self.utIndicatorCount = utIndicatorCount
        self.standardIndicatorCount = standardIndicatorCount
        self.leapCount = leapCount
        self.timeCount = timeCount
        self.typeCount = typeCount
        self.characterCount = characterCount
    }

    /// The bytes of the block that it heads. Cannot overflow: the counts have 32 bits.
    func size(timeSize: Int) -> Int {
        timeCount * (timeSize + 1) + typeCount * 6 + sizeAfterTypes(timeSize: timeSize)
    }

    func sizeAfterTypes(timeSize: Int) -> Int {
        characterCount + leapCount * (timeSize + 4) + standardIndicatorCount + utIndicatorCount
    }
}

/// The moments of change, and the offsets that they change to.
private struct Block {
    let firstOffset: Int64
    let changes: [TimeZoneRules.Change]

    /// RFC 8536, section 3.2: more than -25 hours and less than 26.
    private static let offsets: ClosedRange<Int64> = -89_999...93_599

    init?(_ reader: inout ByteReader, _ header: Header, timeSize: Int) {
        guard header.leapCount == 0, header.typeCount >= 1 else { return nil }
        var times: [Int64] = []
        for _ in 0..<header.timeCount {
            guard let time = reader.takeInteger(timeSize), times.last.map({ $0 < time }) ?? true else { return nil }
            times.append(time)
        }
        guard let indexes = reader.take(header.timeCount) else { return nil }
        var types: [Int64] = []
        for _ in 0..<header.typeCount {
            // After the offset: whether it is daylight saving time, and where its name is. Neither matters here.
            guard let offset = reader.takeInteger(4), Self.offsets.contains(offset), reader.skip(2) else { return nil }
            types.append(offset)
        }
        guard indexes.allSatisfy({ $0 < types.count }), reader.skip(header.sizeAfterTypes(timeSize: timeSize)) else { return nil }
        firstOffset = types[0]
        changes = zip(times, indexes).map { TimeZoneRules.Change(second: $0, offset: types[Int($1)]) }
    }
}

/// Takes from the front of bytes what is there, and never more.
private struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func skip(_ count: Int) -> Bool { take(count) != nil }

    /// A number of 4 or 8 bytes, the highest first, negative ones as two's complements.
    mutating func takeInteger(_ size: Int) -> Int64? {
        guard let bytes = take(size) else { return nil }
        let bits = bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
    }

    mutating func takeCount() -> Int? { takeInteger(4).map { Int(UInt32(truncatingIfNeeded: $0)) } }

    /// The line at the end of the file.
    mutating func takeFooter() -> String? {
        guard rest.count >= 2, rest.removeFirst() == UInt8(ascii: "\n"), rest.removeLast() == UInt8(ascii: "\n") else {
            return nil
        }
        return String(validating: rest, as: UTF8.self)
    }
}
