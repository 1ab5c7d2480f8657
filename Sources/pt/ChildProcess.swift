import PaperTrade

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A program that is spoken to line by line, through its standard input and output; its standard error is ours.
///
/// It leads a process group of its own, so that ending it ends what it started, and Ctrl-C reaches only us.
final class ChildProcess {
    private let processID: pid_t
    private var input: Int32
    private let output: Int32
    private var received: [UInt8] = []
    private var isEnded = false

    /// What came of waiting for a line.
    enum Answer {
        case line([UInt8])
        /// It has ended, or closed its output.
        case ended
        case timeout
        /// More than the limit without a newline.
        case tooLong
        /// We were asked to end meanwhile.
        case interrupted
    }

    /// - Throws: `io` if the program cannot be started.
    init(_ program: String, _ arguments: [String]) throws(PaperTradeError) {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard pipe(&toChild) == 0 else { throw Self.failure("make a pipe to", program, errno) }
        guard pipe(&fromChild) == 0 else {
            let code = errno
            for file in toChild { _ = close(file) }
            throw Self.failure("make a pipe to", program, code)
        }
        for file in toChild + fromChild { _ = fcntl(file, F_SETFD, FD_CLOEXEC) }
        (input, output) = (toChild[1], fromChild[0])
        var code: Int32 = 0
        processID = Self.spawn(program, arguments, input: toChild[0], output: fromChild[1], &code)
        _ = close(toChild[0])
        _ = close(fromChild[1])
        guard code == 0 else {
            isEnded = true
            _ = close(input)
            _ = close(output)
            throw Self.failure("start", program, code)
        }
    }

    deinit { end() }

    private static func spawn(
        _ program: String, _ arguments: [String], input: Int32, output: Int32, _ code: inout Int32
    ) -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        // Not our ignored SIGPIPE, and a process group of its own.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGDEF))
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var processID: pid_t = 0
        code = posix_spawn(&processID, program, &actions, &attributes, &words, environ)
        return processID
    }

    /// Sends a line; `false` if the program does not read any more.
    func send(_ line: String) -> Bool {
        var rest = Array((line + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// What it has said so far that was not received, its first line at most; `nil` if that is nothing.
    func unheard() -> String? {
        var readable = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        if received.isEmpty, poll(&readable, 1, 0) > 0 {
            var piece = [UInt8](repeating: 0, count: 1 << 12)
            let count = read(output, &piece, piece.count)
            received += piece[..<max(count, 0)]
        }
        return received.isEmpty ? nil : String(decoding: received.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// The next line, without its newline.
    ///
    /// - Parameter isInterruptible: do not wait on once we are asked to end.
    func receive(withinMilliseconds timeout: Int64, limit: Int, isInterruptible: Bool) -> Answer {
        let deadline = Self.milliseconds() + timeout
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(received[..<end])
                received.removeSubrange(...end)
                return .line(line)
            }
            if received.count > limit { return .tooLong }
            let left = deadline - Self.milliseconds()
            if left <= 0 { return .timeout }
            if isInterruptible && Console.isAskedToEnd { return .interrupted }
            var files = [pollfd(fd: output, events: Int16(POLLIN), revents: 0), Console.termination]
            let count = poll(&files, isInterruptible ? 2 : 1, Int32(clamping: left))
            if count < 0 && errno != EINTR { return .ended }
            guard count > 0, files[0].revents != 0 else { continue }
            var piece = [UInt8](repeating: 0, count: 1 << 12)
            let length = read(output, &piece, piece.count)
            if length < 0 && errno == EINTR { continue }
            guard length > 0 else { return .ended }
            received.append(contentsOf: piece[..<length])
        }
    }

    /// Kills the program and everything in its process group, if it is still there.
    func end() {
        guard !isEnded else { return }
        _ = kill(-processID, SIGKILL)
        release()
        while waitpid(processID, nil, 0) < 0 && errno == EINTR {}
    }

    /// Closes the program's input, which asks it to end, and waits until it has; asks it by SIGTERM if it does not in time, so that it ends
    /// what it has started itself, and then kills it. What is left of its process group is killed, too.
    func finish(withinMilliseconds timeout: Int64) {
        guard !isEnded else { return }
        _ = close(input)
        input = -1
        for (patience, signal) in [(timeout, SIGTERM), (1000, SIGKILL)] {
            let deadline = Self.milliseconds() + patience
            while Self.milliseconds() < deadline {
                // Not yet waited for, so that its process group is still its own: what it has left running there is killed.
                var state = siginfo_t()
                if waitid(P_PID, id_t(processID), &state, WEXITED | WNOHANG | WNOWAIT) == 0, state.si_signo != 0 { return end() }
                _ = poll(nil, 0, 2)
            }
            _ = kill(-processID, signal)
        }
        end()
    }

    private func release() {
        isEnded = true
        if input >= 0 { _ = close(input) }
        _ = close(output)
    }

    private static func milliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    private static func failure(_ operation: String, _ program: String, _ code: Int32) -> PaperTradeError {
        PaperTradeError(.io, "cannot \(operation) \(printable(program)): \(errorText(code))", errno: code)
    }

    /// This program's own file, to start it once more.
    static func ownPath() -> String {
        #if os(Linux)
            // The link's target, so that `ps` shows the program's name; the link itself if the program was replaced meanwhile.
            guard let resolved = realpath("/proc/self/exe", nil) else { return "/proc/self/exe" }
            defer { free(resolved) }
            return String(cString: resolved)
        #else
            var size: UInt32 = 0
            _NSGetExecutablePath(nil, &size)
            var buffer = [CChar](repeating: 0, count: Int(size) + 1)
            _NSGetExecutablePath(&buffer, &size)
            return buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        #endif
    }
}
