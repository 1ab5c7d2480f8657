import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A commit writes over the file that was portfolio.json one commit ago, where nobody can see it.
@Suite struct `The portfolio.json before last` {
    private let machine: SimulatedMachine
    private let process: SimulatedSystem
    private let account: Account

    init() throws {
        machine = try SimulatedMachine.withAccount()
        process = machine.process()
        account = try machine.account(process)
    }

    private func trade() throws { try account.deposit(Money(clamping: 1)) }

    private func files() -> [String: [UInt8]] { machine.disk.files(in: simulatedPath) }

    private func kept() -> [String] { files().keys.filter { $0.contains("edited") } }

    private func isCurrent() throws -> Bool {
        try verifyAccount(path: simulatedPath, system: machine.process()).isPortfolioCurrent
    }

    private func inode(of name: String) throws -> UInt64 {
        let system = machine.process()
        let directory = try system.openDirectory(simulatedPath, in: nil)
        return try system.status(name, in: directory).identity.inode
    }

    @Test func `is written over from the second trade on: two files take turns`() throws {
        try trade()
        let both = try [inode(of: AccountFile.portfolio), inode(of: AccountFile.portfolioTemporary)]
        for round in 1...6 {
            try trade()
            #expect(try inode(of: AccountFile.portfolio) == both[round % 2])
            #expect(try isCurrent())
        }
    }

    @Test func `may be another process's`() throws {
        let other = try machine.account()
        try trade()
        let retired = try inode(of: AccountFile.portfolioTemporary)
        try other.deposit(Money(clamping: 1))
        #expect(try inode(of: AccountFile.portfolio) == retired)
        #expect(try isCurrent())
    }

    @Test func `is gone when the account is closed`() throws {
        try trade()
        #expect(files()[AccountFile.portfolioTemporary] != nil)
        account.close()
        #expect(files().keys.sorted() == [AccountFile.lock, AccountFile.journal, AccountFile.portfolio])
    }

    @Test func `may be longer than its successor`() throws {
        for number in 0..<40 { try account.buy("S\(number)", 1, at: 1) }
        for number in 0..<40 {
            try account.sell("S\(number)", nil, at: 1)
            #expect(try isCurrent())
        }
        #expect(kept().isEmpty)
    }

    @Test func `keeps what readers have open whole`() throws {
        let directory = try TemporaryDirectory()
        let account = try Account(directory.path("account"))
        for _ in 0..<3 { try account.deposit(Money(clamping: 1)) }
        let reader = try #require(fopen(directory.path("account/portfolio.json"), "rb"))
        defer { fclose(reader) }
        let text = try #require(directory.read("account/portfolio.json"))
        for _ in 0..<3 { try account.deposit(Money(clamping: 1)) }
        #expect(directory.read("account/portfolio.json") != text)
        var read = [UInt8](repeating: 0, count: text.count + 1)
        #expect(fread(&read, 1, read.count, reader) == text.count)
        #expect(read.dropLast() == text[...])
    }

    @Test func `is not written over while it has another name`() throws {
        let directory = try TemporaryDirectory()
        let account = try Account(directory.path("account"))
        for _ in 0..<3 { try account.deposit(Money(clamping: 1)) }
        let text = try #require(directory.read("account/portfolio.json"))
        #expect(link(directory.path("account/portfolio.json"), directory.path("copy")) == 0)
        for _ in 0..<3 { try account.deposit(Money(clamping: 1)) }
        #expect(directory.read("copy") == text)
    }

    @Test func `is not used if it is not this library's, and kept if it is an edit`() throws {
        try trade()
        let own = try #require(files()[AccountFile.portfolio])
        let edits = [AccountSamples.replacing("10000.0", "77777.0", in: own), Array("nonsense".utf8), Array(own.dropLast())]
        for text in edits + [[0, 0, 0], [], [0] + own.dropFirst(), [0] + own[1..<300], own] {
            machine.withState { $0.disk.plant(text, as: AccountFile.portfolioTemporary, in: simulatedPath) }
            try trade()
            #expect(try isCurrent())
        }
        let kept = files().filter { $0.key.contains("edited") }.map(\.value)
        #expect(kept.count == edits.count && edits.allSatisfy(kept.contains))
    }

