import ArgumentParser
import PaperTrade

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show cash, positions and profit; with prices also what the account is worth.",
        discussion: """
            JSON: account, path, seq, generation, created_at, updated_at, cash, total_cost, net_deposits, realized_pnl, queued, and \
            positions by symbol, each with shares, cost_basis, cost and first_purchase_date. With prices also market_value, \
            unrealized_pnl, total_value, total_pnl, return_percent and unpriced, and for each position price, market_value and \
            unrealized_pnl. Figures that do not exist are null.
            """)

    @OptionGroup(title: "Account") var account: AccountArguments
    @OptionGroup(title: "Prices") var prices: PriceArguments
    @OptionGroup(title: "Output") var output: OutputArguments

    func run() throws {
        let quotes = try prices.quotes()
        let account = try account.openReadOnly()
        defer { account.close() }
        let view = try StatusView(account, quotes: prices.isEmpty ? nil : quotes)
        try Console.print(output.json ? view.object.text + "\n" : view.text)
    }
}

/// The account at one moment, and at the prices given.
struct StatusView {
    private let path: String
    private let state: AccountState
    private let queuedCount: Int
    private let quotes: [Symbol: Price]
    /// `nil` without prices.
    private let valuation: Valuation?

    init(_ account: Account, quotes: [Symbol: Price]?) throws(PaperTradeError) {
        path = account.path
        state = try account.snapshot()
        queuedCount = try account.queue().count
        self.quotes = quotes ?? [:]
        valuation = quotes.map { [state] in Valuation(state, quotes: $0) }
    }

    private func marketValue(_ position: Position) -> Money? {
        quotes[position.symbol].flatMap { position.shares.notional(at: $0) }
    }

    private func unrealizedPnL(_ position: Position) -> Money? {
        marketValue(position).flatMap { $0.subtracting(position.cost) }
    }

    // MARK: For people

    var text: String {
        let totals = Table.text([Table.Column(""), Table.Column("", .right)], figures, hasHeader: false)
        var text =
            "Account \(printable(state.accountID)) in \(printable(path)), event \(state.seq) of \(state.updatedAt.forPeople) UTC\n\n"
        text += totals + "\n"
        if queuedCount > 0 { text += "\(counted(queuedCount, "entry", "entries")) in the buy queue\n" }
        guard !state.positions.isEmpty else { return text + "no positions\n" }
        if queuedCount > 0 { text += "\n" }
        text += table
        if let valuation, valuation.unpricedCount > 0 {
            text += "\n\(counted(valuation.unpricedCount, "position")) without a price: counted at cost\n"
        }
        return text
    }

    private var figures: [[String]] {
        var rows = [["Cash", state.cash.money], ["Cost of positions", Self.money(state.totalCost)]]
        if let valuation {
            rows += [
                ["Market value", Self.money(valuation.marketValue)], ["Total value", Self.money(valuation.totalValue)],
                ["Unrealized P&L", Self.money(valuation.unrealizedPnL)],
            ]
        }
        rows += [["Realized P&L", state.realizedPnL.money]]
        if let valuation { rows += [["Total P&L", Self.money(valuation.totalPnL)]] }
        rows += [["Net deposits", state.netDeposits.money]]
        if let valuation { rows += [["Return %", Self.money(valuation.returnPercent)]] }
        return rows
    }

    private var table: String {
        var columns = [
            Table.Column("SYMBOL"), Table.Column("SHARES", .right), Table.Column("COST BASIS", .right),
            Table.Column("COST", .right),
        ]
        if valuation != nil {
            columns += ["PRICE", "MARKET VALUE", "UNREALIZED P&L"].map { Table.Column($0, .right) }
        }
        let rows = state.positions.map { position in
            var row = ["\(position.symbol)", position.shares.count, Self.money(position.costBasis), position.cost.money]
            if valuation != nil {
                row += [
                    Self.money(quotes[position.symbol]), Self.money(marketValue(position)), Self.money(unrealizedPnL(position)),
                ]
            }
            return row
        }
        return Table.text(columns, rows)
    }

    private static func money(_ amount: (some Amount)?) -> String { amount?.money ?? "-" }

    // MARK: For programs

    var object: JSON {
        var members: [(String, JSON)] = [
            ("account", .string(state.accountID)), ("path", .string(path)), ("seq", .integer(state.seq)),
            ("generation", .integer(state.generation)), ("created_at", .time(state.createdAt)),
            ("updated_at", .time(state.updatedAt)), ("cash", .amount(state.cash)), ("total_cost", .amount(state.totalCost)),
            ("net_deposits", .amount(state.netDeposits)), ("realized_pnl", .amount(state.realizedPnL)),
            ("queued", .integer(queuedCount)),
        ]
        if let valuation {
            members += [
                ("market_value", .amount(valuation.marketValue)), ("unrealized_pnl", .amount(valuation.unrealizedPnL)),
                ("total_value", .amount(valuation.totalValue)), ("total_pnl", .amount(valuation.totalPnL)),
                ("return_percent", .amount(valuation.returnPercent)), ("unpriced", .integer(valuation.unpricedCount)),
            ]
        }
        members.append(("positions", .object(state.positions.map { ("\($0.symbol)", object($0)) })))
        return .object(members)
    }

    private func object(_ position: Position) -> JSON {
        var members: [(String, JSON)] = [
            ("shares", .amount(position.shares)), ("cost_basis", .amount(position.costBasis)), ("cost", .amount(position.cost)),
            ("first_purchase_date", .time(position.firstPurchaseDate)),
        ]
        if valuation != nil {
            members += [
                ("price", .amount(quotes[position.symbol])), ("market_value", .amount(marketValue(position))),
                ("unrealized_pnl", .amount(unrealizedPnL(position))),
            ]
        }
        return .object(members)
    }
}
