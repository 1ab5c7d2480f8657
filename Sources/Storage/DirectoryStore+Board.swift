import CSystem
import Ledger

#if canImport(Darwin)
    import Darwin
#endif

/// Requests that are carried out by others, and those of others: see ``RequestBoard``.
extension DirectoryStore {
    /// What ``lock(_:leaving:since:)`` has to know of the account as it was last read.
    public var place: StorePlace {
        StorePlace(accountID: state.accountID, journal: journal, generation: state.generation, offset: position.offset)
    }

    public func lock(
        _ deadline: Deadline, leaving request: Request, since place: StorePlace
    ) throws(StorageError) -> Delegation {
        try checkIsWritable()
        var ticket: String?
        do throws(StorageError) {
            let acquisition = try acquire(deadline) { [self] in
                // Once, also where the lock file has been replaced and has to be waited for again: two of them could be done.
                if ticket == nil { ticket = leave(request, place.accountID) }
                return ticket == nil ? nil : board
            }
            if let ticket, case .delegated(let claim) = acquisition {
                // A report alone is no proof: it may be that of a later group, and this one refused after the claim was read.
                if let record = try record(of: claim, ticket, place) {
                    board?.isWaiting = false
                    return .done(record)
                }
                try accountLock.acquire(Deadline(timeoutMilliseconds: 1000, system: system))
                withdraw()
            }
            try finishLocking(deadline)
            if let ticket { return .lockedAfterLeaving(LeftRequest(ticket: ticket, place: place)) }
            return .locked
        } catch {
            unlock()
            withdraw()
            throw ticket == nil ? error : uncertainIfClaimed(because: error)
        }
    }

    public func catchUp(lookingFor left: LeftRequest) throws(StorageError) -> Record? {
        do throws(StorageError) {
            try catchUp(isLocked: true)
            var start = left.place.offset
            // An older one than before is there only if somebody has written over the journal.
            for generation in left.place.generation..<max(left.place.generation, state.generation) {
                guard let sealed = try directory.openJournal(generation, of: state.accountID) else {
                    throw StorageError(
                        .missingData, "\(escaped(directory.path(of: AccountFile.sealedJournal(generation)))) is gone: restore it")
                }
                let status = try attempt("examine", directory.path(of: sealed.name)) { () throws(Errno) in
                    try system.status(sealed.file.descriptor)
                }
                let record = try record(with: left.ticket, in: sealed.file, sealed.name, from: start, to: status.size)
                if let record { return record }
                start = 0
            }
            return try record(with: left.ticket, in: journal, AccountFile.journal, from: start, to: position.offset)
        } catch {
            throw uncertainIfClaimed(because: error)
        }
    }

    /// Takes the lock file, or has somebody else do what is left for him. Whatever comes of it, nobody does it from then on.
    private func acquire(
        _ deadline: Deadline, leaving: @escaping () -> RequestBoard?
    ) throws(StorageError) -> FileLock.Acquisition {
        do throws(StorageError) {
            let acquisition = try accountLock.acquire(deadline, leaving: leaving)
            // A request that is done can stay: its claim keeps others from it.
            if case .locked = acquisition { withdraw() }
            return acquisition
        } catch {
            guard let board, board.isWaiting else { throw error }
            let isWithdrawn = board.withdraw()
            if isWithdrawn && board.fate == .waiting || board.fate == .refused { throw error }
            // Somebody is doing it just now, or that cannot be told. Unless he has been stopped, that takes him no longer than a commit.
            defer { if !isWithdrawn { giveUpBoard() } }
            do throws(StorageError) {
                return try accountLock.acquire(Deadline(timeoutMilliseconds: 1000, system: system)) { board }
            } catch let second {
                throw board.fate == .refused ? error : uncertain(because: second)
            }
        }
    }

    /// Takes away what has been left.
    private func withdraw() {
        if board?.withdraw() == false { giveUpBoard() }
    }

    /// Whatever has been left there is done by nobody from now on.
    private func giveUpBoard() {
        board?.end()
        board = nil
        isWithoutBoard = true
    }

    /// Leaves a request for whoever has the lock, and returns its ticket.
    private func leave(_ request: Request, _ accountID: String) -> String? {
        guard BoardRequest.canLeave(request), failure == nil else { return nil }
        if board == nil, !isWithoutBoard {
            board = RequestBoard(in: directory, accountLock, apartFrom: journal.identity)
            isWithoutBoard = board == nil
        }
        return board?.leave { ticket in
            BoardRequest(accountID: accountID, durability: durability, ticket: ticket, request).bytes
        }
    }