    @Test func `has the permissions that portfolio.json has by now`() throws {
        for mode: UInt32 in [0o640, 0o600, 0o664] {
            try trade()
            machine.withState { state in
                guard let directory = state.disk.directory(simulatedPath),
                    let inode = state.disk.inodes[directory]?.names.cached[AccountFile.portfolio]
                else { return }
                state.disk.inodes[inode]?.permissions = mode
            }
            for _ in 0..<3 {
                try trade()
                let system = machine.process()
                let directory = try system.openDirectory(simulatedPath, in: nil)
                #expect(try system.status(AccountFile.portfolio, in: directory).permissions == mode)
            }
        }
    }

    @Test(arguments: [0, 1], [nil, 1, 200, 600])
    func `leaves nothing that passes for an edit when its writer is killed`(write: Int, after count: Int?) throws {
        try trade()
        try trade()
        try tradeKilled(at: write, after: count)
        #expect(kept().isEmpty)
        #expect(try isCurrent())
    }

    @Test(arguments: [0, 1], [nil, 1, 200, 600])
    func `leaves nothing that passes for an edit when it is made, either`(write: Int, after count: Int?) throws {
        #expect(files()[AccountFile.portfolioTemporary] == nil)
        try tradeKilled(at: write, after: count)
        #expect(kept().isEmpty)
        #expect(try isCurrent())
    }

    /// The process is killed in a write to the file, or after so many bytes of it, and the account opened and closed.
    private func tradeKilled(at write: Int, after count: Int?) throws {
        process.inject(count.map { .killAfter($0) } ?? .kill, at: write) {
            $0.operation == .write && $0.subject == AccountFile.portfolioTemporary
        }
        #expect(throws: (any Error).self) { try trade() }
        try machine.account().close()
    }

    @Test func `passes for no edit either for the handle that swapped it out before another one was killed`() throws {
        let victim = machine.process()
        // Before the trades: whoever opens the account removes the file.
        let account = try machine.account(victim)
        try trade()
        try trade()
        let retired = try inode(of: AccountFile.portfolioTemporary)
        victim.inject(.killAfter(300), at: 0) { $0.operation == .write && $0.subject == AccountFile.portfolioTemporary }
        #expect(throws: (any Error).self) { try account.deposit(Money(clamping: 1)) }
        #expect(try inode(of: AccountFile.portfolioTemporary) == retired)
        try trade()
        #expect(kept().isEmpty)
        #expect(try isCurrent())
    }

    @Test func `is leased no longer than it is written, also when that fails`() throws {
        for _ in 0..<3 { try trade() }
        // One that is not this library's is given up.
        machine.withState { $0.disk.plant(Array("nonsense".utf8), as: AccountFile.portfolioTemporary, in: simulatedPath) }
        try trade()
        try trade()
        for operation in [SystemCall.Operation.write, .exchange] {
            let calls = try process.recording { try trade() }
            #expect(calls.contains { $0.operation == .lease })
            process.inject(.fail(Errno(code: EIO)), at: 0) {
                $0.operation == operation && $0.subject.hasPrefix(AccountFile.portfolioTemporary)
            }
            _ = try? trade()
            try trade()
        }
        #expect(machine.withState { $0.leasesLeft } == 0)
    }

    @Test(arguments: [EINVAL, EACCES])
    func `is removed, and a file made each time, where there are no leases`(code: Int32) throws {
        process.onCall { $0.operation == .lease ? .fail(Errno(code: code)) : nil }
        let calls = try process.recording { for _ in 0..<5 { try trade() } }
        #expect(calls.count { $0.operation == .lease } == 1)
        #expect(files()[AccountFile.portfolioTemporary] == nil)
        #expect(try isCurrent())
    }

    @Test func `is not used on a network file system, where another machine may see it`() throws {
        machine.isLocal = false
        var options = Options()
        options.system = process
        options.allowsNetwork = true
        let account = try Account(simulatedPath, options: options)
        let calls = try process.recording { for _ in 0..<3 { try account.deposit(Money(clamping: 1)) } }
        #expect(!calls.contains { $0.operation == .lease })
        #expect(files()[AccountFile.portfolioTemporary] == nil)
    }
}
