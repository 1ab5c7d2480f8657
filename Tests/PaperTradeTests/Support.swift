import Glibc
import PaperTrade

/// A fresh directory for one test, removed with all it holds when the test ends.
final class TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/papertrade-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, let made = mkdtemp(start) else { fatalError("mkdtemp: \(errno)") }
            return String(cString: made)
        }
    }

    deinit {
        removeTree(path)
    }

    func path(of name: String) -> String { path + "/" + name }

    func write(_ text: String, to name: String) {
        let file = fopen(path(of: name), "w")
        fputs(text, file)
        fclose(file)
    }

    func read(_ name: String) -> String { Self.read(absolute: path(of: name)) }

    /// The text of a file, empty if there is none.
    static func read(absolute path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var text: [UInt8] = []
        while case let byte = getc(file), byte != EOF { text.append(UInt8(truncatingIfNeeded: byte)) }
        return String(decoding: text, as: UTF8.self)
    }
}

/// The status of the error that `body` throws; `.ok` if it throws none.
func status<Result>(_ body: () throws(PaperTradeError) -> Result) -> Status {
    do throws(PaperTradeError) {
        _ = try body()
        return .ok
    } catch {
        return error.status
    }
}

/// Runs `body` on a thread of its own and waits for it.
func onAnotherThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let work = Work(body)
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { pointer in
            guard let pointer else { return nil }
            let work = Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue()
            (work as? any Runnable)?.run()
            return nil
        }, Unmanaged.passUnretained(work as AnyObject).toOpaque())
    pthread_join(thread, nil)
    guard let result = work.result else { fatalError("the thread did not run") }
    return result
}

func opportunity(_ symbol: String, score: Double = 80, signal: Signal = .buy) throws -> Opportunity {
    try Opportunity(symbol: Symbol(symbol), signal: signal, score: Rate(score), price: nil, reason: nil)
}

private func removeTree(_ path: String) {
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { removeTree(path + "/" + name) }
        }
        closedir(stream)
    }
    remove(path)
}

private protocol Runnable: AnyObject {
    func run()
}

private final class Work<Result: Sendable>: Runnable, @unchecked Sendable {
    let body: @Sendable () -> Result
    var result: Result?

    init(_ body: @escaping @Sendable () -> Result) { self.body = body }

    func run() { result = body() }
}
