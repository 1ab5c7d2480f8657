import Ledger
import PaperTrade
import Testing

@testable import Storage

func opportunity(_ symbol: String) throws -> Opportunity {
    try Opportunity(symbol: Symbol(symbol), signal: .buy, score: Rate(clamping: 80_000_000), price: nil, reason: nil)
}

extension SimulatedMachine {
    /// A machine that was shut down cleanly, with a new account on it.
    static func withAccount() throws -> SimulatedMachine {
        let machine = SimulatedMachine()
        try machine.account().close()
        let settled = SimulatedMachine(machine.disk.settled())
        settled.acknowledge(2)
        return settled
    }

    /// The same, with a journal that has only so many bytes left before it must be extended.
    static func withFullBlock(room: Int) throws -> SimulatedMachine { try withAccount().filled(room: room) }

    /// The same, after commits that leave so many bytes.
    func filled(room: Int) throws -> SimulatedMachine {
        let machine = self
        let store = try DirectoryStore.open(simulatedPath, machine.process())
        try store.lock(Deadline(timeoutMilliseconds: 0, system: store.system))
        try store.catchUp(isLocked: true)
        let end = Int(DirectoryStore.blockSize - sectorSize) - room
        let now = Timestamp(clamping: store.system.realTime())
        func draft(noteCount: Int, events: Int = 1) throws -> Draft {
            var draft = Draft(on: store.state, at: now)
            let note = noteCount > 0 ? try Text(String(repeating: "n", count: noteCount), field: "note") : nil
            for _ in 0..<events { _ = try draft.decide(Request(.deposit(Money(clamping: 1)), time: now, note: note)) }
            return draft
        }
        // Most of it in one commit, and then lines of the length that is missing.
        try store.commit(try draft(noteCount: 256, events: (end - Int(store.position.offset)) / 560))
        while true {
            let plain = try draft(noteCount: 0)
            let shortest = store.encode(plain.records, after: store.position, durableSeq: store.durableSeq).text.count + 10
            let missing = end - Int(store.position.offset)
            if missing < shortest { break }
            try store.commit(try draft(noteCount: missing < 2 * shortest + 256 ? min(256, missing - shortest) : 256))
        }
        store.unlock()
        try store.sync(through: store.state.seq)
        let settled = SimulatedMachine(machine.disk.settled())
        settled.acknowledge(store.state.seq)
        #expect(settled.journalBlocks == 1, "it is extended already")
        return settled
    }

    /// Writes over a file of the account in its place, as another process's pwrite does.
    func overwrite(_ name: String, with bytes: [UInt8]) {
        withState { state in
            guard let directory = state.disk.directory(simulatedPath),
                let inode = state.disk.inodes[directory]?.names.cached[name]
            else { return }
            bytes.withUnsafeBytes { state.disk.inodes[inode]?.file.write($0, at: 0) }
        }
    }

    /// Where the journal's last line ends.
    var journalEnd: Int? { disk.files(in: simulatedPath)[AccountFile.journal]?.lastIndex { $0 != fill }.map { $0 + 2 } }

    /// How many blocks the journal has.
    var journalBlocks: Int { (disk.files(in: simulatedPath)[AccountFile.journal]?.count ?? 0) / Int(DirectoryStore.blockSize) }

    /// The account, opened by a new process or by this one.
    func account(_ system: SimulatedSystem? = nil, durability: Durability = .full) throws -> Account {
        var options = Options()
        options.accountID = "simulated"
        options.lockTimeoutMilliseconds = 0
        options.durability = durability
        options.system = system ?? process()
        return try Account(simulatedPath, options: options)
    }

    /// Runs an operation whose outcome the caller is told.
    func acknowledged(_ body: () throws -> UInt64) throws {
        begin()
        acknowledge(try body())
    }
}

extension Account {
    /// One commit of three long lines; returns its last event.
    func depositThreeTimes() throws -> UInt64 {
        try batch { () throws(PaperTradeError) in
            var seq: UInt64 = 0
            for _ in 0..<3 { seq = try deposit(Money(clamping: 1), RequestOptions(note: String(repeating: "n", count: 256))).seq }
            return seq
        }
    }
}
