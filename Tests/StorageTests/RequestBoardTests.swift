import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Two processes on one account: the *owner* of a request has to wait for the lock, and the *leader* has it.
private final class Scene {
    let machine: SimulatedMachine
    let leading: SimulatedSystem
    let owning: SimulatedSystem
    let leader: Account
    let owner: Account

    /// Somebody else who looks what others have left.
    let third: Account

    init(leaderDurability: Durability = .full, clock: Bool = false) throws {
        machine = try SimulatedMachine.withAccount()
        func account(_ system: SimulatedSystem, _ durability: Durability) throws -> Account {
            var options = Options()
            options.lockTimeoutMilliseconds = 100
            options.durability = durability
            options.system = system
            if clock { options.clock = { Timestamp(clamping: 1_790_000_000_000_000) } }
            return try Account(simulatedPath, options: options)
        }
        leading = machine.process {}
        owning = machine.process {}
        leader = try account(leading, leaderDurability)
        owner = try account(owning, .full)
        let thirdProcess = machine.process {}
        third = try account(thirdProcess, .full)
        // Whoever has had to wait himself looks whether others do.
        let holder = try machine.account()
        for (process, account) in [(leading, leader), (owning, owner), (thirdProcess, third)] {
            try holder.lock()
            process.onWait { try? holder.unlock() }
            try account.buy("OLD", 1, at: 1)
            process.onWait {}
        }
        holder.close()
    }

    /// The board as a process of its own sees it.
    func board() throws -> RequestBoard {
        let process = machine.process {}
        let store = try DirectoryStore.open(simulatedPath, process)
        try store.lock(Deadline(timeoutMilliseconds: 0, system: process))
        store.unlock()
        return try #require(RequestBoard(in: store.directory, store.accountLock, apartFrom: store.journal.identity))
    }

    /// Calls `body` when the owner's request has been left and he sleeps for the first time, and `later` each time afterwards. The leader has the
    /// account's lock until then.
    func whileOwnerWaits(
        later: @escaping @Sendable () -> Void = {}, _ body: @escaping @Sendable () -> Void
    ) throws {
        try leader.lock()
        let isFirst = Locked(true)
        let leader = leader
        owning.onWait {
            let isNow = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            guard isNow else { return later() }
            try? leader.unlock()
            body()
        }
    }

    /// The lines of the journal that trade the symbol.
    func lines(with symbol: String, in disk: SimulatedDisk? = nil) -> [String] {
        let files = (disk ?? machine.disk).files(in: simulatedPath)
        let text = files.filter { $0.key.hasPrefix("journal") }.map { String(decoding: $0.value, as: UTF8.self) }.joined()
        return text.split(separator: "\n").map(String.init).filter { $0.contains("\"symbol\":\"\(symbol)\"") }
    }

    func check(_ location: SourceLocation = #_sourceLocation) throws {
        let report = try verifyAccount(path: simulatedPath, system: machine.process())
        #expect(report.problems.isEmpty, "\(report)", sourceLocation: location)
    }

    /// What the owner was told.
    enum Outcome: Equatable {
        case done(UInt64)
        case failed(Status)
    }

    func ownerBuys(_ symbol: String = "MINE", _ shares: Double = 10, at price: Double = 10, id: String? = nil) -> Outcome {
        do throws(PaperTradeError) {
            return .done(try owner.buy(symbol, shares, at: price, RequestOptions(id: id)).seq)
        } catch {
            return .failed(error.status)
        }
    }

    /// Everything that the owner was told must be so, now and after a power cut.
    func check(_ outcome: Outcome, _ comment: String, _ location: SourceLocation = #_sourceLocation) throws {
        let count = lines(with: "MINE").count
        switch outcome {
        case .done:
            #expect(count == 1, "\(comment): done \(count) times", sourceLocation: location)
            var generator = SeededGenerator(for: comment)
            for disk in machine.disk.afterPowerCut(limit: 8, using: &generator) {
                let restarted = SimulatedMachine(disk)
                let account = try restarted.account()
                #expect(
                    (try? account.position(Symbol("MINE"))) != nil, "\(comment): lost by a power cut", sourceLocation: location)
            }
        case .failed(.uncertain): #expect(count <= 1, "\(comment): done \(count) times", sourceLocation: location)
        case .failed: #expect(count == 0, "\(comment): done, but the owner was told \(outcome)", sourceLocation: location)
        }
        try check(location)
    }
}

