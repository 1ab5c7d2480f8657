import Ledger

extension DirectoryStore {
    public func catchUp(isLocked: Bool) throws(StorageError) {
        guard let status = try directory.status(AccountFile.journal) else {
            throw StorageError(.missingData, "\(escaped(journalPath())) is gone: restore it, or recover what is left")
        }
        if status.identity != journal.identity { return try followNewGeneration(isLocked: isLocked) }
        if isLocked {
            journalSize = status.size
            if isUnmended {
                // Another thread may have followed the reset since this one took the lock.
                if lockedJournal?.file.identity != journal.identity { try lockJournalAgain() }
                return try load(isLocked: true)
            }
        }

        // The end of the last known line, and a byte more.
        let count = min(Int(position.offset), checksumSuffixCount + 2)
        let tail = try directory.read(journal, AccountFile.journal, at: position.offset - Int64(count), count: count + 1)
        guard isEndOfLastLine(tail.prefix(count), crc: position.crc) else {
            // A change that was read without the lock has been undone since, or the file has been tampered with.
            return try load(isLocked: isLocked)
        }
        guard tail.count > count, tail[count] != fill else { return }
        if isLocked, try isFarBehind() { adoptView() }
        try readNewLines(isLocked: isLocked)
    }

    /// Whether so much is new that portfolio.json is read faster. Not where request ids have to be known: they are in the lines.
    private func isFarBehind() throws(StorageError) -> Bool {
        guard !requests.isComplete else { return false }
        let distance = 4 * Int64(max(portfolioWriter.count, 4096))
        return try directory.read(journal, AccountFile.journal, at: position.offset + distance, count: 1).first ?? fill != fill
    }

    /// Takes portfolio.json for the lines before it, as opening does, if it is what was published with one of the lines that are new. No
    /// power cut has come since this handle knew the journal, so the end of that line vouches for it. Where anything is amiss the lines are
    /// read.
    private func adoptView() {
        guard let status = try? directory.status(AccountFile.portfolio),
            let text = try? directory.contents(AccountFile.portfolio, limit: Portfolio.maximumByteCount),
            let view = try? Portfolio.usable(text), view.state.accountID == state.accountID,
            view.state.generation == state.generation, view.state.seq > state.seq
        else { return }
        let reference = view.reference
        let count = checksumSuffixCount + 2
        guard reference.position.offset >= position.offset + Int64(count), reference.isInOrder,
            let tail = try? directory.read(
                journal, AccountFile.journal, at: reference.position.offset - Int64(count), count: count),
            isEndOfLastLine(tail[...], crc: reference.position.crc)
        else { return }
        if reference.rulesOffset != rulesOffset {
            guard let rules = try? readRules(reference.rulesOffset) else { return }
            state.rules = rules
        }
        let rules = state.rules
        state = view.state
        state.rules = rules
        position = reference.position
        rulesOffset = reference.rulesOffset
        published = PublishedFile(status.identity, size: Int64(text.count), time: system.monotonicTime(), reference)
        progress.withLock { progress in
            progress.learnt(durableSeq: reference.durableSeq, end: reference.durableOffset)
            progress.wrote(position.seq, end: position.offset)
        }
    }

    private func isEndOfLastLine(_ bytes: ArraySlice<UInt8>, crc: UInt32) -> Bool {
        guard bytes.last == fill else { return false }
        var line = bytes.dropLast()
        if line.last == UInt8(ascii: " ") { line = line.dropLast() }
        guard line.suffix(2).elementsEqual("\"}".utf8) else { return false }
        return checksumValue(line.dropLast(2).suffix(8)) == crc
    }

    private func readNewLines(isLocked: Bool) throws(StorageError) {
        let bad = try scan(onlyNewLines: true, isLocked: isLocked) { (group) throws(StorageError) in try take(group) }
        guard let bad else { return }
        if isLocked { return try load(isLocked: true) }
        // Without the lock a bad tail is a line that is being written, unless others have built on it.
        if bad.tail.durableSeq > position.seq { throw corrupt(bad.fault) }
    }

    private typealias BadTail = (fault: JournalFault, tail: TornWriteTest.Tail)

