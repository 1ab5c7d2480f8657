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
        let path = account.path + "/config.json"
        try Files.create(path, Adapters.configText(rules))
        Report.done(
            isQuiet: quiet.quiet, isJSON: output.json, .object([("path", .string(path))]),
            "wrote \(printable(path)): edit it, then run 'pt config check'")
    }
}

struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say whether a config.json is valid, and if not, where and why.",
        discussion: "JSON: path, valid and rules; an invalid file is an error.")

    @Argument(help: "The file to check. Default: the account's config.json.", completion: .file(extensions: ["json"])) var file:
        String?
    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments
    @OptionGroup(title: "Output") var quiet: QuietArguments

    func run() throws {
        let path = file ?? account.path + "/config.json"
        let rules = try Adapters.rules(inConfig: path)
        Report.done(
            isQuiet: quiet.quiet, isJSON: output.json,
            .object([("path", .string(path)), ("valid", .bool(true)), ("rules", RulesView(rules).object)]),
            "\(printable(path)) is valid")
    }
}

struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the rules in force.",
        discussion: "JSON: every rule by its name, such as queue.stale_after_hours.")

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Output") var output: OutputArguments

    func run() throws {
        let account = try account.openReadOnly()
        defer { account.close() }
        let view = RulesView(try account.rules())
        try Console.print(output.json ? view.object.text + "\n" : view.text)
    }
}

private struct RulesView {
    private let rules: Rules

    init(_ rules: Rules) { self.rules = rules }

    var object: JSON { .object(RuleKey.allCases.map { ($0.name, .amount(rules[$0])) }) }

    var text: String {
        let columns = [
            Table.Column("RULE"), Table.Column("VALUE", .right), Table.Column("DEFAULT", .right), Table.Column("UNIT"),
            Table.Column("MEANING"),
        ]
        return Table.text(
            columns, RuleKey.allCases.map { [$0.name, rules[$0].count, $0.defaultValue.count, $0.unit, $0.meaning] })
    }
}
