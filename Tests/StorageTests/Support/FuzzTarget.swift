import Ledger
import PaperTrade

@testable import Storage

/// What is done with any bytes at all: by the fuzzer in `Tests/Fuzzing`, and with the inputs it has kept by the ordinary tests.
///
/// Everything happens on a machine in memory. Whatever the bytes are, nothing may trap, and what is required here must hold. Reading takes
/// microseconds and is always done; using the account around what was read takes a hundred times as long.
enum FuzzTarget: String, CaseIterable {
    case journal, portfolio, config
    case takeOver = "import"

    /// A promise that did not hold.
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter wholly: use the account too.
    func run(_ bytes: [UInt8], wholly: Bool = true) throws(Broken) {
        switch self {
        case .journal:
            let text = sealedJournal(bytes)
            try Self.readLines(text)
            if wholly { try Self.useJournal(text) }
        case .portfolio:
            let text = sealedPortfolio(bytes)
            try Self.readPortfolio(text)
            if wholly { try Self.usePortfolio(text, isOurs: text == bytes) }
        case .config:
            let rules = try Self.readConfig(bytes)
            if wholly { try Self.useConfig(bytes, rules) }
        case .takeOver:
            let files = Self.oldFiles(bytes)
            let isReadable = Self.read(files)
            if wholly { try Self.takeOver(files, isReadable: isReadable) }
        }
    }

    private static func require(_ holds: Bool, _ sentence: @autoclosure () -> String) throws(Broken) {
        if !holds { throw Broken(description: sentence()) }
    }

    // MARK: journal.jsonl

    /// A journal alone. What verify proves can be opened, traded unless the amounts leave no room, and needs no recovery. What it does not
    /// prove is recovered, and proved then, unless not even its first commit is whole, or its format is newer.
    private static func useJournal(_ text: [UInt8]) throws(Broken) {
        let disk = SimulatedDisk(directory: "account", files: [AccountFile.journal: text])
        let machine = SimulatedMachine(disk)
        let report = verify(machine)
        let isProved = report?.problems.isEmpty == true
        switch open(machine) {
        case .success(let account):
            let summary = try? account.summary()
            if isProved { try require(summary?.seq == report?.lastSeq, "it opens at another event than verify reads up to") }
            let deposited = deposit(account)
            account.close()
            if isProved {
                let hasRoom = try hasRoom(deposited)
                let later = verify(machine)
                try require(later?.problems.isEmpty == true, "proved, opened, and then not proved: \(first(later))")
                let expected = report.map { $0.lastSeq + (hasRoom ? 1 : 0) }
                try require(later?.lastSeq == expected, "the deposit is not the next event, or was refused and has happened")
            }
        case .failure(let error): try require(!isProved, "verify finds nothing, but it does not open: \(error)")
        }
        try recover(SimulatedMachine(disk), isProved: isProved, hasBeginning: hasBeginning(text))
    }

    private static func recover(_ machine: SimulatedMachine, isProved: Bool, hasBeginning: Bool) throws(Broken) {
        let recovered = Result { () throws(PaperTradeError) in
            try Account.recover(simulatedPath, options: options(machine))
        }
        switch recovered {
        case .success(let report):
            try require((report.seq == 0) == isProved, "\(isProved ? "" : "not ")proved, and recovered as event \(report.seq)")
            let proof = verify(machine)
            try require(proof?.problems.isEmpty == true, "recovered, but not proved: \(first(proof))")
            switch open(machine) {
            case .success(let account):
                _ = try hasRoom(deposit(account))
                account.close()
            case .failure(let error): throw Broken(description: "recovered, but it does not open: \(error)")
            }
        case .failure(let error):
            try require(!isProved, "proved, but recovery fails: \(error)")
            let isRight = error.status == .missingData ? !hasBeginning : error.status == .newerFormat
            try require(isRight, "it cannot be recovered: \(error.status): \(error)")
        }
    }

    /// Whether the first commit of a journal is whole: what a recovery can rest on.
    private static func hasBeginning(_ text: [UInt8]) -> Bool {
        var state = AccountState()
        var previous: JournalLine?
        for bytes in text.split(separator: fill, omittingEmptySubsequences: false).dropLast() {
            guard let line = JournalLine(firstOf: Array(bytes) + [fill]), line.previousCRC == previous?.crc ?? line.previousCRC,
                (try? state.prove(line.record)) != nil
            else { return false }
            if !line.more { return state.invariantHolds }
            previous = line
        }
        return false
    }

    private static func deposit(_ account: Account) -> Result<Receipt, PaperTradeError> {
        Result { () throws(PaperTradeError) in try account.deposit(Money(clamping: 1)) }
    }

