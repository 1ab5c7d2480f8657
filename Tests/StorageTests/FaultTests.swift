import Ledger
import PaperTrade
import Testing

@testable import Storage

/// `PAPERTRADE_EXHAUSTIVE=1` tries every fault of every call, once and for ever; without it each call gets one by chance.
@Suite struct `When a system call fails` {
    private static let sum = Locked((tally: FaultRun.Tally(), runs: 0, start: SystemCalls().monotonicTime()))

    @Test(arguments: FaultRun.all)
    func `what was asked is done, refused without a trace, or uncertain and said so`(_ run: FaultRun) throws {
        var generator = SeededGenerator(for: "faults of \(run.name)")
        let tally = try run.run(Self.faults, using: &generator)
        print(
            "\(run.name): \(tally.sites) calls, \(tally.runs) faults, \(tally.acknowledged) acknowledged, \(tally.refused) refused, "
                + "\(tally.uncertain) uncertain, \(tally.killed) killed, \(tally.failures.count) bad")
        for failure in tally.failures.prefix(12) { Issue.record("\(failure)") }
        #expect(tally.runs > 0)
        Self.sum.withLock { sum in
            sum.tally = sum.tally + tally
            sum.runs += 1
            if sum.runs == FaultRun.all.count {
                let missing = Set(SystemCall.Operation.allCases).subtracting(sum.tally.operations).map(\.rawValue).sorted()
                #expect(missing.isEmpty, "calls that nothing goes wrong with: no run makes them")
                print(Self.result(sum.tally, since: sum.start))
            }
        }
    }

    private static func faults(of call: SystemCall, _ generator: inout SeededGenerator) -> [(
        SimulatedSystem.Fault, forEver: Bool
    )] {
        let faults = call.faults
        if Thoroughness.isExhaustive { return faults.flatMap { [($0, false), ($0, true)] } }
        guard let fault = faults.randomElement(using: &generator) else { return [] }
        return call.changesDisk ? [(fault, false), (fault, true)] : [(fault, Bool.random(using: &generator))]
    }

    private static func result(_ tally: FaultRun.Tally, since start: Int64) -> String {
        """
        RESULT fault-points: operations=\(FaultRun.all.count) sites=\(tally.sites) runs=\(tally.runs) acknowledged=\(tally.acknowledged) \
        refused=\(tally.refused) uncertain=\(tally.uncertain) killed=\(tally.killed) wrong=\(tally.failures.count) \
        seconds=\((SystemCalls().monotonicTime() - start) / 1_000_000_000)
        """
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
