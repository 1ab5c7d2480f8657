import Ledger

/// How far the journal is known to be on the disk.
struct Progress: Sendable {
    /// The last event known to be on the disk, and the end of its line.
    private(set) var durableSeq: UInt64 = 0
    private(set) var durableOffset: Int64 = 0
    /// The last event in the journal.
    private(set) var writtenSeq: UInt64 = 0
    /// Set when a sync failed: nothing that was not synced before can be trusted any more.
    var failure: StorageError?
    /// How often it was restarted.
    private(set) var restarts = 0
    /// The events that are not known to be on the disk, with the ends of their lines.
    private var pending: ArraySlice<(seq: UInt64, end: Int64)> = []

    init() {}

    init(durableSeq: UInt64, durableOffset: Int64) {
        self.durableSeq = durableSeq
        self.durableOffset = durableOffset
        writtenSeq = durableSeq
    }

    mutating func wrote(_ seq: UInt64, end: Int64) {
        writtenSeq = max(writtenSeq, seq)
        if seq > durableSeq { pending.append((seq, end)) }
    }

    /// The journal has been read anew, and what was read of it before may have been undone. What a sync that began before comes to, says
    /// nothing about what is known now.
    mutating func restart(from known: Progress) {
        let (failure, restarts) = (failure, restarts)
        self = known
        self.failure = failure
        self.restarts = restarts &+ 1
    }

    /// Somebody else knows of an event that it is on the disk, and where its line ends.
    mutating func learnt(durableSeq seq: UInt64, end: Int64) {
        guard seq > durableSeq else { return }
        (durableSeq, durableOffset) = (seq, end)
        while let first = pending.first, first.seq <= seq { pending.removeFirst() }
    }

    /// The event is on the disk, and so is everything before it.
    mutating func synced(_ seq: UInt64) {
        guard seq > durableSeq else { return }
        while let first = pending.first, first.seq <= seq {
            durableSeq = first.seq
            durableOffset = first.end
            pending.removeFirst()
        }
    }
}