@Suite struct `A request that is left for whoever has the lock` {
    @Test func `is done in one commit with his own, and its owner neither writes nor syncs`() throws {
        let scene = try Scene()
        let leader = scene.leader
        let calls = Locked<[SystemCall]>([])
        let leading = scene.leading
        try scene.whileOwnerWaits { calls.withLock { $0 = leading.recording { _ = try? leader.buy("HIS", 1, at: 1) } } }
        var outcome = Scene.Outcome.failed(.ok)
        let own = scene.owning.recording { outcome = scene.ownerBuys() }
        let his = calls.withLock { $0.map(\.description) }
        #expect(his.filter { $0 == "write journal.jsonl" || $0 == "syncData journal.jsonl" }.count == 2)
        #expect(Set(own.map(\.description)).isDisjoint(with: ["write journal.jsonl", "syncData journal.jsonl", "write .lock"]))
        let lines = scene.lines(with: "HIS") + scene.lines(with: "MINE")
        #expect(lines.count == 2 && lines[0].contains("\"more\":true") && !lines[1].contains("\"more\""))
        #expect(outcome == .done(7))
        try scene.check(outcome, "done by the leader")
        #expect(try scene.owner.position(Symbol("MINE")).shares.doubleValue == 10 && scene.owner.positions().count == 3)
        #expect(try scene.leader.position(Symbol("MINE")).shares.doubleValue == 10)
    }

    @Test func `happens once, and its owner is told, wherever the leader is killed`() throws {
        let count = try leaderCalls().count
        var atCalls: Set<String> = []
        for number in 0..<count {
            let scene = try Scene()
            let (leader, leading) = (scene.leader, scene.leading)
            try scene.whileOwnerWaits {
                leading.onCall { call in nil }
                leading.inject(.kill, at: number)
                _ = try? leader.buy("HIS", 1, at: 1)
            }
            let outcome = scene.ownerBuys()
            if case .failed(let status) = outcome { Issue.record("call \(number): \(status)") }
            try scene.check(outcome, "killed at call \(number)")
            atCalls.insert(scene.lines(with: "HIS").isEmpty ? "before" : "after")
        }
        #expect(atCalls == ["before", "after"])
    }

    @Test func `happens once or not at all, as its owner is told, whichever of the leader's calls fails`() throws {
        let count = try leaderCalls().count
        for error in [Errno(code: ENOSPC), Errno(code: EIO)] {
            for forEver in [false, true] {
                for number in 0..<count {
                    let scene = try Scene()
                    let (leader, leading) = (scene.leader, scene.leading)
                    try scene.whileOwnerWaits {
                        leading.inject(.fail(error), at: number, forEver: forEver)
                        _ = try? leader.buy("HIS", 1, at: 1)
                        leading.onCall(nil)
                    }
                    let outcome = scene.ownerBuys()
                    try scene.check(outcome, "\(error) at call \(number), for ever: \(forEver)")
                }
            }
        }
    }

