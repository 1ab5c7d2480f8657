import Ledger
import Scheduling
import Storage

extension MarketCalendar {
    /// The calendars' names in `config.json` and on the command line.
    public enum Name: String, CaseIterable, Sendable {
        /// The New York Stock Exchange.
        case nyse
        /// A market that never closes.
        case always
    }

    /// The calendar with this name, which for `nyse` reads a file; see ``nyse(system:)``.
    public init(_ name: Name, system: any System = SystemCalls()) {
        switch name {
        case .nyse: self = .nyse(system: system)
        case .always: self = .always
        }
    }

    /// The calendar called `name`: `nyse` or `always`.
    ///
    /// - Throws: `invalidArgument`
    public init(named name: String, system: any System = SystemCalls()) throws(PaperTradeError) {
        guard let known = Name(rawValue: name) else {
            let names = Name.allCases.map(\.rawValue).joined(separator: " or ")
            throw PaperTradeError(.invalidArgument, "there is no market calendar \"\(escaped(name))\": it is \(names)")
        }
        self.init(known, system: system)
    }

    /// The New York Stock Exchange, with the clocks that the system's time zone file for New York tells of; where there is no such
    /// file, with those that ``TimeZoneRules/newYork`` knows.
    public static func nyse(system: any System = SystemCalls()) -> MarketCalendar {
        // Where zoneinfo is, by Python's PEP 615.
        let directories = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"]
        let rules = directories.lazy.compactMap { directory in
            (try? system.contents(path: directory + "/America/New_York", limit: TimeZoneRules.maximumFileSize))
                .flatMap(TimeZoneRules.init(file:))
        }
        return .nyse(rules.first ?? .newYork)
    }
}