    /// The event that a claim announces.
    private func record(
        of claim: RequestBoard.Claim, _ ticket: String, _ place: StorePlace
    ) throws(StorageError) -> Record? {
        var journal: (file: OpenFile, name: String)? = (place.journal, AccountFile.journal)
        if claim.generation != place.generation {
            journal = try directory.openJournal(claim.generation, of: place.accountID).map { ($0.file, $0.name) }
        }
        guard let journal else { return nil }
        let bytes = try directory.read(journal.file, journal.name, at: claim.offset, count: claim.count)
        guard let line = JournalLine(firstOf: bytes), line.ticket == ticket else { return nil }
        return line.record
    }

    /// The event whose line has the ticket, if it stands in a part of a journal.
    private func record(
        with ticket: String, in file: OpenFile, _ name: String, from start: Int64, to end: Int64
    ) throws(StorageError) -> Record? {
        let member = Array("\"ticket\":\"\(ticket)\"".utf8)
        var offset = start
        while offset < end {
            let bytes = try directory.read(file, name, at: offset, count: Int(min(end - offset, 1 << 16)))
            if let place = bytes.firstPlace(of: member) {
                let line = bytes[..<place].lastIndex(of: fill).map { bytes[($0 + 1)...] } ?? bytes[...]
                if let line = JournalLine(firstOf: Array(line)), line.ticket == ticket { return line.record }
            }
            // The last line of these bytes may be cut.
            guard bytes.count > maximumLineCount else { return nil }
            offset += Int64(bytes.count - maximumLineCount)
        }
        return nil
    }

    /// What an error says after a request has been left: if somebody has begun to carry it out, it may have happened.
    private func uncertainIfClaimed(because reason: StorageError) -> StorageError {
        switch board?.fate {
        case .claimed, .reported, .unknown, nil: uncertain(because: reason)
        case .waiting, .refused: reason
        }
    }

    private func uncertain(because reason: StorageError) -> StorageError {
        if reason.kind == .uncertain { return reason }
        return StorageError(
            .uncertain,
            "whoever had the lock was about to carry out the request, and whether he has is not known (\(reason)): look, or repeat it with the "
                + "same request id", errno: reason.errno)
    }

    // MARK: With the lock

    public func requestsOfOthers() -> [OthersRequest] {
        guard let board, accountLock.wasRecentlyContended else { return [] }
        let (entries, bits) = entries(on: board)
        bitsToWake = bits
        return entries.compactMap { entry in
            guard let left = BoardRequest(entry.content), left.accountID == state.accountID, left.durability == durability else {
                return nil
            }
            return OthersRequest(request: left.request, ticket: left.ticket, entry: entry)
        }
    }

    /// What others have left. Those who are about to leave something are let run first: one commit for all costs little more than one for some.
    ///
    /// Where processes that have nothing to do with the account are given the processor instead, that takes long: then not again for a second.
    private func entries(on board: RequestBoard) -> (entries: [RequestBoard.Entry], bitsOfUnclaimed: UInt32) {
        let start = system.monotonicTime()
        guard start >= nextYield else { return board.entries() }
        board.lookWhoIsThere()
        // Once leaves out some of them: see Benchmarks/README.md.
        for _ in 0..<2 { system.yield() }
        let span = system.monotonicTime() - start
        let found = board.entries()
        if span > Self.longestYield * Int64(max(1, found.entries.count)) { nextYield = start + 1_000_000_000 }
        return found
    }

    /// How long letting others run may take for each request that is found then, nanoseconds: about what a commit takes.
    private static let longestYield: Int64 = 100_000

    /// Says which events others' requests are about to become. `nil`: they may not.
    func claim(
        _ others: [(request: OthersRequest, index: Int?)], _ records: [Record], _ lines: borrowing EncodedLines
    ) -> [RequestBoard.Claim]? {
        guard let board, !others.isEmpty else { return [] }
        let group = board.beginGroup()
        var claims: [RequestBoard.Claim] = []
        for (request, index) in others {
            var claim = group
            (claim.slot, claim.ticket) = (request.entry.slot, request.entry.ticket)
            if let index {
                claim.seq = records[index].seq
                claim.generation = state.generation
                claim.offset = lines.starts[index]
                claim.count = Int(lines.ends[index] - lines.starts[index])
            }
            claims.append(claim)
        }
        guard board.write(claims) else { return nil }
        claims.removeAll { $0.seq == 0 }
        bitsToWake &= ~RequestBoard.bits(of: claims)
        return claims
    }

    func refuse(_ claims: [RequestBoard.Claim]) {
        board?.refuse(claims)
        bitsToWake = .max
    }
}

extension [UInt8] {
    /// Where `part` begins in these bytes for the first time.
    fileprivate func firstPlace(of part: [UInt8]) -> Int? {
        withUnsafeBytes { bytes in
            part.withUnsafeBytes { part in
                guard let start = bytes.baseAddress,
                    let found = memmem(start, bytes.count, part.baseAddress, part.count)
                else {
                    return nil
                }
                return UnsafeRawPointer(found) - start
            }
        }
    }
}
