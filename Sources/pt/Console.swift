import PaperTrade
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output could not be written.
struct OutputError: Error, CustomStringConvertible {
    let code: Int32

    var isBrokenPipe: Bool { code == EPIPE }
    var isInterrupt: Bool { code == EINTR }
    var description: String { errorText(code) }
}

/// Ctrl-C or SIGTERM ended a command before its work was done.
struct Interrupted: Error {}

/// The process's streams, arguments and signals: what a command line needs of the system beside files.
enum Console {
    /// Whether results and errors are JSON. Known before the arguments are parsed, because their errors are concerned too.
    static let isJSON: Bool = {
        var isValue = false
        for argument in CommandLine.arguments.dropFirst() {
            if isValue {
                isValue = false
            } else if argument == "--" {
                return false
            } else if argument == "--json" {
                return true
            } else {
                isValue = RequestArguments.textOptions.contains(argument)
            }
        }
        return false
    }()

    /// The arguments without the program's name.
    ///
    /// - Throws: `invalidArgument` for one that is not UTF-8, which `CommandLine.arguments` would change silently.
    static func arguments() throws(PaperTradeError) -> [String] {
        var result: [String] = []
        for index in 1..<max(Int(CommandLine.argc), 1) {
            guard let start = CommandLine.unsafeArgv[index] else { break }
            guard let argument = String(validatingCString: start) else {
                throw PaperTradeError(.invalidArgument, "argument \(index) is not UTF-8")
            }
            result.append(argument)
        }
        return result
    }

    /// The value of an environment variable; `nil` if it is not set or empty.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// What the system's clock says.
    static func now() -> Timestamp {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Timestamp(clamping: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000)
    }

    static func exit(_ code: ExitCodes) -> Never {
        #if canImport(Glibc)
            Glibc.exit(code.rawValue)
        #elseif canImport(Musl)
            Musl.exit(code.rawValue)
        #else
            Darwin.exit(code.rawValue)
        #endif
    }

    // MARK: Streams