    /// Reads on from `position`, which `take` moves. Returns what follows the last whole group, `nil` if nothing does.
    ///
    /// Without the lock a line can be seen half, and be whole, and built upon, a moment later when the bytes behind it are looked at: so
    /// where others have built on a bad line it is read again, and is bad if it still is.
    ///
    /// - Parameter durableSeq: the last event that is known to be on the disk from elsewhere.
    private func scan(
        onlyNewLines: Bool = false, isLocked: Bool, durableSeq: UInt64 = 0,
        _ take: (ArraySlice<PlacedLine>) throws(StorageError) -> Void
    ) throws(StorageError) -> BadTail? {
        var suspect: Int64?
        while true {
            var scanner = JournalScanner(journal, AccountFile.journal, in: directory, from: position)
            guard case .fault(let fault) = try scanner.scan(onlyNewLines: onlyNewLines, take) else { return nil }
            let tail = try TornWriteTest(journal, AccountFile.journal, in: directory).tail(from: fault.offset)
            let isBuiltOn = max(tail.durableSeq, durableSeq) > position.seq
            if isLocked || !isBuiltOn || suspect == fault.offset { return (fault, tail) }
            suspect = fault.offset
        }
    }

    /// Applies a whole group of lines.
    private func take(_ group: ArraySlice<PlacedLine>) throws(StorageError) {
        for placed in group { try apply(placed) }
        progress.withLock { progress in
            for placed in group {
                progress.wrote(placed.line.record.seq, end: placed.end)
                progress.synced(placed.line.durableSeq)
            }
        }
        requests.add(group.lazy.map(\.line.record), generation: state.generation, starts: group.lazy.map(\.offset))
    }

    private func apply(_ placed: PlacedLine) throws(StorageError) {
        let record = placed.line.record
        do throws(Inconsistency) {
            try state.apply(record)
        } catch {
            throw StorageError(
                .corrupt,
                "\(escaped(journalPath())), line \(placed.number), byte \(placed.offset): \(error); verify the account, then recover it",
                seq: record.seq, offset: placed.offset)
        }
        if case .acceptedRules = record.event { rulesOffset = placed.offset }
        position = JournalPosition(
            offset: placed.end, lineCount: placed.number, seq: record.seq, crc: placed.line.crc, acceptsAnyLink: false)
    }

    func corrupt(_ fault: JournalFault) -> StorageError {
        StorageError(
            fault.isNewerFormat ? .newerFormat : .corrupt,
            "\(escaped(journalPath())), line \(fault.lineNumber), byte \(fault.offset): \(fault.problem); "
                + (fault.isNewerFormat ? "use a newer version of the library" : "verify the account, then recover it"),
            seq: position.seq &+ 1, offset: fault.offset)
    }

    /// The journal's name leads to another file: a reset, or a restored copy.
    private func followNewGeneration(isLocked: Bool) throws(StorageError) {
        let known = state
        guard let file = try directory.open(AccountFile.journal, directory.isReadOnly ? .readOnly : .readWrite) else {
            throw StorageError(.missingData, "\(escaped(journalPath())) is gone: restore it, or recover what is left")
        }
        let start = try readStart(file)
        guard start.accountID == known.accountID, start.generation > known.generation else {
            throw StorageError(
                .replaced, "\(escaped(journalPath())) was replaced under the open account: close it, and open it again")
        }
        journal = file
        syncedSize = 0
        isUnmended = true
        if isLocked { try lockJournalAgain() }
        try load(isLocked: isLocked)
    }

    /// The one that has the name now.
    private func lockJournalAgain() throws(StorageError) {
        unlockJournal()
        try lockJournal(Deadline(timeoutMilliseconds: 0, system: system))
    }

    /// What the first line of a journal says.
    func readStart(_ file: OpenFile) throws(StorageError) -> Start {
        let bytes = try directory.read(file, AccountFile.journal, at: 0, count: maximumLineCount)
        guard bytes.contains(where: { $0 != fill }) else {
            throw StorageError(.missingData, "\(escaped(journalPath())) is empty: restore it, or recover what is left")
        }
        if let line = JournalLine(firstOf: bytes), case .started(let start) = line.record.event { return start }
        let isNewer = bytes.prefix { $0 != fill }.withUnsafeBytes { hasRightChecksum($0) }
        throw corrupt(
            JournalFault(
                offset: 0, lineNumber: 1, seq: 1,
                problem: isNewer ? "this version does not know its format" : "it is not the first line of a journal",
                isNewerFormat: isNewer))
    }

