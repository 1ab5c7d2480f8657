import Ledger
import PaperTrade
import Testing

@testable import Storage

/// Up to four commits that are in flight together: each is written and published before any of them is synced.
struct InFlight: CustomTestStringConvertible, Sendable {
    enum Step: String, CaseIterable, Sendable {
        case buy, sell, queue, execute, batch, reset
    }

    let steps: [Step]
    /// Which of two handles, each in a process of its own, makes each commit.
    let writers: [Int]
    /// What is left of the journal's block when it begins; `nil`: much.
    var room: Int?

    var testDescription: String {
        let commits = zip(steps, writers).map { "\($0.rawValue) by \($1 == 0 ? "A" : "B")" }.joined(separator: ", ")
        return commits + (room.map { ", \($0) bytes before the end of a block" } ?? "")
    }

    /// Every pair of steps by one and by two writers; of longer ones those that differ in what shares a sector; and what extends the
    /// journal at its first, second or third commit. Without `PAPERTRADE_EXHAUSTIVE` every ninth of them; with `PAPERTRADE_IN_FLIGHT` only those
    /// of so many commits.
    static let all: [InFlight] = {
        var all: [InFlight] = []
        for first in Step.allCases {
            for second in Step.allCases {
                for writer in 0...1 { all.append(InFlight(steps: [first, second], writers: [0, writer])) }
            }
        }
        let longer: [[Step]] = [
            [.buy, .sell, .queue], [.queue, .execute, .sell], [.batch, .buy, .batch], [.buy, .reset, .buy],
            [.sell, .batch, .reset],
            [.buy, .sell, .queue, .batch], [.batch, .batch, .buy, .sell], [.queue, .queue, .execute, .batch],
            [.buy, .buy, .buy, .buy], [.buy, .queue, .reset, .sell], [.reset, .buy, .reset, .buy],
            [.sell, .buy, .batch, .execute],
        ]
        for steps in longer {
            for writers in [[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 1]] {
                all.append(InFlight(steps: steps, writers: Array(writers.prefix(steps.count))))
            }
        }
        for steps in [[Step.buy, .sell, .queue], [.batch, .buy, .sell], [.buy, .batch, .reset]] {
            for (room, writers) in [(10, [0, 1, 0]), (500, [0, 1, 1]), (900, [0, 0, 1])] {
                all.append(InFlight(steps: steps, writers: writers, room: room))
            }
        }
        if let count = setting("PAPERTRADE_IN_FLIGHT") { all.removeAll { $0.steps.count != count } }
        return Thoroughness.isExhaustive ? all : all.enumerated().filter { $0.offset % 9 == 4 }.map(\.element)
    }()

    /// - Parameter random: draws a number below its argument.
    static func random(count: Int, _ random: (Int) -> Int) -> InFlight {
        // A reset ends what is in flight: few of them.
        let kinds = Step.allCases + Step.allCases.filter { $0 != .reset } + Step.allCases.filter { $0 != .reset }
        return InFlight(
            steps: (0..<count).map { _ in kinds[random(kinds.count)] }, writers: (0..<count).map { _ in random(2) },
            room: random(3) == 0 ? random(1500) : nil)
    }

    /// A machine with an account that has something to sell and something in its queue.
    func start() throws -> SimulatedMachine {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        try account.buy("AAPL", 10, at: 150)
        try account.enqueue(opportunity("NVDA"))
        account.close()
        let settled = SimulatedMachine(machine.disk.settled())
        settled.acknowledge(4)
        return try room.map { try settled.filled(room: $0) } ?? settled
    }

    func run(_ machine: SimulatedMachine) throws {
        let handles = try [machine.process(), machine.process()].map { process in
            (store: try DirectoryStore.open(simulatedPath, process), account: try machine.account(process))
        }
        // A handle syncs a block before it uses it: after that nothing but the syncs below makes a commit certain.
        for handle in handles where room == nil {
            try machine.acknowledged {
                let seq = try handle.store.append(.deposit(Money(clamping: 1)))
                try handle.store.sync(through: seq)
                return seq
            }
        }
        machine.begin()
        var last: [UInt64] = [0, 0]
        for (number, (step, writer)) in zip(steps, writers).enumerated() {
            let handle = handles[writer]
            if step == .reset {
                // A reset syncs what came before it.
                machine.acknowledge(try handle.account.reset().seq)
            } else {
                last[writer] = try handle.store.append(changes(of: step, number, on: handle.store))
            }
        }
        // The one who wrote last syncs last.
        for writer in (writers.last == 0 ? [1, 0] : [0, 1]) where last[writer] > 0 {
            try handles[writer].store.sync(through: last[writer])
            machine.acknowledge(last[writer])
        }
    }

    private func changes(of step: Step, _ number: Int, on store: DirectoryStore) throws -> [Change] {
        let symbol = try Symbol("AAPL")
        let share = Shares(clamping: 1_000_000)
        let price = Price(clamping: 151_250_000)
        // What the other one has done counts, too.
        try store.catchUp(isLocked: false)
        switch step {
        case .buy: return [.buy(symbol, share, price)]
        // Nothing to sell after a reset: then cash leaves.
        case .sell:
            let isHeld = store.state.positions.contains { $0.symbol == symbol }
            return [isHeld ? .sell(symbol, share, price) : .withdraw(Money(clamping: 1_000_000))]
        case .queue: return [.enqueue(try opportunity("Q\(number)"))]
        case .execute:
            let now = Timestamp(clamping: store.system.realTime())
            let analysis = try Analysis(
                signal: .buy, score: Rate(clamping: 80_000_000), price: price, size: .shares(share), time: now)
            let judgements = store.state.queue.map {
                Judgement(queuedSeq: $0.seq, symbol: $0.opportunity.symbol, analysis: analysis)
            }
            return judgements.isEmpty ? [.deposit(Money(clamping: 2))] : [.execute(judgements)]
        case .batch: return [.deposit(Money(clamping: 3)), .buy(symbol, share, price), .enqueue(try opportunity("M\(number)"))]
        case .reset: return []
        }
    }
}