    /// Puts /dev/null in the place of each standard stream that is closed: the next file that is opened would else get its number, and
    /// what is printed. Only to be read, so that printing still fails.
    static func openClosedStreams() {
        for file in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(file, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDONLY)
        }
    }

    /// Writes to standard output.
    static func print(_ text: String, to file: Int32 = STDOUT_FILENO) throws(OutputError) { try write(text, to: file) }

    /// Whether somebody watches standard error on a terminal.
    static var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes over the last line of a terminal.
    static func showProgress(_ text: String) { try? write("\r\u{1B}[K" + text, to: STDERR_FILENO) }

    /// Writes a line to standard error. Nobody can be told if that fails.
    static func complain(_ line: String) { try? write(line + "\n", to: STDERR_FILENO) }

    /// Something that needs attention, though the command goes on.
    static func warn(_ message: String) {
        complain(isJSON ? JSON.object([("warning", .string(message))]).text : "pt: warning: \(message)")
    }

    private static func write(_ text: String, to file: Int32) throws(OutputError) {
        var text = text
        let code = text.withUTF8 { bytes -> Int32 in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                #if canImport(Darwin)
                    let count = Darwin.write(file, rest.baseAddress, rest.count)
                #elseif canImport(Musl)
                    let count = Musl.write(file, rest.baseAddress, rest.count)
                #else
                    let count = Glibc.write(file, rest.baseAddress, rest.count)
                #endif
                if count < 0 && errno == EINTR && !isInterrupted.load(ordering: .relaxed) { continue }
                if count < 0 { return errno }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
            return 0
        }
        if code != 0 { throw OutputError(code: code) }
    }

    // MARK: Signals

    /// A reader that goes away (`pt history | head`) is an error to handle, not a signal to die of: a change must be reported whole.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// From now on Ctrl-C ends a wait instead of the process; see ``checkInterrupted()``.
    static func catchInterrupts() {
        // Touched here first, because making a global is not something a signal handler may do.
        isInterrupted.store(false, ordering: .relaxed)
        var action = sigaction()
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler = { _ in isInterrupted.store(true, ordering: .relaxed) }
        #else
            action.__sigaction_handler.sa_handler = { _ in isInterrupted.store(true, ordering: .relaxed) }
        #endif
        // Without SA_RESTART, so that a write to a reader that has stopped reading ends too.
        sigaction(SIGINT, &action, nil)
    }

    /// From now on Ctrl-C and SIGTERM do not end the process but its waits, and ``isAskedToEnd`` is to be heeded.
    static func catchTermination() {
        // Made here first, because making a global is not something a signal handler may do.
        endingSignal.store(0, ordering: .relaxed)
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for file in ends { _ = fcntl(file, F_SETFD, FD_CLOEXEC) }
            // One byte is enough, and a signal handler must not wait for room for more.
            _ = fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) | O_NONBLOCK)
        }
        terminationReader.store(ends[0], ordering: .relaxed)
        terminationWriter.store(ends[1], ordering: .relaxed)
        var action = sigaction()
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler = noteTermination
        #else
            action.__sigaction_handler.sa_handler = noteTermination
        #endif
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
    }

    static var isAskedToEnd: Bool { endingSignal.load(ordering: .relaxed) != 0 }

    /// What a command that was asked to end before its work was done says to its caller, as a shell would.
    static var endingCode: ExitCodes { endingSignal.load(ordering: .relaxed) == SIGTERM ? .terminated : .interrupted }

    /// A file that is readable as soon as the process is asked to end, and stays so: to be waited for together with others, because a
    /// signal that comes just before a wait does not interrupt it.
    static var termination: pollfd {
        pollfd(fd: terminationReader.load(ordering: .relaxed), events: Int16(POLLIN), revents: 0)
    }

    /// Calls `body` on a thread of its own as soon as the process is asked to end.
    static func whenAskedToEnd(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let context = Unmanaged.passRetained(Box(body)).toOpaque()
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let code = pthread_create(
            &thread, nil,
            { context in
                var termination = Console.termination
                while !Console.isAskedToEnd { _ = poll(&termination, 1, -1) }
                // Optional on one system and not on the other.
                let given: UnsafeMutableRawPointer? = context
                if let given { Unmanaged<Box>.fromOpaque(given).takeRetainedValue().body() }
                return nil
            }, context)
        if code != 0 { Unmanaged<Box>.fromOpaque(context).release() }
    }

    static func checkInterrupted() throws(Interrupted) {
        if isInterrupted.load(ordering: .relaxed) { throw Interrupted() }
    }

    /// Waits, unless the reader of standard output goes away or a signal comes.
    static func wait(milliseconds: Int32) throws(OutputError) {
        var files = [pollfd(fd: STDOUT_FILENO, events: 0, revents: 0), termination]
        guard poll(&files, 2, milliseconds) > 0, files[0].revents != 0 else { return }
        throw OutputError(code: Int32(files[0].revents) & Int32(POLLNVAL) != 0 ? EBADF : EPIPE)
    }
}

/// Standard input, line by line.
struct StandardInput {
    private var received: [UInt8] = []
    private var isAtEnd = false

    /// The next line without its newline; `nil` at the end, and as soon as the process is asked to end.
    mutating func line() -> String? {
        while !Console.isAskedToEnd {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                defer { received.removeSubrange(...end) }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            if isAtEnd {
                defer { received = [] }
                return received.isEmpty ? nil : String(decoding: received, as: UTF8.self)
            }
            var files = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0), Console.termination]
            guard poll(&files, 2, -1) > 0, files[0].revents != 0 else { continue }
            var piece = [UInt8](repeating: 0, count: 1 << 12)
            let count = read(STDIN_FILENO, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            isAtEnd = count <= 0
            received.append(contentsOf: piece[..<max(count, 0)])
        }
        return nil
    }
}

private let isInterrupted = Atomic<Bool>(false)
/// The signal that asked the process to end; 0 if none has.
private let endingSignal = Atomic<Int32>(0)
private let terminationReader = Atomic<Int32>(-1)
private let terminationWriter = Atomic<Int32>(-1)

private let noteTermination: @convention(c) (Int32) -> Void = { signal in
    let code = errno
    endingSignal.store(signal, ordering: .relaxed)
    var byte: UInt8 = 0
    _ = write(terminationWriter.load(ordering: .relaxed), &byte, 1)
    errno = code
}

/// The system's sentence for an error number.
func errorText(_ code: Int32) -> String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
