import Ledger

/// A journal opened for reading: the current one or a sealed one.
struct ReadableJournal {
    let file: OpenFile
    let name: String
    let generation: UInt32
}

extension DirectoryStore {
    /// Calls back for every committed event from `seq` on, oldest first, through the sealed journals too, up to the state as last read.
    ///
    /// - Parameter body: gets the record, its generation, whether the next event belongs to the same commit, and the line as it
    ///   stands in the journal, without its newline; returns whether to go on.
    public func history(
        from seq: UInt64, _ body: (Record, UInt32, Bool, String) throws(StorageError) -> Bool
    ) throws(StorageError) {
        let last = state.seq
        for journal in try readableJournals(reaching: max(seq, 1)) {
            var isStopped = false
            try readLines(of: journal, from: seq) { (placed, text) throws(StorageError) in
                if placed.line.record.seq > last { return false }
                if placed.line.record.seq < seq { return true }
                isStopped = try !body(placed.line.record, journal.generation, placed.line.more, text)
                return !isStopped
            }
            if isStopped { return }
        }
    }

    /// The first event of the request, if it happened within the window.
    public func find(_ id: RequestID) throws(StorageError) -> (record: Record, generation: UInt32)? {
        if !requests.isComplete { try readRequestIndex() }
        guard let place = requests.place(of: id) else { return nil }
        guard let journal = try readableJournal(of: place.generation) else {
            throw StorageError(
                .missingData, "\(escaped(directory.path(of: AccountFile.sealedJournal(place.generation)))) is gone: restore it",
                seq: place.seq)
        }
        let (file, name) = (journal.file, journal.name)
        let bytes = try directory.read(file, name, at: place.offset, count: maximumLineCount)
        guard let line = JournalLine(firstOf: bytes), line.record.seq == place.seq else {
            throw StorageError(
                .corrupt,
                "\(escaped(directory.path(of: name))), byte \(place.offset): event \(place.seq) cannot be read: run verify",
                seq: place.seq, offset: place.offset)
        }
        guard line.record.requestID == id else { return nil }
        return (line.record, place.generation)
    }

    /// Whether the id may have been used within the window: `false` only if it is known that it has not been.
    public func mayKnow(_ id: RequestID) -> Bool { !requests.isComplete || requests.place(of: id) != nil }

    private func readRequestIndex() throws(StorageError) {
        var index = RequestIndex()
        index.isComplete = true
        let first = state.seq > RequestIndex.window ? state.seq - RequestIndex.window + 1 : 1
        for journal in try readableJournals(reaching: first) {
            try readLines(of: journal, from: first) { (placed, _) in
                if placed.line.record.seq <= state.seq {
                    index.add(placed.line.record, generation: journal.generation, offset: placed.offset)
                }
                return true
            }
        }
        requests = index
    }

    /// The current journal and as many sealed ones as it takes to reach back to `seq`, oldest first.
    private func readableJournals(reaching seq: UInt64) throws(StorageError) -> [ReadableJournal] {
        var journals = [ReadableJournal(file: journal, name: AccountFile.journal, generation: state.generation)]
        var first = try firstSeq(of: journals[0])
        guard first > seq else { return journals }
        for generation in try directory.generations(before: state.generation, of: state.accountID).reversed() {
            guard first > seq else { break }
            guard let journal = try readableJournal(of: generation) else { continue }
            first = try firstSeq(of: journal)
            journals.insert(journal, at: 0)
        }
        return journals
    }

    private func readableJournal(of generation: UInt32) throws(StorageError) -> ReadableJournal? {
        if generation == state.generation {
            return ReadableJournal(file: journal, name: AccountFile.journal, generation: generation)
        }
        return try directory.openJournal(generation, of: state.accountID)
    }

    private func firstSeq(of journal: ReadableJournal) throws(StorageError) -> UInt64 {
        let bytes = try directory.read(journal.file, journal.name, at: 0, count: maximumLineCount)
        guard let line = JournalLine(firstOf: bytes) else {
            throw StorageError(
                .corrupt, "\(escaped(directory.path(of: journal.name))), line 1, byte 0: it cannot be read: run verify", offset: 0
            )
        }
        return line.record.seq
    }

