import Ledger
import PaperTrade
import Testing

@testable import Storage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// flock(2) on real files. Two open files of one process exclude each other as two processes do.
@Suite struct `A lock` {
    private let directory: TemporaryDirectory
    private let system = SystemCalls()

    init() throws { directory = try TemporaryDirectory() }

    private var path: String { directory.path("lock") }

    private func lock() throws -> LockFile { try LockFile(path: path, system: system) }

    private func deadline(_ milliseconds: Int64) -> Deadline { Deadline(timeoutMilliseconds: milliseconds, system: system) }

    private func kind(_ body: () throws(StorageError) -> Void) -> StorageError.Kind? {
        do throws(StorageError) {
            try body()
            return nil
        } catch { return error.kind }
    }

    /// Runs `body` on another thread and returns what it threw.
    private func elsewhere(_ body: @escaping () throws(StorageError) -> Void) -> StorageError? {
        let waiter = Waiter(body)
        waiter.start()
        return waiter.result()
    }

    @Test func `is held by one handle at a time, and by the next when it is released`() throws {
        let (first, second) = (try lock(), try lock())
        try first.acquire(deadline(0))
        #expect(elsewhere { () throws(StorageError) in try second.acquire(deadline(0)) }?.kind == .busy)
        #expect(first.release())
        #expect(!first.release())
        #expect(elsewhere { () throws(StorageError) in try second.acquire(deadline(0)) } == nil)
        #expect(second.release(), "any thread may release it")
    }

    @Test func `is waited for as long as the deadline says, and no longer`() throws {
        let (first, second) = (try lock(), try lock())
        try first.acquire(deadline(-1))
        for milliseconds: Int64 in [0, 30, 120] {
            let start = system.monotonicTime()
            #expect(elsewhere { () throws(StorageError) in try second.acquire(deadline(milliseconds)) }?.kind == .busy)
            let waited = (system.monotonicTime() - start) / 1_000_000
            #expect(waited >= milliseconds && waited < milliseconds + 400, "\(waited) ms for \(milliseconds)")
        }
    }

    @Test func `that is released in time is taken`() throws {
        let (first, second) = (try lock(), try lock())
        try first.acquire(deadline(0))
        let waiter = Waiter { () throws(StorageError) in try second.acquire(deadline(10_000)) }
        waiter.start()
        usleep(30_000)
        first.release()
        #expect(waiter.result() == nil)
    }

    @Test func `names who holds it, and since when`() throws {
        let (first, second) = (try lock(), try lock())
        let before = Timestamp(clamping: system.realTime())
        try first.acquire(deadline(0))
        let error = try #require(elsewhere { () throws(StorageError) in try second.acquire(deadline(0)) })
        let text = String(decoding: directory.read("lock") ?? [], as: UTF8.self)
        let holder = try #require(LockHolder(Array(text.utf8)))
        #expect(holder.processID == getpid() && holder.since >= before && holder.purpose == .lock)
        #expect(error.description.contains("\(holder.since)"))
        #expect(text.utf8.count == LockHolder.byteCount)
        first.release()
        #expect(LockHolder(directory.read("lock") ?? []) == nil, "nobody holds it now")
    }

    @Test func `is released when its handle is dropped`() throws {
        do {
            let first = try lock()
            try first.acquire(deadline(0))
        }
        try lock().acquire(deadline(0))
    }

