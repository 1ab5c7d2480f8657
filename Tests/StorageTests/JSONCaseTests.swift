import Ledger
import Testing

@testable import Storage

/// Every text of ``JSONCase``, by itself and inside each kind of file that is read as JSON.
@Suite struct `Of JSON` {
    /// What must be refused, and was or was not.
    private let tally = Locked((refused: 0, accepted: 0))

    private func count(_ one: JSONCase, accepted: Bool) {
        guard one.expectation == .refused else { return }
        tally.withLock { if accepted { $0.accepted += 1 } else { $0.refused += 1 } }
    }

    /// For whoever adds up what was tried: a crash would have left no line.
    private func report() {
        let tally = tally.withLock { $0 }
        print("RESULT json: refused=\(tally.refused) accepted=\(tally.accepted) crashes=0")
    }

    private func value(_ text: [UInt8]) -> JSONValue? { text.withUnsafeBytes { try? JSONValue(parsing: $0) } }

    private func config(_ text: [UInt8]) -> Result<Rules, StorageError> {
        Result { () throws(StorageError) in try ConfigFile.rules(from: text, path: "config.json") }
    }

    /// The old portfolio as it is imported.
    private func taken(_ text: [UInt8]) -> Result<ImportedAccount, StorageError> {
        let machine = SimulatedMachine(SimulatedDisk(directory: "old", files: ["paper_portfolio.json": text]))
        return Result { () throws(StorageError) in
            try Import.read(oldPortfolio: "/old/paper_portfolio.json", system: machine.process())
        }
    }

    private func expect(
        _ accepted: Bool, _ one: JSONCase, _ place: String, _ location: SourceLocation = #_sourceLocation
    ) {
        count(one, accepted: accepted)
        switch one.expectation {
        case .accepted: #expect(accepted, "\(one.name), \(place)", sourceLocation: location)
        case .refused: #expect(!accepted, "\(one.name), \(place)", sourceLocation: location)
        case .either: break
        }
    }

    @Test func `texts there are enough, each with a name of its own`() {
        #expect(JSONCase.all.count > 250)
        #expect(Set(JSONCase.all.map(\.name)).count == JSONCase.all.count)
    }

    @Test func `what is right is read, and nothing else`() {
        defer { report() }
        for one in JSONCase.all { expect(value(one.text) != nil, one, "alone") }
    }

    @Test func `what is wrong is no config.json, whole or inside one`() {
        defer { report() }
        for one in JSONCase.all where one.expectation == .refused {
            for (start, end) in [("", ""), (#"{"initial_cash": 1, "queue": "#, "}"), (#"{"commission": {"minimum": "#, "}}")] {
                // The one scalar that is right there.
                if one.name == "scalar number" && start.contains("minimum") { continue }
                let read = config(start.utf8 + one.text + end.utf8)
                count(one, accepted: (try? read.get()) != nil)
                switch read {
                case .success: Issue.record("\(one.name) is accepted after \(start)")
                case .failure(let error):
                    #expect(error.kind == .invalidConfig && isSentence(error.description), "\(one.name): \(error.description)")
                }
            }
        }
    }

    @Test func `what is right may stand in an old portfolio where nobody looks, what is wrong may not`() {
        defer { report() }
        for one in JSONCase.all {
            let start = #"{"cash": 1, "positions": {}, "created_at": "2026-11-01T10:00:00", "metadata": "#
            let whole = taken(one.text)
            count(one, accepted: (try? whole.get()) != nil)
            if case .failure(let error) = whole {
                #expect(error.kind == .invalidImport && isSentence(error.description), "\(one.name): \(error.description)")
            } else {
                Issue.record("\(one.name) is a portfolio")
            }
            if one.isScalar { continue }
            let inside = taken(start.utf8 + one.text + "}".utf8)
            expect((try? inside.get()) != nil, one, "inside an old portfolio")
            if case .failure(let error) = inside { #expect(error.kind == .invalidImport && isSentence(error.description)) }
        }
    }

    @Test func `what is wrong is no portfolio.json, even with the right checksum`() throws {
        defer { report() }
        let machine = try SimulatedMachine.withAccount()
        let right = try #require(machine.disk.files(in: simulatedPath)[AccountFile.portfolio])
        let text = String(decoding: right, as: UTF8.self)
        let start = "s" + text[..<(try #require(text.firstRange(of: ",\n  \"checksum\"")).lowerBound)] + ",\n  \"more\": "
        for one in JSONCase.all {
            let isPortfolio = (try? Portfolio(sealedPortfolio(Array("s".utf8) + one.text))) != nil
            count(one, accepted: isPortfolio)
            #expect(!isPortfolio, "\(one.name)")
            if one.isScalar { continue }
            expect((try? Portfolio(sealedPortfolio(start.utf8 + one.text))) != nil, one, "inside portfolio.json")
        }
    }

    @Test func `a file that is too large is refused by its size, without reading it`() throws {
        let directory = try TemporaryDirectory()
        for (name, size) in [("config.json", Int64(1) << 40), ("paper_portfolio.json", 1 << 40)] {
            try directory.write(Array("{}".utf8), to: name)
            let system = SystemCalls()
            let folder = try system.openDirectory(directory.path, in: nil)
            let file = try system.open(name, in: folder, .readWrite)
            try system.truncate(file, to: size)
            try system.close(file)
            try system.close(folder)
        }
        let files = Result { () throws(StorageError) in try AccountFiles.config(in: directory.path, system: SystemCalls()) }
        guard case .failure(let error) = files else { throw FuzzTarget.Broken(description: "a config.json of 1 TB is read") }
        #expect(error.description.contains("1099511627776 bytes"), "\(error.description)")
        let imported = Result { () throws(StorageError) in
            try Import.read(oldPortfolio: directory.path("paper_portfolio.json"), system: SystemCalls())
        }
        guard case .failure(let error) = imported else { throw FuzzTarget.Broken(description: "a portfolio of 1 TB is read") }
        #expect(error.kind == .invalidImport && error.description.contains("1099511627776 bytes"), "\(error.description)")
    }

    private func isSentence(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}