    /// Whether the deposit was made. It may only be refused because the amounts leave no room for it.
    private static func hasRoom(_ deposited: Result<Receipt, PaperTradeError>) throws(Broken) -> Bool {
        guard case .failure(let error) = deposited else { return true }
        try require(error.status == .outOfRange, "a sound account cannot be traded: \(error.status): \(error)")
        return false
    }

    /// A line that is read is written again byte for byte: there is one way to write an event. Only rules may be written with keys
    /// that an older line did not have.
    private static func readLines(_ text: [UInt8]) throws(Broken) {
        var offset = 0
        for bytes in text.split(separator: fill, omittingEmptySubsequences: false) {
            defer { offset += bytes.count + 1 }
            if let line = JournalLine(firstOf: Array(bytes) + [fill]) {
                var writer = LineWriter()
                _ = writer.appendLine(
                    line.record, ticket: line.ticket, durableSeq: line.durableSeq, more: line.more, previousCRC: line.previousCRC,
                    at: Int64(offset))
                try require(JournalLine(firstOf: writer.bytes)?.record == line.record, "written and read, another event")
                if case .acceptedRules = line.record.event { continue }
                let again = String(decoding: writer.bytes.dropLast(), as: UTF8.self)
                let text = String(decoding: bytes, as: UTF8.self)
                try require(trimmed(again) == trimmed(text), "read and written again\n\(text)\nis\n\(again)")
            }
        }
    }

    private static func trimmed(_ line: String) -> Substring { line.last == " " ? line.dropLast() : line[...] }

    // MARK: portfolio.json

    private static func readPortfolio(_ text: [UInt8]) throws(Broken) {
        if let portfolio = try? Portfolio(text) {
            var writer = PortfolioWriter()
            let again = (try? writer.write(portfolio.state, portfolio.reference)).flatMap { try? Portfolio($0) }
            try require(again?.state == portfolio.state, "read, written and read again it is another state")
            try require(again?.reference == portfolio.reference, "read, written and read again it rests on another line")
        }
    }

    /// A portfolio.json beside a good journal: it is never more than a view, unless somebody computed its checksum.
    private static func usePortfolio(_ text: [UInt8], isOurs: Bool) throws(Broken) {
        var files = accountFiles
        files[AccountFile.portfolio] = text
        let machine = SimulatedMachine(SimulatedDisk(directory: "account", files: files))
        switch open(machine) {
        case .success(let account):
            if isOurs { try require((try? account.summary().seq) == accountSeq, "an edited portfolio.json changed the account") }
            _ = try hasRoom(deposit(account))
            account.close()
        case .failure(let error):
            // What somebody else sealed may speak of events that there are not.
            let isUsable = (try? Portfolio.usable(text)) != nil || error.status == .newerFormat
            try require(!isOurs && isUsable, "a portfolio.json that says nothing keeps the account from opening: \(error)")
        }
        if isOurs { try require(verify(machine)?.problems.isEmpty == true, "not proved afterwards: \(first(verify(machine)))") }
    }

    /// An account with positions, a queue and a sale, closed cleanly.
    private static let accountFiles: [String: [UInt8]] = {
        let machine = SimulatedMachine()
        if case .success(let account) = open(machine) {
            _ = try? account.buy("AAPL", 3, at: 101.25, RequestOptions(id: "monday", note: "a\"b\\c\u{7}é"))
            _ = try? account.buy("BRK.B", 0.000001, at: 999_999.5)
            _ = try? account.sell("AAPL", 1.5, at: 99.999999)
            if let symbol = try? Symbol("NVDA"), let score = try? Rate(82.5),
                let opportunity = try? Opportunity(
                    symbol: symbol, signal: .strongBuy, score: score, price: nil, reason: Text("é", field: "reason"))
            {
                _ = try? account.enqueue(opportunity)
            }
            account.close()
        }
        return machine.disk.files(in: simulatedPath).filter { AccountFile.isPart($0.key) }
    }()

    private static let accountSeq = verify(SimulatedMachine(SimulatedDisk(directory: "account", files: accountFiles)))?.lastSeq

    // MARK: config.json

    /// Rules that are accepted survive being written and read again.
    private static func readConfig(_ text: [UInt8]) throws(Broken) -> Rules? {
        let rules = try? ConfigFile.rules(from: text, path: "config.json")
        if let rules {
            let again = try? ConfigFile.rules(from: ConfigFile.text(rules), path: "config.json")
            try require(again == rules, "written and read again these are other rules")
        }
        return rules
    }

