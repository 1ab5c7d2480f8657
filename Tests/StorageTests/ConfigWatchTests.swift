import Ledger
import PaperTrade
import Testing

@testable import Storage

/// An account and its config.json, which people change while it is open.
@Suite struct `A config.json that changes` {
    private let machine: SimulatedMachine
    private let account: Account

    init() throws {
        machine = try SimulatedMachine.withAccount()
        account = try machine.account()
    }

    private func plant(_ text: String?, modified: Int64? = nil) {
        machine.withState { state in
            state.disk.plant(text.map { Array($0.utf8) }, as: AccountFile.config, in: simulatedPath)
            guard let modified, let directory = state.disk.directory(simulatedPath),
                let inode = state.disk.inodes[directory]?.names.cached[AccountFile.config]
            else { return }
            state.disk.inodes[inode]?.modified = modified
        }
    }

    private func status(of body: () throws -> Void) -> Status {
        do {
            try body()
            return .ok
        } catch { return (error as? PaperTradeError)?.status ?? .io }
    }

    @Test(arguments: [Int64.min, -1, 0, 7_000_000_000_000_000_000, .max])
    func `is read whatever its time says`(modified: Int64) throws {
        plant(#"{"queue": {"stale_after_hours": 7}}"#, modified: modified)
        try account.deposit(Money(clamping: 1))
        #expect(try account.rules()[.queueStaleAfterHours].micros == 7_000_000)
    }

    @Test func `is read again if it may have changed within the same tick of the clock`() throws {
        let now = machine.process().realTime() * 1000
        plant(#"{"queue": {"stale_after_hours": 7}}"#, modified: now)
        try account.deposit(Money(clamping: 1))
        let directory = try #require(machine.disk.directory(simulatedPath))
        let inode = try #require(machine.disk.inodes[directory]?.names.cached[AccountFile.config])
        machine.withState { state in
            state.disk.inodes[inode]?.file = SimulatedFile(synced: Array(#"{"queue": {"stale_after_hours": 8}}"#.utf8))
            state.nanoseconds += 10_000_000_000
        }
        try account.deposit(Money(clamping: 1))
        #expect(try account.rules()[.queueStaleAfterHours].micros == 8_000_000)
    }

    @Test func `that lets opportunities stay longer does not bring back those that are too old`() throws {
        try account.enqueue(opportunity("NVDA"))
        machine.withState { $0.nanoseconds += 30 * 3_600 * 1_000_000_000 }
        plant(#"{"queue": {"stale_after_hours": 72}}"#)
        #expect(try account.dequeueAll(limit: 0).isEmpty)
    }

    @Test func `is as good as invalid when it is too large: trades go on, and a reload says why`() throws {
        plant(#"{"queue": {"stale_after_hours": 7}}"# + String(repeating: " ", count: 2 << 20))
        #expect(status { try account.deposit(Money(clamping: 1)) } == .ok)
        #expect(status { try account.reload() } == .invalidConfig)
        plant(#"{"queue": {"stale_after_hours": 7}}"#)
        #expect(status { try account.reload() } == .ok)
        #expect(try account.rules()[.queueStaleAfterHours].micros == 7_000_000)
    }

    @Test func `does not upset the seq that a caller expects, and that seq only`() throws {
        plant(#"{"queue": {"stale_after_hours": 7}}"#)
        #expect(status { try account.deposit(Money(clamping: 1), RequestOptions(expectedSeq: 3)) } == .seqMismatch)
        #expect(try account.deposit(Money(clamping: 1), RequestOptions(expectedSeq: 2)).seq == 4)
        plant(#"{"queue": {"stale_after_hours": 8}}"#)
        try account.batch { () throws(PaperTradeError) in
            #expect(status { try account.deposit(Money(clamping: 1), RequestOptions(expectedSeq: 5)) } == .seqMismatch)
            #expect(try account.deposit(Money(clamping: 1), RequestOptions(expectedSeq: 4)).seq == 6)
            #expect(status { try account.deposit(Money(clamping: 1), RequestOptions(expectedSeq: 4)) } == .seqMismatch)
            #expect(try account.deposit(Money(clamping: 1), RequestOptions(expectedSeq: 6)).seq == 7)
        }
        #expect(try account.summary().seq == 7)
    }

    @Test func `is missed when it goes: the defaults are in force, with a warning`() throws {
        let lines = Locked<[String]>([])
        var options = Options()
        options.system = machine.process()
        options.log = { _, line in lines.withLock { $0.append(line) } }
        plant(#"{"system_active": false}"#)
        let account = try Account(simulatedPath, options: options)
        try account.deposit(Money(clamping: 1))
        plant(nil)
        try account.deposit(Money(clamping: 1))
        try account.deposit(Money(clamping: 1))
        #expect(lines.withLock { $0 } == ["\(simulatedPath)/config.json is gone: the default rules are in force"])
    }
}
