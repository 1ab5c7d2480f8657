import Ledger

/// Where a line stands.
struct LinePlace: Equatable, Sendable {
    let generation: UInt32
    let offset: Int64
    let seq: UInt64
}

/// The request ids of the last 65,536 events at least, and where the first event of each stands.
///
/// It is read from the journals when the first request id is used, and kept up to date from then on. Ids are kept as two hashes;
/// the line itself has the last word.
struct RequestIndex: Sendable {
    private struct Key: Hashable {
        let first: UInt64
        let second: UInt64

        init(_ id: RequestID) {
            // Two FNV-1a hashes from different offsets.
            var first: UInt64 = 0xCBF2_9CE4_8422_2325
            var second: UInt64 = 0x6C62_272E_07BB_0142
            for byte in id.description.utf8 {
                first = (first ^ UInt64(byte)) &* 0x100_0000_01B3
                second = (second ^ UInt64(byte ^ 0x5C)) &* 0x100_0000_01B3
            }
            self.first = first
            self.second = second
        }
    }

    /// How many events back an id is remembered.
    static let window: UInt64 = 65_536

    /// Whether it has been read; until then nothing is added.
    var isComplete = false
    private var places: [Key: LinePlace] = [:]

    mutating func add(
        _ records: some Sequence<Record>, generation: UInt32, starts: some Sequence<Int64>
    ) {
        guard isComplete else { return }
        for (record, offset) in zip(records, starts) { add(record, generation: generation, offset: offset) }
    }

    mutating func add(_ record: Record, generation: UInt32, offset: Int64) {
        guard let id = record.requestID else { return }
        let key = Key(id)
        let place = LinePlace(generation: generation, offset: offset, seq: record.seq)
        // The first event of a request is its outcome; an id that fell out of the window may come again.
        if let known = places[key], record.seq < known.seq + Self.window { return }
        places[key] = place
        if places.count > 2 * Int(Self.window) { forget(before: record.seq) }
    }

    func place(of id: RequestID) -> LinePlace? { places[Key(id)] }

    private mutating func forget(before seq: UInt64) {
        places = places.filter { $0.value.seq + Self.window >= seq }
    }
}
