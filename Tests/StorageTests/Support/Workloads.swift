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
    static func withFullBlock(room: Int) throws -> SimulatedMachine {
        let machine = try withAccount()
        let store = try DirectoryStore.open(simulatedPath, machine.process())
        let note = try Text(String(repeating: "n", count: 256), field: "note")
        try store.lock(Deadline(timeoutMilliseconds: 0, system: store.system))
        try store.catchUp(isLocked: true)
        let now = Timestamp(clamping: store.system.realTime())
        let end = DirectoryStore.blockSize - sectorSize - Int64(room)
        while store.position.offset < end {
            var draft = Draft(on: store.state, at: now)
            for _ in 0..<max(1, (end - store.position.offset) / 600) {
                let entry = Request(.deposit(Money(clamping: 1)), time: now, note: note)
                _ = try draft.decide(entry)
            }
            try store.commit(draft)
        }
        store.unlock()
        try store.sync(through: store.state.seq)
        let settled = SimulatedMachine(machine.disk.settled())
        settled.acknowledge(store.state.seq)
        return settled
    }

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
