import ArgumentParser
import PaperTrade

/// Which account.
struct AccountArguments: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "The account's directory. Default: the environment variable PAPERTRADE_ACCOUNT, else the current directory.",
            valueName: "path"),
        completion: .directory)
    var account: String?

    @Flag(help: "Trust a network file system, where locks and flushes may lie.")
    var allowNetwork = false

    var path: String { account ?? Console.environment("PAPERTRADE_ACCOUNT") ?? "." }

    var configPath: String { path + "/config.json" }

    /// Opens the account to look at it: without a lock, and without write permission.
    func openReadOnly(clock: Timestamp? = nil) throws(PaperTradeError) -> Account {
        var options = options(clock: clock)
        options.isReadOnly = true
        return try Account(path, options: options)
    }

    /// Options that open an existing account and never make one.
    func options(clock: Timestamp? = nil) -> Options {
        var options = Options()
        options.createsIfMissing = false
        options.allowsNetwork = allowNetwork
        if let clock { options.clock = { clock } }
        options.log = { level, message in
            if level == .warning { Console.warn(message) }
        }
        return options
    }
}

/// How results are printed.
struct OutputArguments: ParsableArguments {
    @Flag(help: "Print JSON for programs; see 'pt --help'.")
    var json = false
}

/// How much is printed, for commands whose exit code says it all.
struct QuietArguments: ParsableArguments {
    @Flag(name: [.short, .long], help: "Print nothing but warnings and errors.")
    var quiet = false
}

/// How a change waits and what its acknowledgement promises.
struct LockArguments: ParsableArguments {
    @Option(help: ArgumentHelp("How long to wait for the account's lock; 0 tries once.", valueName: "seconds|forever"))
    var lockTimeout = "10"

    @Option(help: "What 'done' promises: full survives a power cut, process only a crash of the program.")
    var durability = DurabilityArgument.full

    enum DurabilityArgument: String, ExpressibleByArgument, CaseIterable {
        case full, process
    }

    func apply(to options: inout Options) throws(PaperTradeError) {
        options.lockTimeoutMilliseconds = try timeoutMilliseconds()
        options.durability = durability == .full ? .full : .process
    }

    private func timeoutMilliseconds() throws(PaperTradeError) -> Int64 {
        if lockTimeout == "forever" { return -1 }
        guard let seconds = try? Rate(lockTimeout), !seconds.isNegative else {
            throw PaperTradeError(
                .invalidArgument,
                "--lock-timeout \(printable(lockTimeout)) is not a number of seconds from 0 to 999999999, or forever")
        }
        // A wait that was asked for is never rounded to none.
        return (seconds.micros + 999) / 1000
    }
}

/// What can accompany any change.
struct RequestArguments: ParsableArguments {
    /// The options whose value is a text, taken as it is, also if it looks like an option: programs pass on what they were given.
    static let textOptions: Set<String> = ["--request-id", "--note", "--reason"]

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Makes the command safe to repeat: the same id with the same content changes nothing and prints the first outcome.",
            valueName: "id"))
    var requestId: String?

    @Option(help: ArgumentHelp("Refuse unless this is the account's last event.", valueName: "seq"))
    var expectedSeq: UInt64?

    @Option(parsing: .unconditional, help: ArgumentHelp("Kept with the event; up to 256 bytes.", valueName: "text"))
    var note: String?

    @OptionGroup var when: TimeArguments

    func options() throws(PaperTradeError) -> RequestOptions {
        RequestOptions(id: requestId, expectedSeq: expectedSeq, time: try when.timestamp(), note: note)
    }
}

/// When something happened, for simulations.
struct TimeArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "When it happens, such as 2026-11-23 or 2026-11-23T14:30:00+01:00; without a zone UTC. Default: now.",
            valueName: "time"))
    var time: String?

    func timestamp() throws(PaperTradeError) -> Timestamp? {
        guard let time else { return nil }
        guard let timestamp = Timestamp(time) else {
            throw PaperTradeError(
                .invalidTime, "time \"\(printable(time))\" is not ISO 8601 from 1970 to 9999, such as 2026-11-23T14:30:00Z")
        }
        return timestamp
    }
}

/// Everything that commands which change an account have in common.
struct ChangeArguments: ParsableArguments {
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Request") var request: RequestArguments
    @OptionGroup(title: "Lock") var lock: LockArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    /// Opens the account, makes a change, and prints what it came to.
    func perform(_ change: (Account, RequestOptions) throws(PaperTradeError) -> Receipt) throws(PaperTradeError) {
        let receipt = try withAccount(change)
        report(RecordView(receipt.record).object(isRepeated: receipt.isRepeated), RecordView(receipt.record).outcome(receipt))
    }

    func withAccount<Result>(
        _ body: (Account, RequestOptions) throws(PaperTradeError) -> Result
    ) throws(PaperTradeError) -> Result {
        let request = try request.options()
        var options = account.options(clock: request.time)
        try lock.apply(to: &options)
        do throws(PaperTradeError) {
            let account = try Account(account.path, options: options)
            defer { account.close() }
            return try body(account, request)
        } catch {
            // Said here, because other commands have no --request-id.
            guard [.uncertain, .failedHandle].contains(error.status) else { throw error }
            throw error.adding(" (repeating it with the same --request-id is safe)")
        }
    }

    /// Prints an outcome.
    func report(_ object: @autoclosure () -> JSON, _ sentence: @autoclosure () -> String) {
        Report.done(isQuiet: quiet.quiet, isJSON: output.json, object(), sentence())
    }
}

enum Report {
    /// Prints the outcome of something that is done. It stays done if it cannot be printed, so that is only a warning.
    static func done(isQuiet: Bool, isJSON: Bool, _ object: @autoclosure () -> JSON, _ text: @autoclosure () -> String) {
        guard !isQuiet else { return }
        do throws(OutputError) {
            try Console.print((isJSON ? object().text : text()) + "\n")
        } catch {
            if !error.isBrokenPipe { Console.warn("it is done, but the output cannot be written: \(error)") }
        }
    }
}