    @Test func `happens once or not at all, as its owner is told, whichever of his own calls fails or kills him`() throws {
        let recorded = try Scene()
        let leader = recorded.leader
        try recorded.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1) }
        let count = recorded.owning.recording { _ = recorded.ownerBuys() }.count
        for fault in [
            SimulatedSystem.Fault.kill, .fail(Errno(code: EIO)), .failButDo(Errno(code: EIO)), .short(5), .killAfter(9),
        ] {
            for number in 0..<count {
                let scene = try Scene()
                let leader = scene.leader
                try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1) }
                scene.owning.inject(fault, at: number)
                let outcome = scene.ownerBuys()
                scene.owning.onCall(nil)
                let wasKilled = scene.owning.isDead
                try? scene.leader.unlock()
                // What a dead process left is done by nobody.
                let before = scene.lines(with: "MINE").count
                for _ in 0..<3 { _ = try scene.leader.buy("HIS", 1, at: 1) }
                let after = scene.lines(with: "MINE").count
                #expect(after == before && after <= 1, "\(fault) at call \(number): \(before), then \(after)")
                if !wasKilled { try scene.check(outcome, "\(fault) at call \(number)") }
            }
        }
    }

    /// The leader's calls while he does somebody else's request, too.
    private func leaderCalls() throws -> [SystemCall] {
        let scene = try Scene()
        let (leader, leading) = (scene.leader, scene.leading)
        let calls = Locked<[SystemCall]>([])
        try scene.whileOwnerWaits { calls.withLock { $0 = leading.recording { _ = try? leader.buy("HIS", 1, at: 1) } } }
        _ = scene.ownerBuys()
        return calls.withLock { $0 }
    }

    @Test(arguments: [false, true])
    func `happens once, wherever somebody deletes the lock file and another process takes the new one`(isKilled: Bool) throws {
        let all = try leaderCalls()
        let sync = try #require(all.firstIndex { $0.operation == .syncData })
        for number in 0..<all.count {
            let scene = try Scene()
            let (leader, leading, third, machine) = (scene.leader, scene.leading, scene.third, scene.machine)
            try scene.whileOwnerWaits {
                try? third.unlock()
                _ = try? third.buy("THIRD", 1, at: 1)
            } _: {
                leading.onEachCall { index in
                    if index == number {
                        machine.withState { state in
                            guard let directory = state.disk.directory(simulatedPath) else { return }
                            state.disk.inodes[directory]?.names.change([(AccountFile.lock, nil)])
                        }
                        try? third.lock(timeoutMilliseconds: 0)
                    }
                    return isKilled && index == sync ? .kill : nil
                }
                _ = try? leader.buy("HIS", 1, at: 1)
                leading.onCall(nil)
                try? third.lock(timeoutMilliseconds: 0)
            }
            let outcome = scene.ownerBuys()
            while (try? third.unlock()) != nil {}
            try scene.check(outcome, "deleted at call \(number)")
        }
    }

    @Test
    func `happens once or not at all, as its owner is told, when the leader comes at any of his calls after his time is over`()
        throws
    {
        var outcomes: Set<String> = []
        for number in 0..<200 {
            let scene = try Scene()
            let (leader, owning, machine) = (scene.leader, scene.owning, scene.machine)
            try leader.lock()
            owning.onWait { machine.tick(200_000_000) }
            owning.onEachCall { index in
                if index == number {
                    try? leader.unlock()
                    _ = try? leader.buy("HIS", 1, at: 1)
                }
                return nil
            }
            var outcome = Scene.Outcome.failed(.ok)
            let count = owning.recording { outcome = scene.ownerBuys() }.count
            owning.onCall(nil)
            outcomes.insert("\(outcome)")
            try scene.check(outcome, "the leader comes at call \(number)")
            if count <= number { break }
        }
        #expect(outcomes.contains("failed(PT_BUSY)") && outcomes.contains("done(7)"), "\(outcomes)")
    }

    @Test func `happens once or not at all, as its owner is told, when his time is over between any two of the leader's calls`()
        throws
    {
        let count = try leaderCalls().count
        var outcomes: Set<String> = []
        for number in 0..<count {
            let scene = try Scene()
            let (leader, leading, machine) = (scene.leader, scene.leading, scene.machine)
            let turn = Turn()
            scene.owning.onWait { turn.give() }
            let outcome = Locked(Scene.Outcome.failed(.ok))
            try leader.lock()
            let owner = Waiter { () throws(StorageError) in
                let told = scene.ownerBuys()
                outcome.withLock { $0 = told }
                turn.end()
            }
            owner.start()
            turn.waitForOwner()
            try leader.unlock()
            leading.onEachCall { index in
                if index == number {
                    machine.tick(200_000_000)
                    turn.letOwnerGoOn()
                }
                return nil
            }
            _ = try? leader.buy("HIS", 1, at: 1)
            leading.onCall(nil)
            while !turn.isOver { turn.letOwnerGoOn() }
            _ = owner.result()
            let told = outcome.withLock { $0 }
            outcomes.insert("\(told)")
            try scene.check(told, "over at call \(number)")
            #expect(scene.lines(with: "HIS").count == 1, "call \(number)")
        }
        #expect(outcomes.contains("failed(PT_BUSY)") && outcomes.contains("done(7)"), "\(outcomes)")
    }

    @Test func `of a process that is gone is done by nobody, also when another one has its slot`() throws {
        let scene = try Scene()
        let reader = try scene.board()
        var gone: RequestBoard? = try scene.board()
        let bits = gone?.bits
        _ = gone?.leave { _ in Array("text".utf8) }
        let entry = try #require(reader.entries().entries.first)
        gone = nil
        #expect(reader.entries().entries.isEmpty)
        let successor = try scene.board()
        #expect(successor.bits == bits && reader.entries().entries.isEmpty)
        // Who read the request before does not take his successor's for it.
        var claim = reader.beginGroup()
        (claim.slot, claim.ticket, claim.seq) = (entry.slot, entry.ticket, 9)
        _ = successor.leave { _ in Array("text".utf8) }
        #expect(!reader.write([claim]))
        #expect(successor.fate == .waiting)
    }

    @Test func `that cannot be taken away is done by nobody, although its owner's slot is still needed for a report`() throws {
        let scene = try Scene()
        let (owner, leader) = (try scene.board(), try scene.board())
        #expect(owner.leave { Array($0.utf8) } != nil)
        #expect(leader.entries().entries.count == 1)
        owner.end()
        #expect(leader.entries().entries.isEmpty)
        withExtendedLifetime(owner) {}
    }

    @Test func `is not known to be done because a later owner of the leader's slot reports`() throws {
        let scene = try Scene()
        let waiting = try scene.board()
        var dead: RequestBoard? = try scene.board()
        _ = waiting.leave { _ in Array("text".utf8) }
        let entry = try #require(dead?.entries().entries.first)
        var claim = try #require(dead?.beginGroup())
        (claim.slot, claim.ticket, claim.seq) = (entry.slot, entry.ticket, 9)
        #expect(dead?.write([claim]) == true && waiting.fate == .claimed(claim) && !waiting.isAbandoned(claim))
        dead = nil
        #expect(waiting.isAbandoned(claim))
        let successor = try scene.board()
        for _ in 0..<3 { successor.report([successor.beginGroup()]) }
        #expect(waiting.fate == .claimed(claim) && waiting.isAbandoned(claim))
    }

    @Test func `is refused to its owner, in words of his own`() throws {
        let scene = try Scene()
        let leader = scene.leader
        try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1) }
        #expect(scene.ownerBuys("MINE", 10_000, at: 1000) == .failed(.insufficientFunds))
        #expect(scene.lines(with: "HIS").count == 1 && scene.lines(with: "MINE").isEmpty)
        try scene.check()
    }

    @Test func `overspends nothing: each is decided after the ones before it`() throws {
        let scene = try Scene()
        let leader = scene.leader
        try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 60, at: 100) }
        #expect(scene.ownerBuys("MINE", 60, at: 100) == .failed(.insufficientFunds))
        #expect(scene.lines(with: "HIS").count == 1 && scene.lines(with: "MINE").isEmpty)
        try scene.check()
    }

    @Test func `with an id that was used before comes to what it came to then`() throws {
        let scene = try Scene()
        let leader = scene.leader
        let first = scene.ownerBuys(id: "once")
        try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1) }
        #expect(scene.ownerBuys(id: "once") == first)
        try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1, RequestOptions(id: "his")) }
        #expect(scene.ownerBuys(id: "his") == .failed(.requestConflict))
        try scene.whileOwnerWaits { _ = try? leader.buy("MINE", 10, at: 10, RequestOptions(id: "both")) }
        #expect(scene.ownerBuys(id: "both") == .done(9))
        #expect(scene.lines(with: "MINE").count == 2)
        let found = try scene.owner.findRequest("both")
        #expect(found.seq == 9)
        try scene.check()
    }

    @Test func `with an id is found by it afterwards`() throws {
        let scene = try Scene()
        let leader = scene.leader
        try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1) }
        #expect(scene.ownerBuys(id: "mine") == .done(7))
        for account in [scene.owner, scene.leader, try scene.machine.account()] {
            #expect(try account.findRequest("mine").seq == 7)
            #expect(try account.buy("MINE", 10, at: 10, RequestOptions(id: "mine")).isRepeated)
        }
        #expect(scene.lines(with: "MINE").count == 1)
    }

    @Test func `does not come between the calls of who holds the account's lock, or the events of a batch`() throws {
        let scene = try Scene()
        let leader = scene.leader
        try scene.whileOwnerWaits {
            _ = try? leader.locked { () throws(PaperTradeError) in for _ in 0..<2 { try leader.buy("HIS", 1, at: 1) } }
            _ = try? leader.batch { () throws(PaperTradeError) in for _ in 0..<2 { try leader.buy("HIS", 1, at: 1) } }
        }
        #expect(scene.ownerBuys() == .done(10))
        #expect(scene.lines(with: "HIS").count == 4)
        try scene.check()
    }

    @Test func `is not done by who promises less than its owner`() throws {
        let scene = try Scene(leaderDurability: .process)
        let (leader, leading) = (scene.leader, scene.leading)
        let calls = Locked<[SystemCall]>([])
        try scene.whileOwnerWaits { calls.withLock { $0 = leading.recording { _ = try? leader.buy("HIS", 1, at: 1) } } }
        var outcome = Scene.Outcome.failed(.ok)
        let own = scene.owning.recording { outcome = scene.ownerBuys() }
        #expect(own.contains { $0.operation == .syncData } && outcome == .done(7))
        try scene.check(outcome, "done by its owner")
    }

    @Test func `is left to nobody, and nobody's is taken, where the account has a clock of its own`() throws {
        let scene = try Scene(clock: true)
        let leader = scene.leader
        try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1) }
        #expect(scene.ownerBuys() == .done(7))
        #expect(scene.machine.disk.files(in: simulatedPath)[AccountFile.requests] == nil)
    }

    @Test func `is found in the sealed journal when the account has been reset since`() throws {
        let scene = try Scene()
        let leader = scene.leader
        try scene.whileOwnerWaits {
            _ = try? leader.buy("HIS", 1, at: 1)
            _ = try? leader.reset(initialCash: Money(clamping: 5_000_000_000))
        }
        #expect(scene.ownerBuys() == .done(7))
        #expect(try scene.lines(with: "MINE").count == 1 && scene.owner.positions().isEmpty)
        try scene.check()
    }

    @Test func `is looked for without harm where the journal has become an older one`() throws {
        let machine = try SimulatedMachine.withAccount()
        let store = try DirectoryStore.open(simulatedPath, machine.process())
        try store.lock(Deadline(timeoutMilliseconds: 0, system: store.system))
        let place = StorePlace(accountID: "simulated", journal: store.journal, generation: 9, offset: store.position.offset)
        #expect(try store.catchUp(lookingFor: LeftRequest(ticket: "5f-1", place: place)) == nil)
    }

    @Test func `is done with the others if it is left while the leader lets others run`() throws {
        let scene = try Scene()
        let (leader, leading) = (scene.leader, scene.leading)
        let turn = Turn()
        scene.owning.onWait { turn.give() }
        let outcome = Locked(Scene.Outcome.failed(.ok))
        let owner = Waiter { () throws(StorageError) in
            let told = scene.ownerBuys()
            outcome.withLock { $0 = told }
            turn.end()
        }
        leading.onYield {
            leading.onYield {}
            owner.start()
            turn.waitForOwner()
        }
        _ = try leader.buy("HIS", 1, at: 1)
        while !turn.isOver { turn.letOwnerGoOn() }
        _ = owner.result()
        #expect(outcome.withLock { $0 } == .done(7))
        #expect(scene.lines(with: "HIS").first?.contains("\"more\"") == true)
        try scene.check()
    }

    @Test func `is not waited for where others keep the processor`() throws {
        let scene = try Scene()
        let (leading, machine) = (scene.leading, scene.machine)
        let count = Locked(0)
        func yields(taking nanoseconds: Int64) throws -> Int {
            count.withLock { $0 = 0 }
            leading.onYield {
                machine.tick(nanoseconds)
                count.withLock { $0 += 1 }
            }
            _ = try scene.leader.buy("HIS", 1, at: 1)
            return count.withLock { $0 }
        }
        #expect(try yields(taking: 1000) > 0)
        #expect(try yields(taking: 1000) > 0)
        #expect(try yields(taking: 3_000_000) > 0)
        #expect(try yields(taking: 1000) == 0)
        machine.tick(1_000_000_000)
        // He has to have waited lately.
        let third = scene.third
        try third.lock()
        leading.onWait { try? third.unlock() }
        #expect(try yields(taking: 1000) > 0)
        try scene.check()
    }

    @Test func `is done: what its owner asks for afterwards is another matter`() throws {
        let scene = try Scene()
        let (leader, owner) = (scene.leader, scene.owner)
        try scene.whileOwnerWaits { _ = try? leader.buy("HIS", 1, at: 1) }
        #expect(scene.ownerBuys() == .done(7))
        // Who has the account's lock, but not the journal's.
        let process = scene.machine.process()
        let holder = try DirectoryStore.open(simulatedPath, process)
        try holder.accountLock.acquire(Deadline(timeoutMilliseconds: 0, system: process))
        // Nobody else can do what rests on a certain event.
        var status = Status.ok
        do throws(PaperTradeError) {
            try owner.buy("NEXT", 1, at: 1, RequestOptions(expectedSeq: 7))
        } catch {
            status = error.status
        }
        #expect(status == .busy)
        holder.accountLock.release()
        for _ in 0..<3 { _ = try leader.buy("HIS", 1, at: 1) }
        try scene.check(.done(7), "done, and left where it was")
    }

    @Test func `is taken away when its time is over: nobody does it later`() throws {
        let scene = try Scene()
        try scene.leader.lock()
        #expect(scene.ownerBuys() == .failed(.busy))
        try scene.leader.unlock()
        for _ in 0..<3 { _ = try scene.leader.buy("HIS", 1, at: 1) }
        try scene.check(.failed(.busy), "its time is over")
    }

    @Test func `is not done when it has not been renewed for a second`() throws {
        let scene = try Scene()
        let (leader, machine) = (scene.leader, scene.machine)
        let (third, leading) = (scene.third, scene.leading)
        try scene.whileOwnerWaits {
            machine.tick(1_100_000_000)
            // He looks at what others have left only if he has had to wait himself lately.
            try? third.lock()
            leading.onWait { try? third.unlock() }
            _ = try? leader.buy("HIS", 1, at: 1)
        }
        _ = scene.ownerBuys()
        #expect(!(scene.lines(with: "HIS").first ?? "\"more\"").contains("\"more\""))
        try scene.check()
    }

    @Test func `is read as it was written, and whatever is no request is none`() throws {
        let now = Timestamp(clamping: 1_790_000_000_000_000)
        let (symbol, shares, price) = (try Symbol("BRK.B"), Shares(clamping: 1_500_000), Price(clamping: 7_800_000))
        let (id, note) = (try RequestID("id \"x\""), try Text("ä\n", field: "note"))
        // None is not all, also where it will be refused.
        let none = Shares(clamping: 0)
        for change in [
            Change.buy(symbol, shares, price), .sell(symbol, shares, price), .sell(symbol, nil, price),
            .sell(symbol, none, price),
        ] {
            for request in [
                Request(change, time: now), Request(change, time: now, id: id, note: note),
                Request(change, time: now, note: try Text("", field: "note")),
            ] {
                #expect(BoardRequest.canLeave(request))
                let whole = BoardRequest(accountID: "simulated", durability: .process, ticket: "5f-1", request)
                let bytes = try #require(whole.bytes)
                #expect(BoardRequest(bytes) == whole)
                for count in 0..<bytes.count { #expect(BoardRequest(Array(bytes[..<count])) == nil) }
                #expect(BoardRequest(bytes + [0]) == nil)
            }
        }
        let long = Request(
            .buy(symbol, shares, price), time: now, note: try Text(String(repeating: "n", count: 256), field: "note"))
        #expect(BoardRequest(accountID: "simulated", durability: .full, ticket: "5f-1", long).bytes == nil)
        #expect(!BoardRequest.canLeave(Request(.buy(symbol, shares, price), time: now, expectedSeq: 5)))
        #expect(!BoardRequest.canLeave(Request(.deposit(Money(clamping: 1)), time: now)))
    }

    @Test func `is left in no file that others can write, or that holds other data`() throws {
        for number in 0..<4 {
            let machine = try SimulatedMachine.withAccount()
            let process = machine.process()
            let data = Array((number == 0 ? "my own notes" : "ptboard1").utf8)
            let directory = try process.openDirectory(simulatedPath, in: nil)
            let file = try process.open(AccountFile.requests, in: directory, .createNew)
            try process.writeFully(data, to: file, at: 0, limit: .max)
            machine.change(file) { inode in
                if number == 1 { inode.permissions = 0o620 }
                if number == 2 { inode.user += 1 }
            }
            let store = try DirectoryStore.open(simulatedPath, machine.process {})
            try store.lock(Deadline(timeoutMilliseconds: 0, system: store.system))
            let board = RequestBoard(in: store.directory, store.accountLock, apartFrom: store.journal.identity)
            #expect((board == nil) == (number < 3), "\(number)")
            if number < 3 { #expect(machine.disk.files(in: simulatedPath)[AccountFile.requests] == data) }
        }
    }

    @Test func `and whatever else stands in the file, nothing else is done and nobody is stopped`() throws {
        var generator = SeededGenerator(for: "bytes on the board")
        for round in 0..<200 {
            let scene = try Scene()
            let (leader, machine) = (scene.leader, scene.machine)
            let size = machine.disk.files(in: simulatedPath)[AccountFile.requests]?.count ?? 0
            #expect(size > 0)
            func bytes() -> [UInt8] {
                let count = Int(generator.next() % UInt64(size + 2000))
                // Noise; one byte all over, what overflows among them; or the board with some bytes changed.
                switch round % 4 {
                case 0: return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
                case 1: return [UInt8](repeating: [0, 0x7F, 0x80, 0xFF][Int(generator.next() % 4)], count: count)
                default:
                    var board = machine.disk.files(in: simulatedPath)[AccountFile.requests] ?? []
                    for _ in 0...Int(generator.next() % 8) where !board.isEmpty {
                        board[Int(generator.next() % UInt64(board.count))] = UInt8(truncatingIfNeeded: generator.next())
                    }
                    return board
                }
            }
            let (early, late) = (bytes(), bytes())
            machine.overwrite(AccountFile.requests, with: early)
            try scene.whileOwnerWaits {
                _ = try? leader.buy("HIS", 1, at: 1)
                if round % 2 == 0 { machine.overwrite(AccountFile.requests, with: late) }
            }
            let outcome = scene.ownerBuys()
            if case .failed(let status) = outcome { Issue.record("round \(round): \(status)") }
            #expect(scene.lines(with: "MINE").count == 1 && scene.lines(with: "HIS").count == 1, "round \(round)")
            try scene.check()
        }
    }
}

@Suite struct `Whoever is far behind` {
    /// A handle that has not seen the last eighty trades makes a change; its calls until the first write.
    private func calls(
        knowsRequests: Bool = false, _ before: (SimulatedMachine) -> Void = { _ in }
    ) throws -> [String] {
        let machine = try SimulatedMachine.withAccount()
        let behind = machine.process()
        let account = try machine.account(behind)
        if knowsRequests { #expect(throws: PaperTradeError.self) { try account.findRequest("none") } }
        let other = try machine.account()
        for number in 0..<80 { try other.buy("S\(number % 7)", 1, at: 2, RequestOptions(id: "trade-\(number)")) }
        let expected = try other.positions()
        before(machine)
        var seq: UInt64 = 0
        let calls = try behind.recording { seq = try account.deposit(Money(clamping: 1)).seq }.map(\.description)
        #expect(seq == 83)
        #expect(try account.positions() == expected)
        #expect(try account.buy("S2", 1, at: 2, RequestOptions(id: "trade-79")).isRepeated)
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).problems.isEmpty)
        return Array(calls.prefix { $0 != "write journal.jsonl" })
    }

    @Test func `takes portfolio.json instead of the lines`() throws {
        #expect(try calls().contains("open portfolio.json"))
    }

    @Test func `reads the lines where request ids are known: they stand there`() throws {
        #expect(try !calls(knowsRequests: true).contains("open portfolio.json"))
    }

    @Test func `reads the lines where portfolio.json is not what was published with one of them`() throws {
        // Edited; gone; of another account of the same name, whose lines are others, and end where these end.
        let foreign = try SimulatedMachine.withAccount()
        let account = try foreign.account()
        for number in 0..<80 { try account.buy("T\(number % 7)", 1, at: 2, RequestOptions(id: "trade-\(number)")) }
        let text = try #require(foreign.disk.files(in: simulatedPath)[AccountFile.portfolio])
        _ = try calls { $0.overwrite(AccountFile.portfolio, with: Array("x".utf8)) }
        _ = try calls { machine in
            machine.withState { state in
                guard let directory = state.disk.directory(simulatedPath) else { return }
                state.disk.inodes[directory]?.names.change([(AccountFile.portfolio, nil)])
            }
        }
        _ = try calls { machine in
            machine.overwrite(AccountFile.portfolio, with: text)
            machine.withState { state in
                guard let directory = state.disk.directory(simulatedPath),
                    let inode = state.disk.inodes[directory]?.names.cached[AccountFile.portfolio]
                else { return }
                state.disk.inodes[inode]?.file.truncate(to: text.count)
            }
        }
    }
}

extension SimulatedSystem {
    /// Like ``onCall(_:)``, with the number of the call from now on, beginning with 0.
    fileprivate func onEachCall(_ handler: @escaping @Sendable (Int) -> Fault?) {
        let calls = Locked(0)
        onCall { _ in
            let index = calls.withLock { count in
                defer { count += 1 }
                return count
            }
            return handler(index)
        }
    }
}

/// Lets two threads act in turn: the owner's, until he sleeps, and the leader's.
private final class Turn: Sendable {
    private enum State { case owners, leaders, over }
    private let state = Locked(State.owners)

    private func wait(while awaited: State) { while state.withLock({ $0 }) == awaited { usleep(20) } }

    /// The owner sleeps until the leader lets him go on.
    func give() {
        state.withLock { $0 = .leaders }
        wait(while: .leaders)
    }

    func end() { state.withLock { $0 = .over } }

    var isOver: Bool { state.withLock { $0 } == .over }

    func waitForOwner() { wait(while: .owners) }

    func letOwnerGoOn() {
        let goesOn = state.withLock { state in
            if state == .leaders { state = .owners }
            return state == .owners
        }
        if goesOn { waitForOwner() }
    }
}
