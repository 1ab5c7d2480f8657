import Ledger
import Testing

@testable import Storage

@Suite struct `The index of request ids` {
    private func record(_ seq: UInt64, _ id: String) throws -> Record {
        Record(
            seq: seq, at: Timestamp(clamping: 0), time: Timestamp(clamping: 0), event: .deposited(Money(clamping: 1)),
            requestID: try RequestID(id), note: nil, cash: Money(clamping: 1))
    }

    @Test func `knows nothing until it has been read`() throws {
        var index = RequestIndex()
        let record = try record(7, "a")
        index.add([record], generation: 1, starts: [512])
        #expect(index.place(of: try RequestID("a")) == nil)
        index.isComplete = true
        index.add([record], generation: 1, starts: [512])
        #expect(index.place(of: try RequestID("a")) == LinePlace(generation: 1, offset: 512, seq: 7))
        #expect(index.place(of: try RequestID("b")) == nil)
    }

    @Test func `keeps the first event of an id, until that has fallen out of the window`() throws {
        var index = RequestIndex()
        let window = RequestIndex.window
        for seq in [10, 11, 9 + window] { index.add(try record(seq, "a"), generation: 1, offset: Int64(seq)) }
        #expect(index.place(of: try RequestID("a"))?.seq == 10)
        index.add(try record(10 + window, "a"), generation: 2, offset: 3)
        #expect(index.place(of: try RequestID("a")) == LinePlace(generation: 2, offset: 3, seq: 10 + window))
    }

    @Test func `holds every id of the window and no more than twice as many`() throws {
        var index = RequestIndex()
        let (window, count) = (RequestIndex.window, 3 * RequestIndex.window)
        for seq in 1...count { index.add(try record(seq, "id \(seq)"), generation: 1, offset: Int64(seq)) }
        for seq in (count - window + 1)...count {
            guard index.place(of: try RequestID("id \(seq)"))?.seq == seq else {
                Issue.record("the id of event \(seq) of \(count) is gone")
                return
            }
        }
        let kept = try (1...count).filter { index.place(of: try RequestID("id \($0)")) != nil }
        #expect(kept.count <= 2 * Int(window) && kept.first.map { $0 > 1 } ?? false, "\(kept.count) are kept")
    }
}

@Suite struct `How far the journal is on the disk` {
    @Test func `is told by what was written and synced, to the end of a line`() {
        var progress = Progress(durableSeq: 3, durableOffset: 300)
        for (seq, end) in [(4, 400), (5, 500), (6, 600)] as [(UInt64, Int64)] { progress.wrote(seq, end: end) }
        #expect(progress.writtenSeq == 6)
        progress.synced(5)
        #expect(progress.durableSeq == 5 && progress.durableOffset == 500)
        progress.synced(4)
        #expect(progress.durableSeq == 5, "it never goes back")
        progress.synced(6)
        #expect(progress.durableSeq == 6 && progress.durableOffset == 600)
    }

    @Test func `is another one, and remembers failures, when the journal has been read anew`() {
        var progress = Progress(durableSeq: 3, durableOffset: 300)
        progress.wrote(4, end: 400)
        progress.failure = StorageError(.io, "a sync failed")
        let before = progress
        progress.restart(from: Progress(durableSeq: 2, durableOffset: 200))
        #expect(progress.durableSeq == 2 && progress.durableOffset == 200 && progress.writtenSeq == 2)
        #expect(progress.failure == before.failure)
        #expect(progress.restarts != before.restarts)
    }
}
