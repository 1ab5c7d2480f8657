import Testing

@testable import Storage

/// The decision table once more, as text: any difference from the code is one too many.
private let table = """
    journal  absent   empty    edited   behind   equal    ahead    lost     foreign
    absent   create   missing  missing  missing  missing  missing  missing  missing
    empty    missing  missing  missing  missing  missing  missing  missing  missing
    whole    publish  publish  keep     publish  trust    keep     missing  wrong
    torn     wipe     wipe     keepwipe wipe     wipe     keepwipe missing  wrong
    corrupt  corrupt  corrupt  corrupt  corrupt  corrupt  corrupt  corrupt  wrong
    """

private let actions: [String: RecoveryAction] = [
    "create": .create, "trust": .trust, "publish": .publish(keepsOld: false), "keep": .publish(keepsOld: true),
    "wipe": .wipe(keepsOld: false), "keepwipe": .wipe(keepsOld: true), "missing": .stop(.missingData),
    "wrong": .stop(.wrongAccount),
    "corrupt": .stop(.corrupt),
]

@Suite struct `What opening does about what it finds` {
    @Test func `every combination of journal and portfolio has the outcome of the table`() throws {
        let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        let columns = try #require(rows.first).dropFirst()
        #expect(rows.count == JournalFinding.allCases.count + 1)
        #expect(columns.count == PortfolioFinding.allCases.count)
        for row in rows.dropFirst() {
            let journal = try #require(JournalFinding.allCases.first { "\($0)" == row[0] })
            for (column, word) in zip(columns, row.dropFirst()) {
                let portfolio = try #require(PortfolioFinding.allCases.first { "\($0)" == column })
                #expect(recoveryAction(journal, portfolio) == actions[word], "\(journal) × \(portfolio)")
            }
        }
    }

    @Test func `every combination, built of real files, has the outcome of the table, and doing it twice is doing it once`()
        throws
    {
        let samples = try AccountSamples()
        var count = 0
        for journal in JournalFinding.allCases {
            for portfolio in PortfolioFinding.allCases {
                for (journalName, journalBytes) in samples.journals[journal] ?? [] {
                    for (portfolioName, portfolioBytes) in samples.portfolios[portfolio] ?? [] {
                        for leftover in AccountSamples.Leftover.allCases {
                            let files = samples.files(journal: journalBytes, portfolio: portfolioBytes, leftover)
                            let action = expectedAction(journal, portfolio, leftover)
                            let problem = try problem(opening: files, journal, action, leftover, samples)
                            #expect(problem == nil, "\(journalName) × \(portfolioName) × \(leftover)")
                            count += 1
                        }
                    }
                }
            }
        }
        print("\(count) combinations of files")
        #expect(count >= JournalFinding.allCases.count * PortfolioFinding.allCases.count * AccountSamples.Leftover.allCases.count)
    }

    private func expectedAction(_ journal: JournalFinding, _ portfolio: PortfolioFinding, _ leftover: AccountSamples.Leftover)
        -> RecoveryAction
    {
        // Leftovers of an account without a journal are parts of one.
        if journal == .absent && portfolio == .absent && leftover.isPart { return .stop(.missingData) }
        // What is known to be synced is never torn: it is damage.
        if journal == .torn && portfolio == .lost { return .stop(.corrupt) }
        return recoveryAction(journal, portfolio)
    }

    /// What is wrong with how these files open, `nil` if nothing.
    private func problem(
        opening files: [String: [UInt8]], _ journal: JournalFinding, _ action: RecoveryAction,
        _ leftover: AccountSamples.Leftover,
        _ samples: AccountSamples
    ) throws -> String? {
        let disk = SimulatedDisk(directory: "account", files: files)
        let machine = SimulatedMachine(disk)
        let process = machine.process()
        let store: DirectoryStore
        do throws(StorageError) {
            store = try DirectoryStore.open(simulatedPath, process, creating: true)
        } catch {
            guard case .stop(let kind) = action else { return "it does not open: \(error)" }
            guard error.kind == kind else { return "it stops with \(error.kind): \(error)" }
            guard machine.disk.fingerprint(of: simulatedPath) == disk.fingerprint(of: simulatedPath) else {
                return "it stopped and changed files"
            }
            return nil
        }
        if case .stop = action { return "it opens" }
        let after = machine.disk.files(in: simulatedPath)
        guard after[AccountFile.portfolioTemporary] == nil, after[AccountFile.nextJournal] == nil else {
            return "leftovers are left"
        }
        if action == .create { return store.state.seq == 2 ? nil : "the new account is at \(store.state.seq)" }
        guard store.state.seq == samples.lastSeq else { return "it opens at event \(store.state.seq)" }
        guard Array(after[AccountFile.journal]?.prefix(samples.whole.count) ?? []) == samples.whole else {
            return "the journal is another one"
        }
        guard after[AccountFile.journal]?.dropFirst(samples.whole.count).allSatisfy({ $0 == fill }) == true else {
            return "the tail is left"
        }

        let kept = after.filter { $0.key.hasPrefix("portfolio.json.edited-") }.map(\.value)
        var expected: [[UInt8]] = []
        if action == .publish(keepsOld: true) || action == .wipe(keepsOld: true), let old = files[AccountFile.portfolio] {
            expected.append(old)
        }
        if leftover == .editedTemporary, let edit = files[AccountFile.portfolioTemporary] { expected.append(edit) }
        guard Set(kept) == Set(expected), kept.count == expected.count else {
            return "\(kept.count) files were kept, not \(expected.count)"
        }

        let report = try verifyAccount(path: simulatedPath, system: process)
        guard report.problems.isEmpty, report.isPortfolioCurrent, !report.hasUnfinishedTail else {
            return "verify finds \(report)"
        }
        _ = try DirectoryStore.open(simulatedPath, process)
        guard machine.disk.files(in: simulatedPath).filter({ $0.key != ".lock" }) == after.filter({ $0.key != ".lock" }) else {
            return "the second open changes something"
        }
        return nil
    }
}
