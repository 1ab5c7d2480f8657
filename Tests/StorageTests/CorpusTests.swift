import Testing

@testable import Storage

/// What the fuzzer of `Tests/Fuzzing` has found worth keeping, through the same code.
@Suite struct `Every input that the fuzzer kept` {
    private static let corpus = String(#filePath.dropLast("StorageTests/CorpusTests.swift".utf8.count)) + "Fuzzing/Corpus/"

    @Test(arguments: FuzzTarget.allCases)
    func `keeps the promises`(_ target: FuzzTarget) throws {
        let folder = Self.corpus + target.rawValue
        let system = SystemCalls()
        let directory = try system.openDirectory(folder, in: nil)
        defer { try? system.close(directory) }
        let names = try system.names(in: directory).sorted()
        #expect(names.count > 10)
        for name in names {
            let file = try system.open(name, in: directory, .readOnly)
            defer { try? system.close(file) }
            var bytes = [UInt8](repeating: 0, count: Int(try system.status(file).size))
            let count = try bytes.withUnsafeMutableBytes { try system.read(file, into: $0, at: 0) }
            #expect(count == bytes.count)
            #expect(throws: Never.self, "\(target.rawValue)/\(name)") { try target.run(bytes) }
        }
    }
}
