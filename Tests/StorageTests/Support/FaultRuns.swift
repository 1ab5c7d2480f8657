import Ledger
import PaperTrade
import Testing

@testable import Storage

extension FaultRun {
    static let all: [FaultRun] = trades + changesOfFiles + openings + maintenance

    private static func opened(_ start: @escaping @Sendable () throws -> SimulatedMachine = SimulatedMachine.withAccount)
        -> @Sendable () throws -> SimulatedDisk
    {
        { try start().disk }
    }

    private static let trades = [
        FaultRun(name: "buy", start: opened()) { _, _, account in
            try account?.buy("AAPL", 40, at: 150, RequestOptions(id: "once")).seq ?? 0
        },
        FaultRun(name: "a repeated request", start: requested) { _, _, account in
            try account?.deposit(Money(clamping: 5), RequestOptions(id: "once")).seq ?? 0
        },
        FaultRun(name: "batch", start: opened()) { _, _, account in
            try account?.batch { () throws(PaperTradeError) in
                for index in 0..<4 {
                    _ = try account?.buy("S\(index)", 1, at: 10, RequestOptions(note: String(repeating: "n", count: 200)))
                }
            }
            return 6
        },
        FaultRun(name: "executing the queue", start: queued) { _, _, account in
            _ = try account?.executeQueue { _, time in
                try Analysis(
                    signal: .buy, score: Rate(clamping: 80_000_000), price: Price(clamping: 1_000_000),
                    size: .shares(Shares(clamping: 1_000_000)), time: time)
            }
            return 4
        },
        FaultRun(
            name: "a trade after another process died in its write", start: opened(), meanwhile: somebodyDies
        ) { _, _, account in try account?.deposit(Money(clamping: 7)).seq ?? 0 },
    ]

