import Ledger

extension DirectoryStore {
    public func commit(_ draft: Draft) throws(StorageError) { _ = try commit(draft, []) }

    public func commit(
        _ draft: Draft, _ others: [(request: OthersRequest, index: Int?)]
    ) throws(StorageError) -> Acknowledgement? {
        guard let last = draft.records.last?.seq else { return Acknowledgement(seq: 0, claims: [], board: nil) }
        try checkAcceptsChanges()
        let predecessor = try predecessor()
        var tickets = [String?](repeating: nil, count: others.isEmpty ? 0 : draft.records.count)
        for (request, index) in others { if let index { tickets[index] = request.ticket } }
        let lines = encode(draft.records, tickets: tickets, after: position, durableSeq: durableSeq)
        let limit = system.fileSizeLimit()
        try extend(toHold: lines.text.count, limit: limit)
        guard let claims = claim(others, draft.records, lines) else { return nil }
        do throws(StorageError) {
            try commit(draft.state, draft.records, lines, over: predecessor, limit: limit)
        } catch {
            // Where it is uncertain they look for themselves.
            if error.kind != .uncertain { refuse(claims) }
            throw error
        }
        return Acknowledgement(seq: last, claims: claims, board: board)
    }

    private func commit(
        _ newState: AccountState, _ records: [Record], _ lines: borrowing EncodedLines, over predecessor: Predecessor,
        limit: Int64
    ) throws(StorageError) {

        // 4. The parts of portfolio.json, and a file for it: what keeps them from being made stops here, and nothing has happened.
        let previous = (state: state, position: position, rulesOffset: rulesOffset)
        state = newState
        position = lines.position
        rulesOffset = lines.rulesOffset
        let successor: Successor
        do throws(StorageError) {
            successor = try prepareSuccessor(of: predecessor)
        } catch {
            (state, position, rulesOffset) = previous
            throw error
        }

        // 5. The events, in one write, and 6. the view, which is mostly written while the disk is at work on them.
        do throws(StorageError) {
            do throws(Errno) {
                try lines.text.withUnsafeBytes { (bytes) throws(Errno) in
                    try system.writeFully(bytes, to: journal.descriptor, at: previous.position.offset, limit: limit)
                }
            } catch {
                discard(successor)
                throw StorageError(error, "write", journalPath())
            }
            // Not a short commit where others have the lock, too: the disk is at work for them.
            if durability == .full && (records.count > 2 || !accountLock.wasRecentlyContended) {
                system.startWriting(journal.descriptor, from: previous.position.offset, count: Int64(lines.text.count))
            }
            try publishTemporary(try write(successor, limit: limit), over: predecessor)
        } catch {
            (state, position, rulesOffset) = previous
            try? system.unlink(AccountFile.portfolioTemporary, in: directory.descriptor)
            try undo(count: lines.text.count, because: error)
            throw error
        }
        // After this point nothing fails.
        progress.withLock { progress in
            for (record, end) in zip(records, lines.ends) { progress.wrote(record.seq, end: end) }
        }
        requests.add(records, generation: state.generation, starts: lines.starts)
    }

    /// Whether this handle may change the account at all.
    func checkAcceptsChanges() throws(StorageError) {
        if let failure {
            throw StorageError(
                .failedHandle, "an earlier call was uncertain (\(failure)): close the account and open it again",
                errno: failure.errno)
        }
    }

    /// The lines of some records, ready to be written behind `position`.
    struct EncodedLines: ~Copyable {
        let text: LineWriter
        let starts: [Int64]
        let ends: [Int64]
        let position: JournalPosition
        let rulesOffset: Int64
    }

    /// - Parameter tickets: of those records that are others' requests; empty if none is.
    func encode(
        _ records: [Record], tickets: [String?] = [], after start: JournalPosition, durableSeq: UInt64
    ) -> EncodedLines {
        var writer = LineWriter(capacity: records.count * typicalLineCount)
        var position = start
        var rulesOffset = self.rulesOffset
        var starts: [Int64] = []
        var ends: [Int64] = []
        for (index, record) in records.enumerated() {
            starts.append(position.offset)
            if case .acceptedRules = record.event { rulesOffset = position.offset }
            position.crc = writer.appendLine(
                record, ticket: tickets.isEmpty ? nil : tickets[index], durableSeq: durableSeq, more: index < records.count - 1,
                previousCRC: position.crc, at: position.offset)
            position.offset = start.offset + Int64(writer.count)
            position.lineCount += 1
            position.seq = record.seq
            position.acceptsAnyLink = false
            ends.append(position.offset)
        }
        return EncodedLines(text: writer, starts: starts, ends: ends, position: position, rulesOffset: rulesOffset)
    }

    /// How much the journal grows at a time. Each block is synced before use, so a commit's fdatasync has no metadata to flush.
    static let blockSize: Int64 = 1 << 16

