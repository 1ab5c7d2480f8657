import Ledger
import PaperTrade
import Testing

@testable import Storage

/// An account with events of every kind, closed cleanly, to be damaged.
struct DamageSample {
    let files: [String: [UInt8]]
    /// The journal's used part.
    let journal: [UInt8]
    /// Where each line starts.
    let starts: [Int]
    let lastSeq: UInt64
    let cash: Money

    /// - Parameter rounds: of eleven events each.
    init(rounds: Int = 5) throws {
        let machine = try SimulatedMachine.withAccount()
        let account = try machine.account()
        for round in 0..<rounds {
            for (index, symbol) in ["AAPL", "JNJ", "BRK.B"].enumerated() {
                try account.buy(
                    symbol, Double(3 + index), at: 101.25, RequestOptions(id: "\(symbol)-\(round)", note: "J*: round \(round)"))
                try account.dividend(Symbol(symbol), perShare: Price(clamping: 250_000))
            }
            try account.enqueue(opportunity("Q\(round)"))
            try account.sell("AAPL", 1.5, at: 99.999999)
            try account.deposit(Money(clamping: 1_234_567_890))
            try account.split(Symbol("JNJ"), newShares: Shares(clamping: 3_000_000), oldShares: Shares(clamping: 2_000_000))
            try account.withdraw(Money(clamping: 1))
        }
        let signals: [Signal] = [.buy, .sell]
        for (kind, signal) in zip(CycleKind.allCases, signals) {
            try account.runCycle(kind, CycleOptions(ignoresSchedule: true)) { symbol, time in
                let isHeld = symbol.description == "AAPL"
                return try Analysis(
                    signal: isHeld ? signal : .hold, score: Rate(clamping: 80_000_000), price: Price(clamping: 101_000_000),
                    size: nil, time: time, sector: Text("J*", field: "sector"))
            }
        }
        try account.clearQueue()
        try account.writeOff(Symbol("BRK.B"))
        account.close()
        files = machine.disk.files(in: simulatedPath)
        let bytes = try #require(files[AccountFile.journal])
        let end = try #require(bytes.lastIndex { $0 != fill }) + 2
        let used = Array(bytes[..<end])
        journal = used
        starts = [0] + used.indices.filter { used[$0] == fill && $0 + 1 < end }.map { $0 + 1 }
        let report = try verifyAccount(path: simulatedPath, system: machine.process())
        lastSeq = report.lastSeq
        cash = report.state.cash
        #expect(report.problems.isEmpty && starts.count == Int(lastSeq))
    }

    /// The start of the line that a byte of the journal belongs to; a newline belongs to the line it ends.
    func lineStart(of offset: Int) -> Int { starts.last { $0 <= offset } ?? 0 }

    /// The account's files with another journal.
    func with(journal: [UInt8], portfolio: Bool = true) -> SimulatedDisk {
        var files = files
        files[AccountFile.journal] = journal
        if !portfolio { files[AccountFile.portfolio] = nil }
        return SimulatedDisk(directory: "account", files: files)
    }

    /// The file with another used part, and as much fill behind it as makes a difference: reading more only takes time.
    func journal(_ used: [UInt8]) -> [UInt8] {
        let rest = files[AccountFile.journal]?.dropFirst(journal.count) ?? []
        return used + rest.prefix(2048)
    }

    /// What a damaged account came to.
    enum Verdict: Equatable {
        /// Found, at this offset of the file.
        case found(StorageError.Kind, at: Int64)
        /// Nothing is wrong with the events: all of them are there.
        case whole
        /// Events were dropped without a word.
        case dropped(after: UInt64)
        /// All the events seem to be there, but they give another account.
        case changed
    }

    func verify(_ disk: SimulatedDisk) -> Verdict {
        do throws(StorageError) {
            let report = try verifyAccount(path: simulatedPath, system: SimulatedMachine(disk).process())
            if let problem = report.problems.first { return .found(problem.kind, at: problem.offset) }
            if report.lastSeq < lastSeq { return .dropped(after: report.lastSeq) }
            return report.state.cash == cash ? .whole : .changed
        } catch {
            return .found(error.kind, at: error.offset)
        }
    }

    func open(_ disk: SimulatedDisk) -> Verdict {
        do throws(StorageError) {
            let store = try DirectoryStore.open(simulatedPath, SimulatedMachine(disk).process())
            if store.state.seq < lastSeq { return .dropped(after: store.state.seq) }
            return store.state.cash == cash ? .whole : .changed
        } catch {
            return .found(error.kind, at: error.offset)
        }
    }
}