    /// Reads lines from a little before `seq` on, until `body` returns false.
    private func readLines(
        of journal: ReadableJournal, from seq: UInt64, _ body: (PlacedLine, String) throws(StorageError) -> Bool
    ) throws(StorageError) {
        var start = JournalPosition()
        start.offset = try offset(before: seq, in: journal)
        var scanner = JournalScanner(journal.file, journal.name, in: directory, from: start)
        let end = try scanner.scan(byLine: true) { (lines) throws(StorageError) in
            for placed in lines {
                let bytes = try directory.read(
                    journal.file, journal.name, at: placed.offset, count: Int(placed.end - placed.offset - 1))
                if try !body(placed, String(decoding: bytes, as: UTF8.self)) { return false }
            }
            return true
        }
        // A bad tail of the current journal is a line that is being written; a sealed one has none, and neither has what was read before.
        if case .fault(let fault) = end, journal.name != AccountFile.journal || fault.offset < position.offset {
            throw StorageError(
                .corrupt,
                "\(escaped(directory.path(of: journal.name))), byte \(fault.offset): \(fault.problem): run verify",
                offset: fault.offset)
        }
    }

    /// The start of a line with an event at or before `seq`, found by bisecting the file.
    private func offset(before seq: UInt64, in journal: ReadableJournal) throws(StorageError) -> Int64 {
        var low: Int64 = 0
        var high = try attempt("examine", directory.path(of: journal.name)) { () throws(Errno) in
            try system.status(journal.file.descriptor).size
        }
        while high - low > Int64(4 * maximumLineCount) {
            let middle = low + (high - low) / 2
            let bytes = try directory.read(journal.file, journal.name, at: middle, count: 2 * maximumLineCount)
            if let found = firstWholeLine(in: bytes), found.seq <= seq {
                low = middle + Int64(found.index)
            } else {
                high = middle
            }
        }
        return low
    }

    private func firstWholeLine(in bytes: [UInt8]) -> (index: Int, seq: UInt64)? {
        guard let newline = bytes.firstIndex(of: fill), let start = bytes[newline...].firstIndex(where: { $0 != fill }),
            let line = JournalLine(firstOf: Array(bytes[start...]))
        else { return nil }
        return (start, line.record.seq)
    }
}

extension AccountDirectory {
    /// The generations before `generation` of an account whose journals are here, oldest first.
    func generations(before generation: UInt32, of accountID: String) throws(StorageError) -> [UInt32] {
        // The one that a reset is just moving comes first: it goes from this name to a sealed one, never back.
        var generations = Set([try movingJournal(of: accountID)?.generation].compactMap { $0 })
        generations.formUnion(try sealedJournals().map(\.generation))
        return generations.filter { $0 < generation }.sorted()
    }

    /// The journal of a finished generation, also if its reset is under way, or was interrupted by a crash.
    func openJournal(_ generation: UInt32, of accountID: String) throws(StorageError) -> ReadableJournal? {
        if let sealed = try sealedJournal(generation) { return sealed }
        if let moving = try movingJournal(of: accountID), moving.generation == generation { return moving }
        // It may have been sealed in between.
        return try sealedJournal(generation)
    }

    private func sealedJournal(_ generation: UInt32) throws(StorageError) -> ReadableJournal? {
        let name = AccountFile.sealedJournal(generation)
        return try open(name, .readOnly).map { ReadableJournal(file: $0, name: name, generation: generation) }
    }

    /// The journal that has the name between the two that a reset gives it: the next generation's before the exchange, the old one's after it.
    ///
    /// Of this account: in a file that a power cut kept from being written can stand whatever its blocks held before.
    func movingJournal(of accountID: String) throws(StorageError) -> ReadableJournal? {
        let name = AccountFile.nextJournal
        guard let file = try open(name, .readOnly) else { return nil }
        let bytes = try read(file, name, at: 0, count: maximumLineCount)
        guard case .started(let start)? = JournalLine(firstOf: bytes)?.record.event, start.accountID == accountID else {
            return nil
        }
        return ReadableJournal(file: file, name: name, generation: start.generation)
    }
}
