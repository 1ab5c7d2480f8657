import PaperTrade
import Storage
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct `The market calendar of a machine` {
    @Test func `has the clocks of the system's time zone file`() throws {
        let bytes = try SystemCalls().contents(path: "/usr/share/zoneinfo/America/New_York", limit: 1 << 16)
        let rules = try #require(TimeZoneRules(file: bytes))
        #expect(MarketCalendar.nyse() == .nyse(rules))
        // The file knows times before 1967, so this shows that it was read.
        #expect(MarketCalendar.nyse() != .nyse(.newYork))
    }

    @Test func `has the clocks of the law where there is no such file`() {
        #expect(MarketCalendar.nyse(system: SimulatedMachine().process()) == .nyse(.newYork))
    }

    @Test func `is found by its name`() throws {
        #expect(try MarketCalendar(named: "nyse") == .nyse())
        #expect(try MarketCalendar(named: "always") == .always)
        for name in ["", "NYSE", "nyse ", "xnys\n"] {
            do {
                _ = try MarketCalendar(named: name)
                Issue.record("\(name) is a calendar")
            } catch {
                #expect(error.status == .invalidArgument)
                #expect(error.message.hasSuffix("it is nyse or always") && !error.message.contains("\n"))
            }
        }
    }
}

@Suite struct `A file of the system` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func contents(_ name: String, limit: Int = 100) -> Result<[UInt8], Errno> {
        let system = SystemCalls()
        return Result { () throws(Errno) in try system.contents(path: directory.path(name), limit: limit) }
    }

    @Test func `is read whole, through links, up to a limit`() throws {
        let bytes = [UInt8](0..<100)
        try directory.write(bytes, to: "file")
        #expect(symlink("file", directory.path("link")) == 0)
        #expect(contents("link") == .success(bytes))
        #expect(contents("file", limit: 99) == .failure(.tooLarge))
        try directory.write([], to: "empty")
        #expect(contents("empty") == .success([]))
    }

    @Test func `that is none is an error, and never waits`() throws {
        #expect(contents("missing") == .failure(.noEntry))
        #expect(mkfifo(directory.path("fifo"), 0o600) == 0)
        #expect(contents("fifo") == .failure(Errno(code: ESPIPE)))
        #expect(contents(".") == .failure(Errno(code: EISDIR)))
    }
}