    /// Reads the account anew: portfolio.json if it can be trusted and the journal's tail, else the whole journal.
    ///
    /// Under the lock it also does what ``recoveryAction(_:_:)`` says.
    func load(isLocked: Bool) throws(StorageError) {
        let before = (state: state, position: position, rulesOffset: rulesOffset, progress: progress.withLock { $0 })
        do throws(StorageError) {
            try reload(isLocked: isLocked)
            if isLocked { isUnmended = false }
        } catch {
            // As if it had not been tried: the next call finds the same problem, and not half an account.
            (state, position, rulesOffset) = (before.state, before.position, before.rulesOffset)
            progress.withLock { $0.restart(from: before.progress) }
            requests = RequestIndex()
            throw error
        }
    }

    private func reload(isLocked: Bool) throws(StorageError) {
        let text = try directory.contents(AccountFile.portfolio, limit: Portfolio.maximumByteCount)
        let read = try readPortfolio(text)
        let start = try readStart(journal)
        var view = read.portfolio
        if let view, view.state.accountID != start.accountID { throw stopError(.wrongAccount, .foreign) }
        if let view, view.state.generation > start.generation {
            // Without the lock a reset may have come between opening the journal and reading its view.
            let file = isLocked ? nil : try directory.open(AccountFile.journal, directory.isReadOnly ? .readOnly : .readWrite)
            guard let file, file.identity != journal.identity else { throw stopError(.missingData, .lost) }
            journal = file
            syncedSize = 0
            isUnmended = true
            return try reload(isLocked: false)
        }
        if let older = view, older.state.generation < start.generation { view = nil }

        try begin(with: view)
        let lineOfView = view?.reference.position
        var isViewOnJournal = lineOfView.map { $0.seq == position.seq } ?? true
        let viewDurableSeq = view?.reference.durableSeq ?? 0
        let bad = try scan(isLocked: isLocked, durableSeq: viewDurableSeq) { (group) throws(StorageError) in
            try take(group)
            for placed in group where placed.line.record.seq == lineOfView?.seq && placed.line.crc == lineOfView?.crc {
                isViewOnJournal = true
            }
        }
        let tail = try bad.map { (bad) throws(StorageError) in
            try tornTail(bad, durableSeq: max(durableSeq, viewDurableSeq), isLocked: isLocked)
        }

        let portfolioFinding = finding(text: text, read: read, current: view, isOnJournal: isViewOnJournal)
        let action = recoveryAction(tail == nil ? .whole : .torn, portfolioFinding)
        if case .stop(let kind) = action { throw stopError(kind, portfolioFinding) }
        if isLocked { try mend(action, tail: tail, view: view) }
    }

    /// Starts from the view if the journal has the very lines it rests on, so that only what came after has to be read; else from nothing.
    private func begin(with view: Portfolio?) throws(StorageError) {
        requests = RequestIndex()
        var known = Progress()
        if let view, try isOnJournal(view.reference), let rules = try readRules(view.reference.rulesOffset) {
            state = view.state
            state.rules = rules
            position = view.reference.position
            rulesOffset = view.reference.rulesOffset
            known = Progress(durableSeq: view.reference.durableSeq, durableOffset: view.reference.durableOffset)
            known.wrote(position.seq, end: position.offset)
        } else {
            state = AccountState()
            position = JournalPosition()
            rulesOffset = 0
        }
        progress.withLock { $0.restart(from: known) }
    }

    /// The bad tail, if that is an unacknowledged write that a crash cut short, or one that is under way.
    ///
    /// - Throws: if it is damage.
    private func tornTail(_ bad: BadTail, durableSeq: UInt64, isLocked: Bool) throws(StorageError) -> TornWriteTest.Tail {
        guard !bad.fault.isNewerFormat else { throw corrupt(bad.fault) }
        var isDamage = max(bad.tail.durableSeq, durableSeq) > position.seq
        // Without the lock a bad tail may be a line that is being written; but not where later lines are known to be synced.
        if isLocked && !isDamage {
            isDamage = try !TornWriteTest(journal, AccountFile.journal, in: directory).isTorn(bad.fault, bad.tail)
        }
        if isDamage { throw corrupt(bad.fault) }
        return bad.tail
    }