    /// Makes sure that `count` bytes and at least a sector of fill behind them are in the file, and on the disk as fill.
    private func extend(toHold count: Int, limit: Int64) throws(StorageError) {
        let size: Int64
        if let journalSize {
            size = journalSize
        } else {
            size = try attempt("examine", journalPath()) { () throws(Errno) in try system.status(journal.descriptor).size }
        }
        let needed = position.offset + Int64(count) + sectorSize
        // Whole blocks, also where somebody died while he wrote one.
        let end = (max(needed, size) + Self.blockSize - 1) / Self.blockSize * Self.blockSize
        // Also where the file has the bytes already: a write beyond the limit is refused, and the wipe after it would be, too.
        guard (end > size ? end : needed) <= limit else { throw StorageError(Errno.tooLarge, "write", journalPath()) }
        if end > size {
            do throws(Errno) {
                try directory.write([UInt8](repeating: fill, count: Int(end - size)), to: journal, at: size)
            } catch {
                try? system.truncate(journal.descriptor, to: size)
                throw StorageError(error, "extend", journalPath())
            }
        }
        journalSize = end
        if end == size && isSyncedByOthers(size) { syncedSize = end }
        if end > size || end > syncedSize {
            try syncJournal()
            syncedSize = end
        }
    }

    /// Whether the writer of the last line has synced all of the journal's file. Somebody who only extended it may have died before he did.
    ///
    /// The file had whole blocks when that line was written, one sector beyond it at least, and had been synced. If it had been smaller than now it
    /// would have been smaller by a block or more, and the line would not have fitted. Of a journal in which this handle has written nothing the
    /// last line may be the work of somebody who makes journals.
    private func isSyncedByOthers(_ size: Int64) -> Bool {
        syncedSize > 0 && position.offset + sectorSize > size - Self.blockSize
    }

    /// Syncs everything in the journal. Under the lock.
    func syncJournal() throws(StorageError) {
        let seq = position.seq
        try syncGate.withLock { _ throws(StorageError) in
            do throws(Errno) {
                try system.syncData(journal.descriptor)
            } catch {
                // Nothing of this change has been written, but what was written before may be lost now.
                let failure = StorageError(error, "sync", journalPath())
                progress.withLock { $0.failure = failure }
                throw failure
            }
            progress.withLock { $0.synced(seq) }
        }
    }

    /// Wipes what was appended, and syncs the wipe while nobody else can write: the lines may have reached the disk already, and a
    /// power cut would bring back a change that was refused.
    private func undo(count: Int, because reason: StorageError) throws(StorageError) {
        let blank = [UInt8](repeating: fill, count: count)
        try syncGate.withLock { _ throws(StorageError) in
            do throws(Errno) {
                try directory.write(blank, to: journal, at: position.offset)
                try system.syncData(journal.descriptor)
            } catch {
                let failure = StorageError(
                    .uncertain,
                    "\(reason.description); undoing it failed too (\(error)), so it may have happened: open the account again and look, "
                        + "or repeat the request with the same request id",
                    errno: error.code, seq: position.seq + 1)
                progress.withLock { $0.failure = failure }
                throw failure
            }
            progress.withLock { $0.synced(position.seq) }
        }
    }

    public func sync(through seq: UInt64) throws(StorageError) {
        let file = journal
        guard durability == .full else { return }
        try syncGate.withLock { _ throws(StorageError) in
            let before = progress.withLock { $0 }
            if before.durableSeq >= seq { return }
            if let failure = before.failure { throw uncertain(seq, because: failure) }
            do throws(Errno) {
                try system.syncData(file.descriptor)
            } catch {
                // Never again: the kernel may have dropped the pages, and would then report success.
                let failure = StorageError(error, "sync", journalPath())
                progress.withLock { $0.failure = failure }
                throw uncertain(seq, because: failure)
            }
            progress.withLock { progress in
                if progress.restarts == before.restarts { progress.synced(before.writtenSeq) }
            }
        }
        do throws(StorageError) {
            try checkStillCounts(file, seq)
        } catch {
            // The event is written: whatever keeps us from looking, nobody may be told that nothing has happened.
            throw error.kind == .uncertain ? error : uncertain(seq, because: error)
        }
    }

    private func uncertain(_ seq: UInt64, because reason: StorageError) -> StorageError {
        StorageError(
            .uncertain,
            "event \(seq) is written, but whether it is on the disk is not known (\(reason)): open the account again and look, "
                + "or repeat the request with the same request id",
            errno: reason.errno, seq: seq)
    }

    /// The synced file must still be the journal, or a sealed one: not one that somebody has replaced.
    private func checkStillCounts(_ file: OpenFile, _ seq: UInt64) throws(StorageError) {
        if try directory.status(AccountFile.journal)?.identity == file.identity { return }
        // A reset in progress moves it through the other two names.
        for name in [AccountFile.nextJournal] + (try directory.sealedJournals().map(\.name)) + [AccountFile.journal]
        where try directory.status(name)?.identity == file.identity { return }
        throw uncertain(
            seq, because: StorageError(.replaced, "\(escaped(journalPath())) was replaced meanwhile"))
    }
}
