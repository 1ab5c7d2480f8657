import Ledger
import PaperTrade
import Testing

@testable import Storage

/// Every system call of each workload is where the power fails. Every acknowledged commit has to be there, in order and once; every
/// other one whole or not at all.
@Suite struct `After a power cut or a kill at any system call` {
    @Test func `a new account is there or is not`() throws {
        let hunt = CrashHunt()
        try hunt.run { machine in
            let account = try machine.account()
            machine.acknowledge(try account.summary().seq)
            account.close()
        }
        hunt.report()
    }

    @Test func `every acknowledged trade of one handle is there`() throws {
        let hunt = CrashHunt()
        try hunt.run(on: try .withAccount()) { machine in
            let account = try machine.account()
            try machine.acknowledged { try account.buy("AAPL", 40, at: 150).seq }
            try machine.acknowledged { try account.enqueue(opportunity("NVDA")).seq }
            try machine.acknowledged { try account.sell("AAPL", 15, at: 160).seq }
            account.close()
            let again = try machine.account()
            try machine.acknowledged { try again.deposit(Money(clamping: 5_000_000)).seq }
        }
        hunt.report()
    }

    @Test func `every acknowledged trade of two handles is there`() throws {
        let hunt = CrashHunt()
        try hunt.run(on: try .withAccount()) { machine in
            let first = try machine.account()
            let second = try machine.account()
            try machine.acknowledged { try first.buy("AAPL", 40, at: 150).seq }
            try machine.acknowledged { try second.buy("MSFT", 3, at: 333.333333).seq }
            try machine.acknowledged { try first.sell("MSFT", nil, at: 300).seq }
            second.close()
            first.close()
        }
        hunt.report()
    }

    @Test(arguments: InFlight.all)
    func `commits in flight together are there in order and whole, none in the middle missing`(_ commits: InFlight) throws {
        var thoroughness = Thoroughness.chosen
        // Four commits leave so many disks that chance has to choose.
        if commits.steps.count > 3 { thoroughness.disks = min(thoroughness.disks, 5000) }
        let hunt = CrashHunt(commits.testDescription, thoroughness)
        try hunt.run(on: try commits.start(), commits.run)
        hunt.report()
    }

    @Test func `so are more than four, of any kind, by chance`() throws {
        var thoroughness = Thoroughness.chosen
        thoroughness.disks = min(thoroughness.disks, 1500)
        thoroughness.contents = min(thoroughness.contents, 100)
        let hunt = CrashHunt("more than four commits", thoroughness)
        for _ in 0..<(Thoroughness.isExhaustive ? 10 : 1) {
            let commits = InFlight.random(count: 5 + hunt.random(below: 6), hunt.random(below:))
            try hunt.run(on: try commits.start(), commits.run)
        }
        hunt.report()
    }

    @Test func `a batch is there whole or not at all`() throws {
        let hunt = CrashHunt()
        try hunt.run(on: try .withAccount()) { machine in
            let account = try machine.account()
            try machine.acknowledged {
                try account.batch { () throws(PaperTradeError) in
                    for (index, symbol) in ["AAPL", "MSFT", "NVDA", "AMZN", "META"].enumerated() {
                        try account.buy(symbol, 1, at: Double(100 + index), RequestOptions(id: "r\(index)", note: "one of five"))
                    }
                }
                return try account.summary().seq
            }
            try machine.acknowledged { try account.withdraw(Money(clamping: 7)).seq }
        }
        hunt.report()
    }

    @Test func `extending the journal loses nothing, and what stands in a new block does not matter`() throws {
        let hunt = CrashHunt()
        let machine = try SimulatedMachine.withFullBlock(room: 400)
        try hunt.run(on: machine) { machine in
            let account = try machine.account()
            // It begins in the old block and ends in the new one.
            try machine.acknowledged { try account.depositThreeTimes() }
            try machine.acknowledged { try account.deposit(Money(clamping: 1)).seq }
        }
        #expect(machine.journalBlocks == 2)
        hunt.report()
    }

    @Test func `a reset has happened whole or not at all, and the sealed journal is complete`() throws {
        let hunt = CrashHunt()
        try hunt.run(on: try .withAccount()) { machine in
            let account = try machine.account()
            let other = try machine.account()
            try machine.acknowledged { try account.buy("AAPL", 40, at: 150).seq }
            try machine.acknowledged { try account.reset(initialCash: Money(clamping: 500_000_000)).seq }
            try machine.acknowledged { try other.deposit(Money(clamping: 1)).seq }
            try machine.acknowledged { try other.reset().seq }
            try machine.acknowledged { try account.enqueue(opportunity("NVDA")).seq }
        }
        hunt.report()
    }

    @Test func `a reset takes along the commits that unlocked before their sync`() throws {
        let hunt = CrashHunt()
        try hunt.run(on: try .withAccount()) { machine in
            let store = try DirectoryStore.open(simulatedPath, machine.process())
            let account = try machine.account()
            machine.begin()
            let seq = try store.append(.deposit(Money(clamping: 1)), .enqueue(opportunity("NVDA")), .enqueue(opportunity("AAPL")))
            machine.acknowledge(try account.reset().seq)
            try store.sync(through: seq)
        }
        hunt.report()
    }

    @Test func `whatever was killed at whatever call, the others go on and lose nothing`() throws {
        let hunt = CrashHunt()
        let operations: [(start: SimulatedMachine, (SimulatedMachine, Account) throws -> Void)] = [
            (
                try .withFullBlock(room: 600),
                { machine, account in try machine.acknowledged { try account.depositThreeTimes() } }
            ),
            (try .withAccount(), { machine, account in try machine.acknowledged { try account.reset().seq } }),
        ]
        for (start, operation) in operations {
            let start = start.disk
            // Every other call, from the first or the second one on, unless a fuller run is asked for.
            let step = Thoroughness.isExhaustive ? 1 : 2
            var number = hunt.random(below: step)
            var isKilled = true
            while isKilled {
                let machine = SimulatedMachine(start)
                machine.acknowledge(try #require(CommitEnd.all(in: start, withUnborn: false).map(\.seq).max()))
                let victim = machine.process()
                let account = try machine.account(victim)
                let other = try machine.account()
                try machine.acknowledged { try other.deposit(Money(clamping: 3)).seq }
                victim.inject(.kill, at: number)
                machine.begin()
                try? operation(machine, account)
                isKilled = victim.isDead
                number += step
                try hunt.run(on: machine, sharing: 6) { machine in
                    try machine.acknowledged { try other.depositThreeTimes() }
                    let third = try machine.account()
                    try machine.acknowledged { try third.deposit(Money(clamping: 2)).seq }
                }
            }
        }
        hunt.report()
    }

    @Test func `an account that one process began to make and another one finished is there`() throws {
        let hunt = CrashHunt()
        var isKilled = true
        var number = 0
        while isKilled {
            let machine = SimulatedMachine()
            let victim = machine.process()
            victim.inject(.kill, at: number)
            _ = try? machine.account(victim)
            isKilled = victim.isDead
            number += 1
            try hunt.run(on: machine, sharing: 3) { machine in
                let account = try machine.account()
                machine.acknowledge(try account.summary().seq)
            }
        }
        hunt.report()
    }
}
