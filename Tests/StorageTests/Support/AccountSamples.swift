import Ledger
import Testing

@testable import Storage

/// Files of one account in every state that opening distinguishes, each made by the library and then damaged.
struct AccountSamples {
    /// The journal's lines, without what follows them.
    let whole: [UInt8]
    let lastSeq: UInt64 = 5
    private(set) var journals: [JournalFinding: [(name: String, bytes: [UInt8]?)]] = [:]
    private(set) var portfolios: [PortfolioFinding: [(name: String, bytes: [UInt8]?)]] = [:]
    private let nextGeneration: [UInt8]

    /// What a crash can leave besides.
    enum Leftover: CaseIterable {
        case nothing, ownTemporary, tornTemporary, editedTemporary, nextJournal, tornNextJournal, sealedJournal

        /// Whether it shows that there was an account.
        var isPart: Bool { self != .nothing && self != .nextJournal && self != .tornNextJournal }
    }

    init() throws {
        let machine = SimulatedMachine()
        func files() -> [String: [UInt8]] { machine.disk.files(in: simulatedPath) }
        func portfolio() throws -> [UInt8] { try #require(files()[AccountFile.portfolio]) }
        func journal() throws -> [UInt8] { try #require(files()[AccountFile.journal]) }
        let note = try Text(String(repeating: "x", count: 256), field: "note")

        var store = try DirectoryStore.open(simulatedPath, machine.process(), creating: true)
        func deposit(_ amount: Int64) throws -> UInt64 {
            try store.lock(Deadline(timeoutMilliseconds: 0, system: store.system))
            defer { store.unlock() }
            try store.catchUp(isLocked: true)
            let now = Timestamp(clamping: store.system.realTime())
            var draft = Draft(on: store.state, at: now)
            _ = try draft.decide(Request(.deposit(Money(clamping: amount)), time: now, note: note))
            try store.commit(draft)
            return store.state.seq
        }
        for amount in 3...4 { try store.sync(through: try deposit(Int64(amount))) }
        try store.publish()
        let behind = try portfolio()
        try store.sync(through: try deposit(5))
        try store.publish()
        let equal = try portfolio()
        let full = try journal()
        let end = Int(store.position.offset)
        whole = Array(full[..<end])
        // The sixth event is written and published, and then the power fails before anybody syncs it.
        _ = try deposit(6)
        let ahead = try portfolio()
        let six = try journal()
        let sixEnd = Int(store.position.offset)
        try store.sync(through: 6)
        try store.publish()
        let lost = try portfolio()

        let otherMachine = SimulatedMachine()
        store = try DirectoryStore.open(
            path: simulatedPath, system: otherMachine.process(), options: StoreOptions(),
            deadline: Deadline(timeoutMilliseconds: 0, system: otherMachine.process())
        ) { _ in NewAccount(accountID: "another", rules: Rules(), initialCash: nil, time: nil) }
        let foreign = try #require(otherMachine.disk.files(in: simulatedPath)[AccountFile.portfolio])
        nextGeneration = try #require(otherMachine.disk.files(in: simulatedPath)[AccountFile.journal])

        // A sector of the sixth line as it was before, fill; which of them makes no difference.
        let boundary = (end / 512 + 1) * 512
        precondition(boundary < sixEnd - 1, "the sixth line lies in two sectors")
        let noBeginning = Self.filling(six, end..<boundary)
        let noEnd = Self.filling(six, boundary..<sixEnd)
        var noDigit = full
        noDigit[end - 4] = noDigit[end - 4] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        journals = [
            .absent: [("no journal", nil)],
            .empty: [("a journal of no bytes", []), ("a journal of newlines", [UInt8](repeating: fill, count: 65_536))],
            .whole: [("a whole journal", full), ("a whole journal without fill", whole)],
            .torn: [("a line without its beginning", noBeginning), ("a line without its end", noEnd)],
            .corrupt: [("a wrong checksum", noDigit), ("a cut journal", Array(full[..<(end - 3)]))],
        ]
        portfolios = [
            .absent: [("no portfolio", nil)],
            .empty: [("a portfolio of no bytes", []), ("a portfolio of zeros", [UInt8](repeating: 0, count: equal.count))],
            .edited: [
                ("an edited portfolio", Self.replacing("10000.0", "99999.0", in: equal)),
                ("half a portfolio", Array(equal[..<200])),
            ],
            .behind: [("a portfolio that is behind", behind)],
            .equal: [("the right portfolio", equal)],
            .ahead: [("a portfolio that is ahead", ahead)],
            .lost: [("a portfolio that knows more", lost)],
            .foreign: [("another account's portfolio", foreign)],
        ]
    }

    func files(journal: [UInt8]?, portfolio: [UInt8]?, _ leftover: Leftover) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        files[AccountFile.journal] = journal
        files[AccountFile.portfolio] = portfolio
        let own = portfolios[.behind]?[0].bytes ?? []
        switch leftover {
        case .nothing: break
        case .ownTemporary: files[AccountFile.portfolioTemporary] = own
        case .tornTemporary: files[AccountFile.portfolioTemporary] = [0] + own[1..<300]
        case .editedTemporary: files[AccountFile.portfolioTemporary] = Self.replacing("10000.0", "77777.0", in: own)
        case .nextJournal: files[AccountFile.nextJournal] = nextGeneration
        case .tornNextJournal: files[AccountFile.nextJournal] = Array(nextGeneration[..<100])
        case .sealedJournal: files[AccountFile.sealedJournal(7)] = whole
        }
        return files
    }

    static func filling(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
        var bytes = bytes
        for index in range { bytes[index] = fill }
        return bytes
    }

    /// The bytes with the first `old` text replaced by `new`, of the same length.
    static func replacing(_ old: String, _ new: String, in bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let (old, new) = (Array(old.utf8), Array(new.utf8))
        if let start = bytes.indices.first(where: { bytes[$0...].starts(with: old) }) {
            bytes.replaceSubrange(start..<start + old.count, with: new)
        }
        return bytes
    }
}
