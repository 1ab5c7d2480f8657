import ArgumentParser
import PaperTrade

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The account's rules, which config.json states.",
        discussion: "A changed config.json takes effect with the next change to the account. An invalid one never does.",
        subcommands: [ConfigInitCommand.self, ConfigCheckCommand.self, ConfigShowCommand.self],
        defaultSubcommand: ConfigShowCommand.self)
}

struct ConfigInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a config.json with every rule, to edit.",
        discussion: "The rules in force if there is an account, else the defaults. Never replaces a file. JSON: path.")

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func run() throws {
        var rules = Rules()
        do throws(PaperTradeError) {
            let account = try account.openReadOnly()
            defer { account.close() }
            rules = try account.rules()
        } catch {
            guard error.status == .noAccount else { throw error }
        }
        // The rules may come before the account.
        try Files.makeDirectory(account.path)
        let path = account.configPath
        guard !Files.exists(path) else {
            throw PaperTradeError(.exists, "\(printable(path)) exists already, and is not replaced: edit it, or move it away")
        }
        try Files.create(path, Array(Config.text(rules).utf8))
        Report.done(
            isQuiet: quiet.quiet, isJSON: output.json, .object([("path", .string(path))]),
            "wrote \(printable(path)): edit it, then run 'pt config check'")
    }
}

struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether config.json is valid, and if not, where and why.",
        discussion: "JSON: path, exists, valid and rules; an invalid file is an error.")

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func run() throws {
        let rules = try Config.rules(in: account.path)
        let path = account.configPath
        let exists = Files.exists(path)
        Report.done(
            isQuiet: quiet.quiet, isJSON: output.json,
            .object([
                ("path", .string(path)), ("exists", .bool(exists)), ("valid", .bool(true)), ("rules", RulesView(rules).object),
            ]),
            exists ? "\(printable(path)) is valid" : "there is no \(printable(path)): the defaults apply")
    }
}

struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the rules in force, and what a changed config.json will change.",
        discussion: "JSON: every rule in force by its name, such as queue.stale_after_hours.")

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments

    func run() throws {
        let handle = try account.openReadOnly()
        defer { handle.close() }
        let view = RulesView(try handle.rules())
        guard !output.json else { return try Console.print(view.object.text + "\n") }
        try Console.print(view.text)
        let wanted: Rules
        do throws(PaperTradeError) {
            wanted = try Config.rules(in: account.path)
        } catch {
            return Console.warn("\(error.message); the rules above stay in force")
        }
        try Console.print(view.text(ofChangesTo: wanted))
    }
}

/// Rules as people and programs see them.
struct RulesView {
    private let rules: Rules

    init(_ rules: Rules) { self.rules = rules }

    var object: JSON { .object(members) }

    var members: [(String, JSON)] { values + [("watchlist", .array(rules.watchlist.map { .text($0) }))] }

    /// As the journal has them: its lines are flat, so the watchlist is one text there.
    var journalMembers: [(String, JSON)] {
        values + [("watchlist", .string(rules.watchlist.map(\.description).joined(separator: " ")))]
    }

    private var values: [(String, JSON)] {
        RuleKey.allCases.map { key in
            switch key.kind {
            case .number, .count: (key.name, .amount(rules[key]))
            case .flag: (key.name, .bool(rules.isOn(key)))
            case .choice: (key.name, .string(rules.choice(key)))
            }
        }
    }

    var text: String {
        let columns = [
            Table.Column("RULE"), Table.Column("VALUE", .right), Table.Column("DEFAULT", .right), Table.Column("UNIT"),
            Table.Column("MEANING"),
        ]
        return Table.text(
            columns, RuleKey.allCases.map { [$0.name, Self.text($0, rules), Self.text($0, Rules()), $0.unit, $0.meaning] })
            + "\nWatchlist: \(watchlist)\n"
    }

    private var watchlist: String {
        rules.watchlist.isEmpty ? "empty" : rules.watchlist.map(\.description).joined(separator: ", ")
    }

    private static func text(_ key: RuleKey, _ rules: Rules) -> String {
        key.kind == .number ? rules[key].count : key.text(of: rules[key])
    }

    /// The rules that are not as in `others`; `nil` if all are.
    func differences(from others: Rules) -> String? {
        var differences = RuleKey.allCases.filter { rules[$0] != others[$0] }.map { "\($0.name) \(Self.text($0, rules))" }
        if rules.watchlist != others.watchlist { differences.append("watchlist \(watchlist)") }
        return differences.isEmpty ? nil : differences.joined(separator: ", ")
    }

    /// What the next change to the account will put into force; "" if nothing.
    func text(ofChangesTo wanted: Rules) -> String {
        guard let changes = RulesView(wanted).differences(from: rules) else { return "" }
        return "\nThe next change to the account adopts what config.json says now: \(changes)\n"
    }
}
