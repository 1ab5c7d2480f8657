import ArgumentParser
import CPaperTrade
import PaperTrade
import PaperTradeC

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process in which a shared library with an analyst runs, so that whatever it does there harms nobody else.
struct AnalystHostCommand: ParsableCommand {
    static let name = "analyst-host"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Answer questions with a shared library.", shouldDisplay: false)

    @Argument(help: "The library.") var library: String

    func run() throws {
        let answers = Self.claimStandardOutput()
        let analyst: Analyst
        do throws(PaperTradeError) {
            analyst = try Self.load(library)
        } catch {
            return try Console.print(AnalysisCoding.failure(error.message) + "\n", to: answers)
        }
        try Console.print(AnalysisCoding.greeting() + "\n", to: answers)
        while let line = readLine(strippingNewline: true) {
            try Console.print(Self.answer(to: Array(line.utf8), analyst) + "\n", to: answers)
        }
    }

    /// What the library prints must not come between the answers: it goes to standard error.
    private static func claimStandardOutput() -> Int32 {
        let answers = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        guard answers >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else { return STDOUT_FILENO }
        return answers
    }

    private static func load(_ path: String) throws(PaperTradeError) -> Analyst {
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else { throw failure(path, "cannot be loaded") }
        guard let function = dlsym(library, "pt_analyst") else { throw failure(path, "exports no pt_analyst") }
        return try swiftAnalyst(unsafeBitCast(function, to: pt_analyst_fn.self), nil)
    }

    private static func failure(_ path: String, _ what: String) -> PaperTradeError {
        let reason = dlerror().map { String(cString: $0) } ?? "unknown"
        return PaperTradeError(.invalidArgument, "the analyst \(printable(path)) \(what): \(printable(reason))")
    }

    private static func answer(to line: [UInt8], _ analyst: Analyst) -> String {
        do {
            let (symbol, time) = try AnalysisCoding.question(in: line)
            return AnalysisCoding.answer(try analyst(symbol, time), of: symbol)
        } catch {
            return AnalysisCoding.failure("\(error)")
        }
    }
}
