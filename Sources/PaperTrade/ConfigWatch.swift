import Ledger
import Storage

/// `config.json` as a document.
public enum Config {
    /// The rules that the `config.json` in `directory` states; the defaults if there is none.
    ///
    /// - Throws: `invalidConfig` with file, line, key and what was expected.
    public static func rules(in directory: String, system: any System = SystemCalls()) throws(PaperTradeError) -> Rules {
        try translated { () throws(StorageError) in
            guard let text = try AccountFiles.config(in: directory, system: system) else { return Rules() }
            return try ConfigFile.rules(from: text, path: directory + "/config.json")
        }
    }

    /// A complete `config.json` with these rules.
    public static func text(_ rules: Rules) -> String { String(decoding: ConfigFile.text(rules), as: UTF8.self) }
}

/// Notices when `config.json` changes, and remembers what it last said.
struct ConfigWatch: Sendable {
    private var known: FileStatus?
    /// Whether the file had settled when it was read.
    private var hadSettled = false
    private var text: [UInt8]??
    /// What the file said when it was last read.
    private(set) var outcome: Result<Rules, StorageError> = .success(Rules())
    private var notices: [Notice] = []

    /// A file this young may change again without its time showing it, so it is compared by content.
    private static let settlingNanoseconds: Int64 = 2_000_000_000

    /// Reads the rules; `nil` if there is no file.
    static func read(_ files: AccountFiles) throws(StorageError) -> Rules? {
        guard let text = try files.config() else { return nil }
        return try ConfigFile.rules(from: text, path: files.configPath)
    }

    /// Looks whether the file has changed; after this `outcome` is what it says now.
    mutating func refresh(_ files: AccountFiles, realTime: Int64) throws(StorageError) {
        let status = try files.configStatus()
        if let text, status == known, hadSettled || status == nil && text == nil { return }
        let newText: [UInt8]?
        do throws(StorageError) {
            newText = try files.config()
        } catch {
            // Too large: as invalid as one with a mistake. It is looked at again.
            guard error.kind == .invalidConfig else { throw error }
            text = nil
            return fail(error)
        }
        known = status
        hadSettled = status.map { Self.hasSettled($0, realTime) } ?? false
        if let text, text == newText { return }
        let isGone = newText == nil && text.map { $0 != nil } ?? false
        text = .some(newText)
        guard let newText else {
            outcome = .success(Rules())
            if isGone {
                notices.append(Notice(isWarning: true, message: "\(files.configPath) is gone: the default rules are in force"))
            }
            return
        }
        do throws(StorageError) {
            outcome = .success(try ConfigFile.rules(from: newText, path: files.configPath))
        } catch {
            guard error.kind != .noMemory else {
                // Nothing is known about the file yet: the next call reads it again.
                text = nil
                throw error
            }
            fail(error)
        }
    }

    private mutating func fail(_ error: StorageError) {
        if case .failure(let known) = outcome, known == error { return }
        outcome = .failure(error)
        notices.append(
            Notice(isWarning: true, message: "\(error.description); the account goes on under the rules accepted before"))
    }

    /// Whether the file is too old for a change that its time does not show. Times can be anything.
    private static func hasSettled(_ status: FileStatus, _ realTime: Int64) -> Bool {
        let (now, isTooLarge) = realTime.multipliedReportingOverflow(by: 1000)
        let (age, hasOverflowed) = now.subtractingReportingOverflow(status.modified)
        return !isTooLarge && !hasOverflowed && age > settlingNanoseconds
    }

    mutating func takeNotices() -> [Notice] {
        defer { notices.removeAll() }
        return notices
    }
}

extension Account {
    /// The rules that `config.json` asks for, if it has changed validly. Inside `view`.
    func wantedRules() throws(StorageError) -> Rules? {
        let files = store.files
        let realTime = system.realTime()
        let outcome = try config.withLock { (watch) throws(StorageError) in
            try watch.refresh(files, realTime: realTime)
            return watch.outcome
        }
        guard case .success(let rules) = outcome, rules != store.state.rules else { return nil }
        return rules
    }

    /// What `config.json` says if it is valid, else the rules accepted last.
    func currentRules() throws(PaperTradeError) -> Rules {
        try checkUsable(isReading: true)
        return try translated { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in try wantedRules() ?? store.state.rules }
        }
    }

    /// What `config.json` says.
    ///
    /// - Throws: `invalidConfig`
    func validRules() throws(PaperTradeError) -> Rules {
        let rules = try currentRules()
        if case .failure(let error) = config.withLock({ $0.outcome }) { throw PaperTradeError(error) }
        return rules
    }

    /// At open: reads the file, so that a warning about it comes at once. What it says is recorded by the next change.
    func readConfig() throws(PaperTradeError) {
        _ = try translated { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in try wantedRules() }
        }
    }

    /// Brings the account up to date: reads what other processes have committed and `config.json`, and publishes `portfolio.json`
    /// again if it was edited or is behind. Changed rules are recorded as one event.
    ///
    /// - Throws: `invalidConfig` with file, line and key; the accepted rules stay in force. `busy`, `readOnly` and the errors of any change.
    public func reload() throws(PaperTradeError) {
        try checkUsable(isReading: false)
        guard !options.isReadOnly else {
            try translated { () throws(StorageError) in
                try view.withLock { _ throws(StorageError) in try store.catchUp(isLocked: false) }
            }
            return
        }
        try reloadRules()
        if case .failure(let error) = config.withLock({ $0.outcome }) { throw PaperTradeError(error) }
    }

    private func reloadRules() throws(PaperTradeError) {
        guard !(gate.isInside && batch != nil) else { throw PaperTradeError(.misuse, "a reload is not allowed inside a batch") }
        let time = try now()
        var seq: UInt64 = 0
        try criticalSection(deadline(nil)) { () throws(StorageError) in
            try view.withLock { _ throws(StorageError) in
                try store.catchUp(isLocked: true)
                var draft = newDraft()
                try acceptRules(into: &draft, time: time)
                try store.commit(draft)
                seq = draft.records.last?.seq ?? 0
                try store.publish()
            }
        }
        try finish(through: seq)
    }
}
