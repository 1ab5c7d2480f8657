import Ledger
import PaperTrade
import Testing

@testable import Storage

/// A trading cycle that sells one position and buys two, on a machine whose calls fail and whose power is cut.
@Suite struct `A trading cycle on a failing machine` {
    private static let time = Timestamp(clamping: 1_795_444_200_000_000)

    private func machine() throws -> SimulatedMachine {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        let request = RequestOptions(time: Self.time)
        try account.buy("OLD", 10, at: 100, request)
        for symbol in ["A", "B"] { try account.enqueue(opportunity(symbol), request) }
        let seq = try account.summary().seq
        account.close()
        let settled = SimulatedMachine(machine.disk.settled())
        settled.acknowledge(seq)
        return settled
    }

    private func trade(_ account: Account) throws(PaperTradeError) -> CycleReport {
        try account.runTradingCycle(CycleOptions(time: Self.time, ignoresSchedule: true)) { symbol, time in
            try Analysis(
                signal: symbol.description == "OLD" ? .sell : .buy, score: Rate(80.0), price: Price(100.0), size: nil, time: time)
        }
    }

    /// The account as a new process finds it: before the cycle, or after it; and whether a failure is recorded.
    private func outcome(_ machine: SimulatedMachine) throws -> (isDone: Bool, failures: Int) {
        let account = try machine.account()
        defer { account.close() }
        let state = try account.snapshot()
        let held = state.positions.map(\.symbol.description)
        let outcomes = try account.cycles().compactMap { record in
            if case .ranCycle(let cycle) = record.event { cycle.outcome } else { nil }
        }
        #expect(held == ["OLD"] && state.queue.count == 2 || held == ["A", "B"] && state.queue.isEmpty, "\(held)")
        #expect(outcomes.count { $0 == .done } == (held == ["OLD"] ? 0 : 1), "\(outcomes)")
        #expect(try verifyAccount(path: simulatedPath, system: machine.process()).problems.isEmpty)
        return (held != ["OLD"], outcomes.count { $0 == .failed })
    }

    /// The analyst takes 65 minutes, and meanwhile another process does the same in a minute.
    private func runSlowly(_ kind: CycleKind, on machine: SimulatedMachine) throws -> (slow: CycleReport, quick: CycleReport) {
        let process = machine.process()
        let (account, other) = (try machine.account(process), try machine.account())
        let later = Timestamp(clamping: Self.time.microseconds + 65 * 60_000_000)
        process.shiftClock(microseconds: Self.time.microseconds - process.realTime())
        func judging(_ signal: Signal) -> Analyst {
            { try Analysis(signal: signal, score: Rate(80.0), price: Price(100.0), size: nil, time: $1) }
        }
        var quick: CycleReport?
        let slow = try account.runCycle(kind, CycleOptions(time: Self.time)) { symbol, time in
            if quick == nil {
                process.shiftClock(microseconds: later.microseconds - machine.process().realTime())
                quick = try other.runCycle(kind, CycleOptions(time: later), analyst: judging(.sell))
            }
            return try judging(.buy)(symbol, time)
        }
        return (slow, try #require(quick))
    }

    @Test func `is skipped if it takes hours and another process has done it meanwhile`() throws {
        let machine = try machine()
        machine.withState { state in
            let config = #"{"market": {"calendar": "always"}, "queue": {"stale_after_hours": 100}}"#
            state.disk.plant(Array(config.utf8), as: AccountFile.config, in: simulatedPath)
        }
        let (slow, quick) = try runSlowly(.trading, on: machine)
        #expect(quick.cycle.outcome == .done && quick.cycle.counts.sold == 1)
        #expect(slow.cycle.outcome == .skipped && slow.cycle.counts.trades == 0)
        #expect(try machine.account().snapshot().cycles.trading?.lastDone == quick.record.time)
    }

    @Test func `overwrites nothing if it is one of monitoring that takes hours`() throws {
        let machine = try machine()
        machine.withState { state in
            let config = #"{"market": {"calendar": "always"}, "queue": {"stale_after_hours": 100}}"#
            state.disk.plant(Array(config.utf8), as: AccountFile.config, in: simulatedPath)
        }
        let first = try machine.account()
        let before = Timestamp(clamping: Self.time.microseconds - 60_000_000)
        try first.runMonitoringCycle(CycleOptions(time: before)) { _, time in
            try Analysis(signal: .hold, score: Rate(80.0), price: Price(100.0), size: nil, time: time)
        }
        let (slow, quick) = try runSlowly(.monitoring, on: machine)
        #expect(slow.problems.contains { $0.contains("overtaken") }, "\(slow.problems)")
        let state = try machine.account().snapshot()
        #expect(state.signals.map(\.signal) == [.sell] && state.cycles.monitoring?.lastDone == slow.record.time, "\(quick)")
    }

    @Test func `happens whole and once, or leaves nothing but the record of its failure, and then it can be done`() throws {
        var generator = SeededGenerator(for: "faults of a trading cycle")
        let start = try machine().disk
        let healthy = SimulatedMachine(start)
        let process = healthy.process()
        let account = try healthy.account(process)
        let calls = try process.recording { _ = try trade(account) }
        var told: [String: Int] = [:]
        for (number, call) in calls.enumerated() {
            let isWhole = Thoroughness.isExhaustive
            let faults = call.faults.filter { $0 != .kill }.shuffled(using: &generator)
            for fault in isWhole ? faults : Array(faults.prefix(1)) {
                for forEver in [false, true] {
                    let machine = SimulatedMachine(start)
                    let process = machine.process()
                    let account = try machine.account(process)
                    process.inject(fault, at: number, forEver: forEver)
                    let result = Result { () throws(PaperTradeError) in try trade(account) }
                    process.onCall(nil)
                    machine.end(process.processID())
                    let context: Comment = "\(fault)\(forEver ? " for ever" : "") at call \(number), \(call)"
                    let (isDone, failures) = try outcome(machine)
                    switch result {
                    case .success(let report):
                        #expect(report.cycle.counts.bought == 2 && report.cycle.counts.sold == 1 && isDone, context)
                        told["done", default: 0] += 1
                    case .failure(let error) where error.status == .uncertain || error.status == .failedHandle:
                        told["uncertain", default: 0] += 1
                    case .failure:
                        #expect(!isDone, context)
                        told[failures == 1 ? "recorded" : "refused", default: 0] += 1
                    }
                    guard !isDone else { continue }
                    let again = try trade(try machine.account())
                    #expect(again.cycle.counts.bought == 2 && again.cycle.counts.sold == 1, context)
                    #expect(try outcome(machine).isDone, context)
                }
            }
        }
        print("a trading cycle: \(calls.count) calls, \(told.sorted { $0.key < $1.key })")
        #expect(Set(told.keys) == ["done", "uncertain", "recorded", "refused"])
    }

    @Test func `is there whole or not at all after a kill or a power cut at any call`() throws {
        let hunt = CrashHunt()
        try hunt.run(on: try machine()) { machine in
            let account = try machine.account()
            try machine.acknowledged { try trade(account).seq }
            account.close()
        }
        hunt.report()
    }
}
