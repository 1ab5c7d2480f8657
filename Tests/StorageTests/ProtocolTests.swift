import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The promises of one commit, one by one, each where it is hardest to keep.
@Suite struct `The commit protocol` {
    private let io = Errno(code: EIO)

    private func deposit(_ millionths: Int64) -> Change { .deposit(Money(clamping: millionths)) }

    /// The flush of a commit is the first one after the commit was published.
    private func failFlush(of process: SimulatedSystem, _ fault: SimulatedSystem.Fault) {
        let isPublished = Locked(false)
        process.onCall { call in
            if call.operation == .exchange { isPublished.withLock { $0 = true } }
            guard call.operation == .syncData, isPublished.withLock({ $0 }) else { return nil }
            isPublished.withLock { $0 = false }
            return fault
        }
    }

    private func expectStatus(
        _ status: Status, _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) {
        do {
            try body()
            Issue.record("it succeeds", sourceLocation: location)
        } catch let error as PaperTradeError {
            #expect(error.status == status, "\(error)", sourceLocation: location)
        } catch {
            Issue.record("\(error)", sourceLocation: location)
        }
    }

    @Test func `a failed fdatasync is uncertain, is not tried again, and ends the handle's changes`() throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let account = try machine.account(process)
        failFlush(of: process, .fail(io))
        expectStatus(.uncertain) { try account.deposit(Money(clamping: 1)) }
        process.onCall(nil)
        let calls = process.recording { expectStatus(.failedHandle) { try account.deposit(Money(clamping: 1)) } }
        #expect(!calls.contains { $0.operation == .syncData || $0.operation == .write && $0.subject == AccountFile.journal })
        #expect(try account.summary().cash == Money(clamping: 10_000_000_001), "reading goes on")
        expectStatus(.failedHandle) { try account.reset() }
        expectStatus(.failedHandle) {
            try account.batch { () throws(PaperTradeError) in _ = try account.deposit(Money(clamping: 1)) }
        }
    }

    /// What a deposit does to the journal.
    private static func steps(_ process: SimulatedSystem, _ account: Account) -> [SystemCall.Operation] {
        let calls = process.recording { _ = try? account.deposit(Money(clamping: 1)) }
        return calls.filter { $0.subject == AccountFile.journal && [.write, .syncData].contains($0.operation) }.map(\.operation)
    }

    @Test func `whoever takes a new lock file waits for the holder of one that was deleted`() throws {
        let machine = try SimulatedMachine.withAccount()
        let (holder, other) = (try machine.account(), try machine.account())
        try holder.lock()
        machine.withState { state in
            guard let directory = state.disk.directory(simulatedPath) else { return }
            state.disk.inodes[directory]?.names.change([(AccountFile.lock, nil)])
        }
        expectStatus(.busy) { try other.buy("OTHERS", 1, at: 1) }
        try holder.unlock()
        try other.buy("OTHERS", 1, at: 1)
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).problems.isEmpty)
    }

    @Test func `a new block of the journal is on the disk before it is used, also one that another process made`() throws {
        let machine = try SimulatedMachine.withFullBlock(room: 100)
        let (maker, user) = (machine.process(), machine.process())
        let (making, using) = (try machine.account(maker), try machine.account(user))
        // The block, then the event.
        #expect(Self.steps(maker, making) == [.write, .syncData, .write, .syncData])
        #expect(machine.journalBlocks == 2)
        // It has written nothing yet, and so does not know who made the block.
        #expect(Self.steps(user, using) == [.syncData, .write, .syncData])
        #expect(Self.steps(user, using) == [.write, .syncData])
    }

    @Test
    func `a new block of the journal is on the disk before it is used, also by whom it was there for before somebody cut it off`()
        throws
    {
        let machine = try SimulatedMachine.withFullBlock(room: 100)
        let process = machine.process()
        let account = try machine.account(process)
        let extending: [SystemCall.Operation] = [.write, .syncData, .write, .syncData]
        #expect(Self.steps(process, account) == extending)
        let somebody = machine.process()
        let journal = try somebody.open(
            AccountFile.journal, in: try somebody.openDirectory(simulatedPath, in: nil), .readWrite)
        try somebody.truncate(journal, to: DirectoryStore.blockSize)
        #expect(Self.steps(process, account) == extending)
    }

    @Test func `a new block of the journal is not synced again by a process that finds an event in it`() throws {
        let machine = try SimulatedMachine.withFullBlock(room: 1000)
        let (maker, user) = (machine.process(), machine.process())
        let (making, using) = (try machine.account(maker), try machine.account(user))
        try using.deposit(Money(clamping: 1))
        while machine.journalBlocks == 1 { try making.deposit(Money(clamping: 1)) }
        #expect(Self.steps(user, using) == [.write, .syncData])
    }

    /// Also where the last event ends just so that no more than its sector fits behind it.
    @Test(arguments: [0, 1000, 1 << 16], [300, nil])
    func `a new block of the journal is on the disk before it is used when its maker was killed in it`(count: Int, room: Int?)
        throws
    {
        let machine = try SimulatedMachine.withFullBlock(room: room ?? Self.roomForDeposit())
        let (maker, user) = (machine.process(), machine.process())
        let (making, using) = (try machine.account(maker), try machine.account(user))
        try using.deposit(Money(clamping: 1))
        if room == nil { #expect(machine.journalEnd == Int(DirectoryStore.blockSize - sectorSize)) }
        maker.inject(.killAfter(count), at: 0) { $0.operation == .write && $0.subject == AccountFile.journal }
        #expect(throws: (any Error).self) { try making.deposit(Money(clamping: 1)) }
        #expect(machine.journalBlocks == (count == 1 << 16 ? 2 : 1))
        let expected: [SystemCall.Operation] = count == 1 << 16 ? [.syncData] : [.write, .syncData]
        #expect(Self.steps(user, using) == expected + [.write, .syncData])
        #expect(machine.journalBlocks == 2)
    }

    /// How much room a deposit just fits in.
    private static func roomForDeposit() throws -> Int {
        try #require(
            try (150..<400).first { room in
                let machine = try SimulatedMachine.withFullBlock(room: room)
                try machine.account().deposit(Money(clamping: 1))
                return machine.journalBlocks == 1 && machine.journalEnd == Int(DirectoryStore.blockSize - sectorSize)
            })
    }

    @Test func `a thread that waits for the flush that fails is not told that its own succeeded`() throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let store = try DirectoryStore.open(simulatedPath, process)
        let first = try store.append(deposit(1))
        let second = try store.append(deposit(2))
        let waiter = Waiter { () throws(StorageError) in try store.sync(through: second) }
        process.onCall { call in
            guard call.operation == .syncData else { return nil }
            if !waiter.isStarted {
                waiter.start()
                usleep(20_000)
            }
            return .fail(Errno(code: EIO))
        }
        #expect(throws: StorageError.self) { try store.sync(through: first) }
        process.onCall(nil)
        #expect(waiter.result()?.kind == .uncertain)
    }

    @Test func `every handle that was open when a flush failed reports it, and one that opens later trusts nothing it sees`()
        throws
    {
        var generator = SeededGenerator(for: "lost flush")
        let machine = try SimulatedMachine.withAccount()
        let failing = machine.process()
        let (first, second) = (try machine.account(failing), try machine.account())
        // Three long lines lie in sectors of their own, which the commits after them do not write again.
        _ = try second.depositThreeTimes()
        failFlush(of: failing, .fail(io))
        expectStatus(.uncertain) { _ = try first.depositThreeTimes() }
        expectStatus(.uncertain) { _ = try second.depositThreeTimes() }
        let seq = try machine.account().deposit(Money(clamping: 3)).seq
        #expect(seq == 12)
        let expectation = Expectation(machine.disk, acknowledgedSeq: seq)
        for disk in machine.disk.afterPowerCut(limit: 30, using: &generator) {
            try CrashCheck(expectation: expectation).check(disk)
        }
    }

    @Test func `what one open has synced the next one does not sync again`() throws {
        let machine = try SimulatedMachine.withAccount()
        let dying = try DirectoryStore.open(simulatedPath, machine.process())
        _ = try dying.append(deposit(1))
        func syncsOfOpening() throws -> Int {
            let process = machine.process()
            let calls = try process.recording { try machine.account(process).close() }
            return calls.count { $0.operation == .syncData && $0.subject == AccountFile.journal }
        }
        #expect(try syncsOfOpening() > 0)
        #expect(try syncsOfOpening() == 0)
    }

    @Test func `a commit without its beginning is not believed, though its end and portfolio.json are there`() throws {
        let machine = try SimulatedMachine.withAccount()
        let store = try DirectoryStore.open(simulatedPath, machine.process())
        let (seq, start) = (store.state.seq, Int(store.position.offset))
        // Longer than a sector.
        _ = try store.append(deposit(1), deposit(2), deposit(3))
        let boundary = (start / Int(sectorSize) + 1) * Int(sectorSize)
        var disk = machine.disk.settled()
        var journal = try #require(disk.files(in: simulatedPath)[AccountFile.journal])
        try #require(boundary < Int(store.position.offset))
        for index in start..<boundary { journal[index] = fill }
        disk.plant(journal, as: AccountFile.journal, in: simulatedPath)
        let opened = try DirectoryStore.open(simulatedPath, SimulatedMachine(disk).process())
        #expect(opened.state.seq == seq)
    }

    @Test func `a flush that fails while a crash is mended fails the commits that wait for theirs`() throws {
        let start = try SimulatedMachine.withAccount().disk
        for failingSync in 0..<2 {
            let machine = SimulatedMachine(start)
            let process = machine.process()
            let store = try DirectoryStore.open(simulatedPath, process)
            let victim = machine.process()
            let dying = try DirectoryStore.open(simulatedPath, victim)
            // Both have synced the block that they write to.
            for handle in [store, dying] { try handle.sync(through: try handle.append(deposit(9))) }
            let seq = try store.append(deposit(1))
            // Another process dies in the middle of its write.
            victim.inject(.killAfter(70), at: 0) { $0.operation == .write && $0.subject == AccountFile.journal }
            #expect(throws: StorageError.self) { try dying.append(deposit(2)) }
            process.inject(.fail(io), at: failingSync) { $0.operation == .syncData }
            #expect(throws: StorageError.self, "sync \(failingSync)") { try store.append(deposit(3)) }
            process.onCall(nil)
            let waiting = #expect(throws: StorageError.self, "sync \(failingSync)") { try store.sync(through: seq) }
            #expect(waiting?.kind == .uncertain, "sync \(failingSync)")
        }
    }

    @Test func `what is rolled back stays away, also after a power cut`() throws {
        var generator = SeededGenerator(for: "rollback")
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let account = try machine.account(process)
        process.inject(.fail(io), at: 0) { $0.operation == .exchange }
        expectStatus(.io) { try account.deposit(Money(clamping: 1)) }
        let expectation = Expectation(machine.disk, acknowledgedSeq: 2)
        for disk in machine.disk.afterPowerCut(limit: 40, using: &generator) {
            try CrashCheck(expectation: expectation).check(disk)
        }
        process.onCall(nil)
        #expect(try account.deposit(Money(clamping: 1)).seq == 3)
    }

    @Test func `a rollback that fails is uncertain`() throws {
        for operation in [SystemCall.Operation.write, .syncData] {
            let machine = try SimulatedMachine.withAccount()
            let process = machine.process()
            let account = try machine.account(process)
            let isPublishing = Locked(false)
            process.onCall { call in
                if call.operation == .exchange { isPublishing.withLock { $0 = true } }
                let fails = call.operation == .exchange || (isPublishing.withLock { $0 } && call.operation == operation)
                return fails ? .fail(Errno(code: EIO)) : nil
            }
            expectStatus(.uncertain) { try account.deposit(Money(clamping: 1)) }
            process.onCall(nil)
            expectStatus(.failedHandle) { try account.deposit(Money(clamping: 1)) }
        }
    }

    @Test func `a rename that is reported failed but was done has happened`() throws {
        for isUnsupported in [false, true] {
            let machine = try SimulatedMachine.withAccount()
            let process = machine.process()
            let account = try machine.account(process)
            process.onCall { call in
                switch call.operation {
                case .exchange: isUnsupported ? .fail(Errno(code: EINVAL)) : .failButDo(Errno(code: EIO))
                case .rename: .failButDo(Errno(code: EIO))
                default: nil
                }
            }
            #expect(try account.deposit(Money(clamping: 1)).seq == 3)
            process.onCall(nil)
            #expect(try account.deposit(Money(clamping: 1)).seq == 4)
            #expect(try verifyAccount(path: simulatedPath, system: process).problems.isEmpty)
        }
    }

    @Test func `a repeated request is answered only when its event is on the disk`() throws {
        var generator = SeededGenerator(for: "repeated request")
        let machine = try SimulatedMachine.withAccount()
        let victim = machine.process()
        let account = try machine.account(victim)
        let other = try machine.account()
        failFlush(of: victim, .kill)
        #expect(throws: PaperTradeError.self) { try account.deposit(Money(clamping: 5), RequestOptions(id: "once")) }
        let receipt = try other.deposit(Money(clamping: 5), RequestOptions(id: "once"))
        #expect(receipt.isRepeated && receipt.seq == 3)
        let expectation = Expectation(machine.disk, acknowledgedSeq: 3)
        for disk in machine.disk.afterPowerCut(limit: 40, using: &generator) {
            try CrashCheck(expectation: expectation).check(disk)
        }
    }

    @Test func `a request found without the lock is not one that its writer rolls back`() throws {
        let machine = try SimulatedMachine.withAccount()
        let writer = machine.process()
        let (account, other) = (try machine.account(writer), try machine.account())
        let found = Locked<Status?>(nil)
        writer.onCall { call in
            guard call.operation == .exchange else { return nil }
            do {
                _ = try other.findRequest("once")
                found.withLock { $0 = .ok }
            } catch let error as PaperTradeError { found.withLock { $0 = error.status } } catch {}
            return .fail(Errno(code: EIO))
        }
        expectStatus(.io) { try account.deposit(Money(clamping: 5), RequestOptions(id: "once")) }
        #expect(found.withLock { $0 } != .ok, "it was confirmed, and then rolled back")
    }

    @Test func `a request from before a reset that was killed half-way is not carried out again`() throws {
        let start = try SimulatedMachine.withAccount().disk
        for number in 0... {
            let machine = SimulatedMachine(start)
            let victim = machine.process()
            let (account, other) = (try machine.account(victim), try machine.account())
            try account.deposit(Money(clamping: 5), RequestOptions(id: "once"))
            victim.inject(.kill, at: number)
            _ = try? account.reset()
            // Looking it up builds the index of requests, without the lock.
            #expect(try other.findRequest("once").seq == 3)
            let repeated = try other.deposit(Money(clamping: 5), RequestOptions(id: "once"))
            #expect(repeated.isRepeated && repeated.seq == 3, "killed at call \(number)")
            var seqs: [UInt64] = []
            try other.history { event in
                seqs.append(event.record.seq)
                return true
            }
            #expect(seqs == Array(1...UInt64(seqs.count)), "killed at call \(number)")
            if !victim.isDead { return }
        }
    }

    /// A machine on which a process was killed in a reset, between the exchange and the rename, and the old journal.
    private func killedInReset() throws -> (machine: SimulatedMachine, other: Account, old: [UInt8]) {
        let machine = try SimulatedMachine.withAccount()
        let victim = machine.process()
        let (account, other) = (try machine.account(victim), try machine.account())
        try account.deposit(Money(clamping: 5))
        victim.inject(.kill, at: 0) { $0.operation == .rename }
        #expect(throws: PaperTradeError.self) { try account.reset() }
        return (machine, other, try #require(machine.disk.files(in: simulatedPath)[AccountFile.nextJournal]))
    }

    @Test func `a reset that was killed half-way is finished also by whoever has followed it without the lock`() throws {
        let (machine, other, old) = try killedInReset()
        #expect(try other.summary().generation == 2)
        try other.reset()
        #expect(machine.disk.files(in: simulatedPath)[AccountFile.sealedJournal(1)] == old)
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).generations == 3)
    }

    @Test func `a backup has the journal that a reset which was killed half-way had not renamed`() throws {
        let (machine, other, old) = try killedInReset()
        #expect(try other.summary().generation == 2)
        try other.backUp(to: "/copy")
        #expect(machine.disk.files(in: "/copy")[AccountFile.sealedJournal(1)] == old)
    }

    @Test func `a trade on a journal that was followed without the lock survives a power cut`() throws {
        var generator = SeededGenerator(for: "followed without the lock")
        let (machine, other, _) = try killedInReset()
        #expect(try other.summary().generation == 2)
        let seq = try other.deposit(Money(clamping: 7)).seq
        let expectation = Expectation(machine.disk, acknowledgedSeq: seq)
        for disk in machine.disk.afterPowerCut(limit: 300, using: &generator) {
            try CrashCheck(expectation: expectation).check(disk)
        }
    }

    @Test func `a journal is kept if it cannot say that it is the one before a reset, and a draft is not`() throws {
        let (machine, other, old) = try killedInReset()
        let start = machine.disk
        other.close()
        var damaged = old
        damaged[60] ^= 1
        let blank = [UInt8](repeating: 0, count: 100_000)
        for (text, isKept) in [(damaged, true), (blank + old, true), ([], false), (blank, false)] {
            var disk = start
            disk.plant(text, as: AccountFile.nextJournal, in: simulatedPath)
            let after = SimulatedMachine(disk)
            try after.account().close()
            let names = after.disk.files(in: simulatedPath).filter { $0.value == text }.keys
            #expect(names.contains { $0.hasPrefix("journal-1-damaged.jsonl-") } == isKept, "\(names)")
            #expect(!names.contains(AccountFile.nextJournal))
            // Now that the old journal has its name, whatever is there is a draft.
            disk.plant(old, as: AccountFile.sealedJournal(1), in: simulatedPath)
            let finished = SimulatedMachine(disk)
            try finished.account().close()
            #expect(!finished.disk.files(in: simulatedPath).values.contains(text))
        }
    }

    @Test func `nobody gets in while a reset is under way, also if the lock file is deleted`() throws {
        let start = try SimulatedMachine.withAccount().disk
        for number in 0... {
            let machine = SimulatedMachine(start)
            let process = machine.process()
            let account = try machine.account(process)
            @Sendable func tryToGetIn() {
                machine.withState { $0.disk.plant(nil, as: AccountFile.lock, in: simulatedPath) }
                expectStatus(.busy) { try machine.account().deposit(Money(clamping: 9)) }
            }
            try account.lock()
            let count = Locked(0)
            process.onCall { _ in
                let isNow = count.withLock { count in
                    count += 1
                    return count == number + 1
                }
                if isNow { tryToGetIn() }
                return nil
            }
            try account.reset()
            process.onCall(nil)
            tryToGetIn()
            if count.withLock({ $0 }) <= number { break }
        }
    }

    @Test func `whoever has opened the journal that a reset replaces opens the new one`() throws {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        try account.lock()
        machine.withState { $0.disk.plant(nil, as: AccountFile.lock, in: simulatedPath) }
        let old = machine.disk.files(in: simulatedPath)[AccountFile.journal]
        let waiting = machine.process()
        let count = Locked(0)
        waiting.onCall { call in
            guard call.operation == .tryLock, call.subject == AccountFile.journal else { return nil }
            let isSecond = count.withLock { count in
                count += 1
                return count == 2
            }
            if isSecond {
                do {
                    try account.reset()
                    try account.unlock()
                } catch { Issue.record("\(error)") }
            }
            return nil
        }
        let store = try DirectoryStore.open(simulatedPath, waiting, timeoutMilliseconds: 10_000)
        #expect(store.state.generation == 2 && count.withLock { $0 } > 2)
        let sealed = try #require(machine.disk.files(in: simulatedPath)[AccountFile.sealedJournal(1)])
        #expect(old?.starts(with: sealed) == true)
        #expect(try verifyAccount(path: simulatedPath, system: waiting).problems.isEmpty)
    }

    @Test func `an account that could be made and not published is made`() throws {
        let machine = SimulatedMachine()
        let process = machine.process()
        process.inject(.fail(Errno(code: ENOSPC)), at: 0, forEver: true) {
            $0.operation == .write && $0.subject == AccountFile.portfolioTemporary
        }
        #expect(try machine.account(process).summary().seq == 2)
        #expect(!machine.disk.hasFile(AccountFile.portfolio, in: simulatedPath))
        process.onCall(nil)
        try machine.account().close()
        #expect(machine.disk.hasFile(AccountFile.portfolio, in: simulatedPath))
    }

    @Test func `an edit is kept also if its editor moved portfolio.json away before`() throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let account = try machine.account(process)
        let edit = Array("{\"cash\": 5}\n".utf8)
        let hasMoved = Locked(false)
        process.onCall { call in
            if call.operation == .exchange {
                machine.withState { $0.disk.plant(nil, as: AccountFile.portfolio, in: simulatedPath) }
                hasMoved.withLock { $0 = true }
            } else if hasMoved.withLock({ hasMoved in
                defer { hasMoved = false }
                return hasMoved
            }) {
                machine.withState { $0.disk.plant(edit, as: AccountFile.portfolio, in: simulatedPath) }
            }
            return nil
        }
        try account.deposit(Money(clamping: 5))
        process.onCall(nil)
        let files = machine.disk.files(in: simulatedPath)
        #expect(files.contains { $0.value == edit && $0.key != AccountFile.portfolio }, "\(files.keys)")
    }
}

/// A call on a thread of its own.
final class Waiter: @unchecked Sendable {
    private let body: () throws(StorageError) -> Void
    private let state = Locked<(thread: pthread_t?, error: StorageError?)>((nil, nil))

    init(_ body: @escaping () throws(StorageError) -> Void) { self.body = body }

    var isStarted: Bool { state.withLock { $0.thread != nil } }

    func start() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                #if canImport(Glibc)
                    guard let context else { return nil }
                #endif
                let waiter = Unmanaged<Waiter>.fromOpaque(context).takeRetainedValue()
                do throws(StorageError) {
                    try waiter.body()
                } catch {
                    waiter.state.withLock { $0.error = error }
                }
                return nil
            }, context)
        state.withLock { $0.thread = thread }
    }

    /// Waits for its end; what it threw.
    func result() -> StorageError? {
        guard let thread = state.withLock({ $0.thread }) else { return nil }
        pthread_join(thread, nil)
        return state.withLock { $0.error }
    }
}