    /// A new account has the rules; if they are wrong there is none.
    private static func useConfig(_ text: [UInt8], _ rules: Rules?) throws(Broken) {
        let machine = SimulatedMachine(SimulatedDisk(directory: "account", files: [AccountFile.config: text]))
        switch open(machine) {
        case .success(let account):
            account.close()
            let summary = try? Account(simulatedPath, options: options(machine)).summary()
            try require(rules != nil && summary?.cash == rules?.initialCash, "the new account does not have the rules' cash")
        case .failure(let error):
            try require(rules == nil, "these rules are valid, but there is no new account: \(error)")
            try require(error.status == .invalidConfig, "the status is \(error.status), not that of a bad config.json")
        }
    }

    // MARK: The older system's files

    /// Its three files, one after the other, with a line `%%` in between.
    private static func oldFiles(_ bytes: [UInt8]) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        var rest = bytes[...]
        for name in ["paper_portfolio.json", OldFiles.logName, OldFiles.queueName] {
            let end = rest.indices.first { rest[$0] == fill && rest[$0...].starts(with: "\n%%\n".utf8) }
            files[name] = Array(rest[..<(end ?? rest.endIndex)])
            guard let end else { break }
            rest = rest[(end + 4)...]
        }
        return files
    }

    private static func read(_ files: [String: [UInt8]]) -> Bool {
        let system = SimulatedMachine(SimulatedDisk(directory: "old", files: files)).process()
        return (try? Import.read(oldPortfolio: "/old/paper_portfolio.json", system: system)) != nil
    }

    /// What is read is taken over and proved.
    private static func takeOver(_ files: [String: [UInt8]], isReadable: Bool) throws(Broken) {
        let machine = SimulatedMachine(SimulatedDisk(directory: "old", files: files))
        let imported = Result { () throws(PaperTradeError) in
            try Account.importing("/old/paper_portfolio.json", into: simulatedPath, options: options(machine))
        }
        switch imported {
        case .success(let report):
            let proof = verify(machine)
            let isProved = proof?.problems.isEmpty == true && proof?.lastSeq == report.seq
            try require(isProved, "imported, but not proved: \(first(proof))")
        case .failure(let error):
            try require(!isReadable && error.status == .invalidImport, "the status is \(error.status): \(error.message)")
        }
    }

    // MARK: Accounts

    private static func options(_ machine: SimulatedMachine) -> Options {
        var options = Options()
        options.accountID = "fuzz"
        options.lockTimeoutMilliseconds = 0
        options.system = machine.process()
        return options
    }

    private static func open(_ machine: SimulatedMachine) -> Result<Account, PaperTradeError> {
        Result { () throws(PaperTradeError) in try Account(simulatedPath, options: options(machine)) }
    }

    private static func verify(_ machine: SimulatedMachine) -> VerifyReport? {
        try? Account.verify(simulatedPath, system: machine.process())
    }

    private static func first(_ report: VerifyReport?) -> String {
        report.map { $0.problems.first?.description ?? "no problem" } ?? "it cannot be read"
    }
}

// MARK: Checksums

/// A fuzzer cannot guess checksums. A journal that starts with `s` has all of them computed, one that starts with `n` also its lines
/// numbered; `r`, or anything else, leaves it as it is.
private func sealedJournal(_ bytes: [UInt8]) -> [UInt8] {
    guard let mode = bytes.first, mode == UInt8(ascii: "s") || mode == UInt8(ascii: "n") else { return bytes }
    var text: [UInt8] = []
    var previous: UInt32 = 0
    var seq = 1
    for line in bytes.dropFirst().split(separator: fill) {
        var body = Array(line)
        if body.last == UInt8(ascii: " ") { body.removeLast() }
        let isSealed = body.count > 36 && body.suffix(36).starts(with: ",\"prev\":\"".utf8)
        body.removeLast(isSealed ? 36 : body.last == UInt8(ascii: "}") ? 1 : 0)
        if mode == UInt8(ascii: "n"), body.starts(with: "{\"seq\":".utf8) {
            let end = body.dropFirst(7).firstIndex { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? body.count
            body.replaceSubrange(7..<end, with: "\(seq)".utf8)
        }
        body += ",\"prev\":\"\(hexadecimal(previous))\"".utf8
        previous = body.withUnsafeBytes { CRC32C.checksum($0) }
        seq += 1
        text += body + ",\"crc\":\"\(hexadecimal(previous))\"}\n".utf8
    }
    return text
}

/// A portfolio that starts with `s` is given its checksum.
func sealedPortfolio(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.first == UInt8(ascii: "s") else { return bytes }
    var text = Array(bytes.dropFirst())
    let start = Array(",\n  \"checksum\": \"crc32c:".utf8)
    if let place = text.indices.last(where: { text[$0] == start[0] && text[$0...].starts(with: start) }) {
        text.removeLast(text.count - place)
    }
    let checksum = text.withUnsafeBytes { CRC32C.checksum($0) }
    return text + start + "\(hexadecimal(checksum))\"\n}\n".utf8
}