    private func finding(
        text: [UInt8]?, read: (portfolio: Portfolio?, problem: PortfolioProblem?), current: Portfolio?, isOnJournal: Bool
    ) -> PortfolioFinding {
        if text == nil { return .absent }
        if let problem = read.problem { return problem == .empty ? .empty : .edited }
        guard let reference = current?.reference else { return .behind }
        if reference.position.seq > position.seq || !isOnJournal {
            return reference.durableSeq > position.seq || (!isOnJournal && reference.durableSeq >= reference.position.seq)
                ? .lost : .ahead
        }
        return reference.position.seq == position.seq ? .equal : .behind
    }

    private func readPortfolio(_ text: [UInt8]?) throws(StorageError) -> (portfolio: Portfolio?, problem: PortfolioProblem?) {
        guard let text else { return (nil, nil) }
        do throws(PortfolioProblem) {
            return (try Portfolio(text), nil)
        } catch {
            let path = escaped(directory.path(of: AccountFile.portfolio))
            switch error {
            case .empty, .edited: return (nil, error)
            case .noMemory: throw StorageError(.noMemory, "no memory to read \(path)")
            case .newerFormat(let format):
                throw StorageError(
                    .newerFormat,
                    "\(path) has format \(escaped(format)), this version writes \(formatName): use a newer version of the library"
                )
            }
        }
    }

    /// Whether the journal has all the lines that the view rests on and that may not have been synced: whole ones, of which the last
    /// ends where the view says, with the checksum it says. That line alone is no proof: a power cut can lose its beginning.
    private func isOnJournal(_ reference: JournalReference) throws(StorageError) -> Bool {
        guard reference.position.offset > Int64(checksumSuffixCount), reference.isInOrder else { return false }
        let count = Int(min(reference.position.offset, Int64(maximumLineCount)))
        let bytes = try directory.read(journal, AccountFile.journal, at: reference.position.offset - Int64(count), count: count)
        guard bytes.count == count, bytes.last == fill, let last = bytes.dropLast().split(separator: fill).last,
            last.withUnsafeBytes({ hasRightChecksum($0) }), isEndOfLastLine(bytes[...], crc: reference.position.crc)
        else { return false }
        var isWhole = reference.durableOffset == reference.position.offset
        if isWhole { return true }
        var start = JournalPosition()
        start.offset = reference.durableOffset
        var scanner = JournalScanner(journal, AccountFile.journal, in: directory, from: start)
        _ = try scanner.scan(onlyNewLines: true) { (group) in
            for placed in group where placed.end == reference.position.offset && placed.line.crc == reference.position.crc {
                isWhole = true
            }
        }
        return isWhole
    }

    private func readRules(_ offset: Int64) throws(StorageError) -> Rules? {
        let bytes = try directory.read(journal, AccountFile.journal, at: offset, count: maximumLineCount)
        guard let line = JournalLine(firstOf: bytes), case .acceptedRules(let rules) = line.record.event else { return nil }
        return rules
    }

    private func stopError(_ kind: StorageError.Kind, _ portfolio: PortfolioFinding) -> StorageError {
        switch portfolio {
        case .foreign:
            StorageError(
                kind,
                "\(escaped(directory.path(of: AccountFile.portfolio))) and \(AccountFile.journal) belong to different accounts: "
                    + "put back the one that was here")
        default:
            StorageError(
                kind,
                "\(escaped(journalPath())) ends at event \(position.seq), but later events were acknowledged: restore the journal, "
                    + "or recover what is left", seq: position.seq)
        }
    }
}

extension JournalLine {
    /// The first line of `bytes`, if it is whole.
    init?(firstOf bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: fill) else { return nil }
        let line = bytes.withUnsafeBytes { buffer -> JournalLine? in
            let line = UnsafeRawBufferPointer(rebasing: buffer[..<end])
            guard hasRightChecksum(line) else { return nil }
            var reader = LineReader(line)
            return try? reader.readLine()
        }
        guard let line else { return nil }
        self = line
    }
}