    @Test func `says whether it is held without disturbing anybody`() throws {
        #expect(try !LockFile.isHeld(path: path, system: system))
        #expect(directory.read("lock") == nil, "asking does not make the file")
        let (first, second) = (try lock(), try lock())
        try first.acquire(deadline(0))
        let text = directory.read("lock")
        for _ in 0..<100 { #expect(try LockFile.isHeld(path: path, system: system)) }
        #expect(directory.read("lock") == text)
        first.release()
        #expect(try !LockFile.isHeld(path: path, system: system))
        #expect(kind { () throws(StorageError) in try second.acquire(deadline(0)) } == nil)
    }

    @Test func `would deadlock the thread that holds it already, which is told at once`() throws {
        let (first, second) = (try lock(), try lock())
        try first.acquire(deadline(0))
        #expect(kind { () throws(StorageError) in try first.acquire(deadline(-1)) } == .wouldDeadlock)
        #expect(kind { () throws(StorageError) in try second.acquire(deadline(-1)) } == .wouldDeadlock)
        first.release()
        #expect(kind { () throws(StorageError) in try second.acquire(deadline(0)) } == nil)
    }

    @Test func `of the caller's own on an account's lock file is told from the account's`() throws {
        var options = Options()
        options.lockTimeoutMilliseconds = -1
        let account = try Account(directory.path("account"), options: options)
        let own = try LockFile(path: directory.path("account/.lock"), system: system)
        try own.acquire(deadline(0))
        let waiter = Waiter { () throws(StorageError) in
            do throws(PaperTradeError) {
                try account.deposit(Money(clamping: 1))
            } catch { throw StorageError(error.status == .wouldDeadlock ? .wouldDeadlock : .io, error.message) }
        }
        waiter.start()
        #expect(waiter.result()?.kind == .wouldDeadlock)
        own.release()
        try account.deposit(Money(clamping: 1))
        try account.lock()
        #expect(kind { () throws(StorageError) in try own.acquire(deadline(-1)) } == .wouldDeadlock)
        try account.unlock()
    }

    @Test func `whose file was deleted or replaced while somebody waited is taken on the file that has the name now`() throws {
        for isReplaced in [false, true] {
            let fresh = try `A lock`()
            let (first, second, third) = (try fresh.lock(), try fresh.lock(), try fresh.lock())
            try first.acquire(deadline(0))
            let waiter = Waiter { () throws(StorageError) in try second.acquire(fresh.deadline(10_000)) }
            waiter.start()
            usleep(20_000)
            unlink(fresh.path)
            if isReplaced { try fresh.directory.write([], to: "lock") }
            first.release()
            #expect(waiter.result() == nil)
            #expect(elsewhere { () throws(StorageError) in try third.acquire(fresh.deadline(0)) }?.kind == .busy, "both hold it")
        }
    }

    @Test func `left behind by a dead process with our id is not our own`() throws {
        // In containers that share a directory, ids repeat; the tokens do not.
        let stale = LockHolder(
            processID: getpid(), processToken: system.processToken() &+ 1, threadID: system.threadID(), purpose: .lock,
            since: Timestamp(clamping: 1_000_000))
        try directory.write(stale.bytes, to: "lock")
        let (first, second) = (try lock(), try lock())
        #expect(kind { () throws(StorageError) in try first.acquire(deadline(0)) } == nil)
        first.release()
        // Somebody else holds it and could not write who it is.
        let held = try system.openDirectory(directory.path, in: nil)
        defer { try? system.close(held) }
        let file = try system.open("lock", in: held, .readWrite)
        #expect(try system.tryLock(file, exclusive: true))
        try directory.write(stale.bytes, to: "lock")
        #expect(kind { () throws(StorageError) in try second.acquire(deadline(20)) } == .busy)
        try system.close(file)
    }

    @Test func `text of any kind in the file is no holder, and never a trap`() throws {
        var generator = SeededGenerator(for: "lock text")
        let holder = LockHolder(
            processID: 4711, processToken: .max, threadID: .max, purpose: .account, since: Timestamp(clamping: .max))
        #expect(holder.bytes.count == LockHolder.byteCount)
        #expect(LockHolder(holder.bytes) == holder)
        for _ in 0..<3000 {
            var bytes = holder.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = LockHolder(bytes)
        }
        #expect(LockHolder([]) == nil)
    }

    @Test func `that is closed in the very moment in which it is taken is let go, and not said to be held`() throws {
        let process = try SimulatedMachine.withAccount().process()
        let path = simulatedPath + "/own.lock"
        let lock = try LockFile(path: path, system: process)
        let isFirst = Locked(true)
        process.onCall { call in
            // The holder's name is written: the lock has been taken, and acquiring it has not come back.
            let isNow = isFirst.withLock { isFirst in
                defer { if call.operation == .write { isFirst = false } }
                return isFirst && call.operation == .write
            }
            if isNow { lock.close() }
            return nil
        }
        defer { process.onCall(nil) }
        #expect(kind { () throws(StorageError) in try lock.acquire(deadline(0)) } == .closed)
        #expect(try !LockFile.isHeld(path: path, system: process))
        #expect(kind { () throws(StorageError) in try lock.acquire(deadline(0)) } == .closed)
        #expect(!lock.release())
    }

    @Test func `is not taken on a file of somebody else's, which keeps every byte`() throws {
        let zeros = [UInt8](repeating: 0, count: LockHolder.byteCount)
        let texts: [[UInt8]] = [
            Array("date,price\n2020-01-01,1\n".utf8), Array("pit".utf8), Array("wash ".utf8), Array("pid4 ".utf8),
            Array("pid ppid cmd\n".utf8), Array("was it so?\n".utf8), Array("pid 1 since".utf8) + zeros,
            Array("\n".utf8), zeros + [0], zeros.dropLast() + [1], Array(String(repeating: "x", count: 10_000).utf8),
        ]
        for text in texts {
            try directory.write(text, to: "lock")
            let lock = try lock()
            do throws(StorageError) {
                try lock.acquire(deadline(0))
                Issue.record("taken on \(text.prefix(8))")
            } catch {
                #expect(error.kind == .unsafeFile && error.description.contains(path), "\(error)")
            }
            #expect(!lock.release())
            #expect(directory.read("lock") == text)
        }
    }

    @Test func `is not taken on a file to which its holder has written since it was opened`() throws {
        let machine = try SimulatedMachine.withAccount()
        let process = machine.process()
        let text = Array("precious".utf8)
        let lock = try LockFile(path: simulatedPath + "/own", system: process)
        let other = machine.process()
        let file = try other.open("own", in: other.openDirectory(simulatedPath, in: nil), .readWriteCreating)
        process.onCall { call in
            if call.operation == .tryLock { try? other.writeFully(text, to: file, at: 0, limit: .max) }
            return nil
        }
        defer { process.onCall(nil) }
        #expect(kind { () throws(StorageError) in try lock.acquire(deadline(0)) } == .unsafeFile)
        #expect(machine.disk.files(in: simulatedPath)["own"] == text)
    }

    @Test func `is not held on a file in a directory that is not there`() throws {
        #expect(try !LockFile.isHeld(path: directory.path("nowhere/lock"), system: system))
    }

    @Test func `is taken on what this library leaves in a lock file, also after a crash`() throws {
        // Never synced: a power cut can leave the file's size without its contents. A full disk takes the line in part, or not at all, and
        // the mark that it was released.
        let zeros = [UInt8](repeating: 0, count: LockHolder.byteCount)
        let texts = ["", "pid 1 since", "was 1 since", "wid 1 since", "p", "pid", "was"].map { Array($0.utf8) }
        for text in texts + [zeros, [0], Array("was".utf8) + zeros.dropLast(3)] {
            try directory.write(text, to: "lock")
            let lock = try lock()
            #expect(kind { () throws(StorageError) in try lock.acquire(deadline(0)) } == nil, "\(text.prefix(8))")
        }
    }

    @Test func `is not taken on a file with two names`() throws {
        try directory.write([], to: "lock")
        #expect(link(path, directory.path("other name")) == 0)
        let lock = try lock()
        #expect(kind { () throws(StorageError) in try lock.acquire(deadline(0)) } == .unsafeFile)
        unlink(directory.path("other name"))
        #expect(kind { () throws(StorageError) in try lock.acquire(deadline(0)) } == nil)
    }

    @Test func `of an account is not taken on somebody else's file either`() throws {
        try Account(directory.path("account")).close()
        let text = Array("precious".utf8)
        for isLink in [false, true] {
            unlink(directory.path("account/.lock"))
            try directory.write(text, to: isLink ? "precious" : "account/.lock")
            if isLink { #expect(link(directory.path("precious"), directory.path("account/.lock")) == 0) }
            do throws(PaperTradeError) {
                try Account(directory.path("account")).close()
                Issue.record("opened")
            } catch { #expect(error.status == .unsafeFile, "\(error)") }
            #expect(directory.read("account/.lock") == text)
        }
    }

    @Test func `that cannot be said to be anything but a file is refused`() throws {
        for name in ["", "/", ".", "..", "a/", "a/..", "/tmp/."] {
            #expect(kind { () throws(StorageError) in _ = try LockFile(path: name, system: system) } != nil, "\(name)")
        }
        #expect(mkfifo(path, 0o600) == 0)
        #expect(kind { () throws(StorageError) in try LockFile(path: path, system: system).acquire(deadline(0)) } == .unsafeFile)
        #expect(mkdir(directory.path("folder"), 0o700) == 0)
        #expect(
            kind { () throws(StorageError) in try LockFile(path: directory.path("folder"), system: system).acquire(deadline(0)) }
                == .unsafeFile)
    }
}
