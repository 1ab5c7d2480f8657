import ArgumentParser
import PaperTrade

/// What `pt` tells its caller: the range of the library's status, and the one status that is worth waiting for; and what a shell says of
/// one that a signal ended.
enum ExitCodes: Int32, CaseIterable {
    case success = 0
    case refused = 1
    case usage = 2
    case environment = 3
    case busy = 4
    case data = 5
    case uncertain = 6
    case interrupted = 130
    case terminated = 143

    init(_ status: Status) {
        switch status.rawValue {
        case 0: self = .success
        case 100..<200: self = .refused
        case 200..<300: self = .usage
        case Status.busy.rawValue: self = .busy
        case 300..<400: self = .environment
        case 400..<500: self = .data
        default: self = .uncertain
        }
    }

    private var meaning: String {
        switch self {
        case .success: "done, or done before under the same --request-id"
        case .refused: "refused by a rule: not enough cash, no such position, already queued"
        case .usage: "an argument is wrong, or the command line"
        case .environment: "the environment does not allow it: no account here, read-only, disk full, no analyst"
        case .busy: "busy: another program held the lock until the timeout; try again"
        case .data: "unusable data: a damaged journal, an invalid config.json (cycles, init)"
        case .uncertain: "unknown whether it happened: repeat it with the same --request-id"
        case .interrupted: "ended by Ctrl-C: history --follow, a replay, a cycle that has changed nothing"
        case .terminated: "the same by SIGTERM; a change: as after 6"
        }
    }

    /// For `pt --help`.
    static var help: String {
        let rows = allCases.map { code in
            "  " + String(repeating: " ", count: 3 - "\(code.rawValue)".count) + "\(code.rawValue)  \(code.meaning)"
        }
        return """
            Exit codes; after 1 to 5 nothing has changed, but for the record of a cycle that failed, and what a loop, --times or replay \
            had done before:
            \(rows.joined(separator: "\n"))
            """
    }
}

/// Anything that ends a command, as the one line or object that the user gets.
struct Failure {
    private let error: PaperTradeError
    private let exitCode: ExitCodes
    /// What to print on standard output instead of an error: help that was asked for.
    private var output: String?
    private var isSilent = false

    init(_ thrown: any Error) {
        switch thrown {
        case let error as PaperTradeError:
            self.error = Self.advised(error)
            exitCode = ExitCodes(error.status)
        case let error as OutputError:
            self.error = PaperTradeError(.io, "cannot write the output: \(error)", errno: error.code)
            exitCode = error.isBrokenPipe ? .success : error.isInterrupt ? .interrupted : .environment
            isSilent = error.isBrokenPipe || error.isInterrupt
        case is Interrupted:
            self.error = PaperTradeError(.stopped, "interrupted")
            exitCode = Console.endingCode
            isSilent = true
        default:
            let isRequest = CommandLineTool.exitCode(for: thrown) == .success
            exitCode = isRequest ? .success : .usage
            if isRequest { output = CommandLineTool.fullMessage(for: thrown) + "\n" }
            self.error = PaperTradeError(.invalidArgument, isRequest ? "" : UsageMessage(thrown).text)
        }
    }

    /// Tells the user, and returns the exit code.
    func report() -> ExitCodes {
        if let output {
            do throws(OutputError) {
                try Console.print(output)
                return exitCode
            } catch {
                return Failure(error).report()
            }
        }
        if isSilent { return exitCode }
        if Console.isJSON {
            var members: [(String, JSON)] = [
                ("exit", .number("\(exitCode.rawValue)")), ("code", .number("\(error.status.rawValue)")),
                ("name", .string(error.status.description)), ("message", .string(error.message)),
            ]
            if error.seq > 0 { members.append(("seq", .number("\(error.seq)"))) }
            if error.errno != 0 { members.append(("errno", .number("\(error.errno)"))) }
            if error.offset >= 0 { members.append(("offset", .number("\(error.offset)"))) }
            Console.complain(JSON.object([("error", .object(members))]).text)
        } else {
            Console.complain("pt: \(error.message)")
        }
        return exitCode
    }

    /// The library does not know how users of a command line go on; add that.
    private static func advised(_ error: PaperTradeError) -> PaperTradeError {
        let advice: String
        switch error.status {
        case .noAccount where error.message.hasPrefix("there is no account"):
            advice = ": make one with 'pt init', or say where it is with --account or PAPERTRADE_ACCOUNT"
        case .corrupt where !error.message.contains("'pt recover'"), .missingData where !error.message.contains("'pt recover'"):
            advice = " (here: 'pt verify' and 'pt recover')"
        default: return error
        }
        return error.adding(advice)
    }
}

extension PaperTradeError {
    /// The same error with more words.
    func adding(_ words: String) -> PaperTradeError {
        PaperTradeError(status, message + words, errno: errno, seq: seq, offset: offset)
    }
}

/// What the argument parser says about a wrong command line, in one line that ends with what to run.
private struct UsageMessage {
    let text: String

    init(_ error: any Error) {
        let lines = CommandLineTool.message(for: error).split(separator: "\n").map { printable(trimmed(String($0))) }
        var message = lines.joined(separator: " ")
        // The parser takes -5 for an option.
        if message.hasPrefix("Missing expected") || message.hasPrefix("Unknown option '-") || message.hasPrefix("Missing value"),
            let number = CommandLine.arguments.first(where: Self.isNegativeNumber)
        {
            message = "\(printable(number)) is negative: amounts are given without a sign"
        }
        let help = Self.helpCommand(error)
        if let group = Self.group(of: help) {
            // The parser takes a word that is no subcommand for an argument of the one that runs without a word.
            if message.contains("nexpected argument"), let word = Self.quoted(message) {
                text = "there is no command '\(group) \(word)' (see 'pt \(group) --help')"
                return
            }
        }
        while message.hasSuffix(".") { message.removeLast() }
        text = message.prefix(1).lowercased() + message.dropFirst() + " (see '\(help)')"
    }

    /// `-5`, `-.5`
    private static func isNegativeNumber(_ argument: String) -> Bool {
        guard argument.hasPrefix("-"), let second = argument.utf8.dropFirst().first else { return false }
        return second == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(second)
    }

    /// `queue`, if the help is that of its default subcommand and nobody asked for that: `pt queue list --help` after `pt queue remove`.
    private static func group(of helpCommand: String) -> String? {
        let words = helpCommand.split(separator: " ").map(String.init)
        guard words.count == 4, !CommandLine.arguments.dropFirst().contains(words[2]) else { return nil }
        return words[1]
    }

    /// The first text in quotes.
    private static func quoted(_ message: String) -> String? {
        let pieces = message.split(separator: "'", omittingEmptySubsequences: false)
        return pieces.count > 2 ? String(pieces[1]) : nil
    }

    /// `pt buy --help`, which the parser names at the end of its long message.
    private static func helpCommand(_ error: any Error) -> String {
        let quoted = CommandLineTool.fullMessage(for: error).split(separator: "'", omittingEmptySubsequences: false)
        return quoted.last { $0.hasPrefix("pt") && $0.hasSuffix("-help") }.map(String.init) ?? "pt --help"
    }
}