    private static let changesOfFiles = [
        FaultRun(name: "extension", start: nearlyFull) { machine, _, account in
            let seq = try account?.deposit(Money(clamping: 7)).seq ?? 0
            #expect(machine.journalBlocks == 2)
            return seq
        },
        FaultRun(name: "reset", start: opened()) { _, _, account in
            try account?.reset(initialCash: Money(clamping: 5_000_000)).seq ?? 0
        },
        FaultRun(name: "a trade after somebody else's reset", start: opened(), meanwhile: somebodyResets) {
            _, _, account in try account?.deposit(Money(clamping: 7)).seq ?? 0
        },
        FaultRun(name: "a trade over an edited portfolio.json", start: opened(), meanwhile: somebodyEdits) {
            _, _, account in try account?.deposit(Money(clamping: 7)).seq ?? 0
        },
        FaultRun(name: "a trade over the portfolio.json before last", start: opened(), meanwhile: somebodyTrades) {
            _, _, account in try account?.deposit(Money(clamping: 7)).seq ?? 0
        },
        FaultRun(name: "a trade over a portfolio.json that a group may read", start: shared) { machine, _, account in
            let seq = try account?.deposit(Money(clamping: 7)).seq ?? 0
            // The same group may read the new one, or nobody where it could not be given away.
            let portfolio = machine.disk.portfolio
            let isShared = portfolio?.group == group && portfolio?.permissions == 0o640
            if !isShared { #expect(portfolio?.group == SimulatedDisk.user && portfolio?.permissions == 0o600) }
            return seq
        },
        FaultRun(name: "close", start: opened()) { _, _, account in
            account?.close()
            return 0
        },
    ]

    private static let openings = [
        FaultRun(name: "open", start: opened(), opens: true) { machine, process, _ in
            try machine.account(process).close()
            return 0
        },
        FaultRun(name: "create", start: nothing, opens: true) { machine, process, _ in
            let account = try machine.account(process)
            defer { account.close() }
            return try account.summary().seq
        },
        FaultRun(name: "create without an id", start: nothing, opens: true) { _, process, _ in
            let account = try open(simulatedPath, id: nil, process)
            defer { account.close() }
            let summary = try account.summary()
            #expect(summary.accountID.utf8.count == 32)
            return summary.seq
        },
        FaultRun(name: "open by a relative path", start: opened(), opens: true) { _, process, _ in
            try open(String(simulatedPath.dropFirst()), id: "simulated", process).close()
            return 0
        },
        FaultRun(name: "open after a crash in a write", start: diedWriting, opens: true) { machine, process, _ in
            try machine.account(process).close()
            return 0
        },
        FaultRun(name: "open after a crash in a reset", start: diedResetting, opens: true) { machine, process, _ in
            try machine.account(process).close()
            return 0
        },
        FaultRun(name: "open without portfolio.json", start: withoutPortfolio, opens: true) { machine, process, _ in
            try machine.account(process).close()
            return 0
        },
    ]

    private static let maintenance = [
        FaultRun(name: "backup", start: opened()) { machine, _, account in
            // What could not even be removed stays, and a second try needs another place.
            let destination = machine.disk.files(in: "/copy").isEmpty ? "/copy" : "/another"
            try account?.backUp(to: destination)
            #expect(try verifyAccount(path: destination, system: machine.process()).problems.isEmpty)
            if !machine.disk.isSettled(in: destination) { Issue.record("the backup is not on the disk") }
            return 0
        },
        FaultRun(name: "recover", start: damaged, opens: true, rescues: true) { machine, process, _ in
            var options = Options()
            options.system = process
            options.lockTimeoutMilliseconds = 0
            return try Account.recover(simulatedPath, options: options).seq
        },
        FaultRun(name: "import", start: oldFiles, opens: true) { machine, process, _ in
            var options = Options()
            options.system = process
            options.accountID = "simulated"
            options.lockTimeoutMilliseconds = 0
            do {
                return try Account.importing("/old/paper_portfolio.json", into: simulatedPath, options: options).seq
            } catch let error as PaperTradeError where error.status == .exists {
                // The first try came so far that the account is there; then it is whole.
                let account = try machine.account(process)
                defer { account.close() }
                #expect(try account.positions().count == 1)
                return try account.summary().seq
            }
        },
        FaultRun(name: "history", start: opened()) { _, _, account in
            var seqs: [UInt64] = []
            try account?.history { record in
                seqs.append(record.record.seq)
                return true
            }
            #expect(seqs == [1, 2])
            return 0
        },
    ]

    // MARK: What stands at the beginning

    private static let group: UInt32 = 2000

    private static func open(_ path: String, id: String?, _ process: SimulatedSystem) throws -> Account {
        var options = Options()
        options.accountID = id
        options.lockTimeoutMilliseconds = 0
        options.system = process
        return try Account(path, options: options)
    }

    @Sendable private static func shared() throws -> SimulatedDisk {
        var disk = try SimulatedMachine.withAccount().disk
        disk.portfolio?.group = group
        disk.portfolio?.permissions = 0o640
        return disk
    }

    @Sendable private static func nothing() -> SimulatedDisk { SimulatedDisk() }

    @Sendable private static func nearlyFull() throws -> SimulatedDisk { try SimulatedMachine.withFullBlock(room: 100).disk }

    @Sendable private static func requested() throws -> SimulatedDisk {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        try account.deposit(Money(clamping: 5), RequestOptions(id: "once"))
        return machine.disk.settled()
    }

    @Sendable private static func queued() throws -> SimulatedDisk {
        let machine = try SimulatedMachine.withAccount()
        try machine.account().enqueue(opportunity("NVDA"))
        return machine.disk.settled()
    }

    @Sendable private static func diedWriting() throws -> SimulatedDisk {
        let machine = try SimulatedMachine.withAccount()
        try somebodyDies(on: machine)
        return machine.disk
    }

    @Sendable private static func diedResetting() throws -> SimulatedDisk {
        let machine = try SimulatedMachine.withAccount()
        let victim = machine.process()
        let account = try machine.account(victim)
        victim.inject(.kill, at: 0) { $0.operation == .rename }
        _ = try? account.reset()
        return machine.disk
    }

    @Sendable private static func withoutPortfolio() throws -> SimulatedDisk {
        var disk = try SimulatedMachine.withAccount().disk
        disk.plant(nil, as: AccountFile.portfolio, in: simulatedPath)
        return disk
    }

    @Sendable private static func damaged() throws -> SimulatedDisk {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        for _ in 0..<3 { try account.deposit(Money(clamping: 5)) }
        account.close()
        var disk = machine.disk.settled()
        var journal = try #require(disk.files(in: simulatedPath)[AccountFile.journal])
        // A digit of the fourth event.
        let lines = journal.split(separator: fill).map(\.startIndex)
        journal[lines[3] + 60] ^= 1
        disk.plant(journal, as: AccountFile.journal, in: simulatedPath)
        return disk
    }

    @Sendable private static func oldFiles() throws -> SimulatedDisk {
        let portfolio = """
            {"cash": 4000.0, "positions": {"AAPL": {"shares": 40, "cost_basis": 150.25, "first_purchase_date": "2026-11-02"}},
             "created_at": "2026-11-01T10:00:00"}
            """
        return SimulatedDisk(directory: "old", files: ["paper_portfolio.json": Array(portfolio.utf8)])
    }

    // MARK: What others do

    /// A process writes three lines and dies before it has written all of them.
    @Sendable private static func somebodyDies(on machine: SimulatedMachine) throws {
        let victim = machine.process()
        let account = try machine.account(victim)
        victim.inject(.killAfter(700), at: 0) { $0.operation == .write && $0.subject == AccountFile.journal }
        _ = try? account.depositThreeTimes()
    }

    /// A process trades, and dies before it can tidy up.
    @Sendable private static func somebodyTrades(on machine: SimulatedMachine) throws {
        let other = machine.process()
        let account = try machine.account(other)
        try account.deposit(Money(clamping: 7))
        other.kill()
        #expect(machine.disk.hasFile(AccountFile.portfolioTemporary, in: simulatedPath))
    }

    @Sendable private static func somebodyResets(on machine: SimulatedMachine) throws { try machine.account().reset() }

    @Sendable private static func somebodyEdits(on machine: SimulatedMachine) {
        guard let text = machine.disk.files(in: simulatedPath)[AccountFile.portfolio] else { return }
        let edited = AccountSamples.replacing("10000.0", "99999.0", in: text)
        machine.disk.plant(edited, as: AccountFile.portfolio, in: simulatedPath)
    }
}

extension SimulatedDisk {
    /// portfolio.json, with who may read it.
    fileprivate var portfolio: Inode? {
        get { portfolioNumber.flatMap { inodes[$0] } }
        set { if let portfolioNumber { inodes[portfolioNumber] = newValue } }
    }

    private var portfolioNumber: UInt64? {
        directory(simulatedPath).flatMap { inodes[$0]?.names.cached[AccountFile.portfolio] }
    }

    /// Whether the directory, its name and all that is in it but the lock file are on the platter.
    fileprivate func isSettled(in path: String) -> Bool {
        guard let number = directory(path), let names = inodes[number]?.names, let root = inodes[Self.root] else { return false }
        let files = names.cached.filter { $0.key != ".lock" }.values
        return root.names.pendingCount == 0 && names.pendingCount == 0 && files.allSatisfy { inodes[$0]?.file.isCertain == true }
    }
}
