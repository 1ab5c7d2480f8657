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
                for forEver in isWhole ? [false, true] : [Bool.random(using: &generator)] {
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
            FaultRun(name: "extending", start: SimulatedMachine.withFullBlock(room: 100).disk) { _, _, account in
                try account?.deposit(Money(clamping: 7)).seq ?? 0
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
}
