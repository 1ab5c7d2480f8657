import Ledger
import PaperTrade
import Testing

@testable import Storage

/// `PAPERTRADE_ALL_FAULTS=1` tries every errno of every call; without it each call gets one by chance.
@Suite struct `When a system call fails` {
    private func run(_ run: FaultRun, _ location: SourceLocation = #_sourceLocation) throws {
        var generator = SeededGenerator(for: "faults of \(run.name)")
        var tally = FaultRun.Tally()
        let isWhole = setting("PAPERTRADE_ALL_FAULTS") != nil
        for (number, call) in try run.calls().enumerated() {
            let faults = FaultRun.faults(of: call)
            for fault in isWhole ? faults : Array(faults.shuffled(using: &generator).prefix(1)) {
                for forEver in isWhole || call.changesDisk ? [false, true] : [Bool.random(using: &generator)] {
                    let count = tally.failures.count
                    run.run(fault, at: number, forEver: forEver, &tally, using: &generator)
                    if tally.failures.count > count { tally.failures[count] += " (\(call))" }
                }
            }
        }
        print(
            "\(run.name): \(tally.runs) faults, \(tally.acknowledged) acknowledged, \(tally.refused) refused, "
                + "\(tally.uncertain) uncertain, \(tally.failures.count) bad")
        for failure in tally.failures.prefix(12) { Issue.record("\(failure)", sourceLocation: location) }
        #expect(tally.refused + tally.uncertain > 0, sourceLocation: location)
    }

    @Test func `a trade is made, refused without a trace, or uncertain and said so`() throws {
        try run(
            FaultRun(name: "buy", start: SimulatedMachine.withAccount().disk) { _, _, account in
                try account?.buy("AAPL", 40, at: 150, RequestOptions(id: "once")).seq ?? 0
            })
    }

    @Test func `a batch is made, refused without a trace, or uncertain and said so`() throws {
        try run(
            FaultRun(name: "batch", start: SimulatedMachine.withAccount().disk) { _, _, account in
                try account?.batch { () throws(PaperTradeError) in
                    for index in 0..<4 {
                        _ = try account?.buy("S\(index)", 1, at: 10, RequestOptions(note: String(repeating: "n", count: 200)))
                    }
                }
                return 6
            })
    }

    @Test func `a trade that extends the journal is made, refused without a trace, or uncertain and said so`() throws {
        try run(
            FaultRun(name: "extending", start: SimulatedMachine.withFullBlock(room: 100).disk) { machine, _, account in
                let seq = try account?.deposit(Money(clamping: 7)).seq ?? 0
                #expect(machine.journalBlocks == 2)
                return seq
            })
    }

    @Test func `a reset is made, refused without a trace, or uncertain and said so`() throws {
        try run(
            FaultRun(name: "reset", start: SimulatedMachine.withAccount().disk) { _, _, account in
                try account?.reset(initialCash: Money(clamping: 5_000_000)).seq ?? 0
            })
    }

    @Test func `opening fails and changes nothing, or succeeds`() throws {
        try run(
            FaultRun(name: "open", start: SimulatedMachine.withAccount().disk, opens: true) { machine, process, _ in
                try machine.account(process).close()
                return 0
            })
    }

    @Test func `an account is created, or it can be created afterwards`() throws {
        try run(
            FaultRun(name: "create", start: SimulatedDisk(), opens: true) { machine, process, _ in
                let account = try machine.account(process)
                defer { account.close() }
                return try account.summary().seq
            })
    }

    @Test func `whatever the file size limit, a trade is made or refused for want of space, and nothing is half done`() throws {
        var generator = SeededGenerator(for: "file size limit")
        let start = try SimulatedMachine.withFullBlock(room: 100).disk
        let last = try #require(CommitEnd.all(in: start, withUnborn: false).map(\.seq).max())
        let end = Int64(DirectoryStore.blockSize)
        let limits = [
            0, 1, 50, 111, 112, 113, 500, 700, 5000, end - 600, end - 512, end - 200, end - 1, end, end + 1, 2 * end - 1, 2 * end,
        ]
        for limit in limits + (0..<10).map({ _ in Int64.random(in: 0...2 * end, using: &generator) }) {
            let machine = SimulatedMachine(start)
            let account = try machine.account()
            machine.fileSizeLimit = limit
            let told = Result { try account.deposit(Money(clamping: 1)).seq }
            if case .failure(let error) = told { #expect((error as? PaperTradeError)?.status == .noSpace, "limit \(limit)") }
            let acknowledged = (try? told.get()) ?? last
            #expect((acknowledged > last) == (limit >= 2 * end), "limit \(limit)")
            machine.fileSizeLimit = min(limit, end - 1)
            #expect(throws: PaperTradeError.self, "no new journal fits") { try account.reset() }
            machine.fileSizeLimit = .max
            #expect(try account.summary().seq == acknowledged)
            #expect(try account.deposit(Money(clamping: 1)).seq == acknowledged + 1)
            #expect(try verifyAccount(path: simulatedPath, system: machine.process()).problems.isEmpty)
        }
    }
}
