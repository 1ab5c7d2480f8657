import ArgumentParser
import PaperTrade

struct BuyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "buy", abstract: "Buy shares at a price.")

    @Argument(help: "What to buy, such as AAPL.") var symbol: String
    @Argument(help: "How many shares, such as 40 or 0.5.") var shares: String
    @Argument(help: "The price of one share.") var price: String
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let (symbol, shares, price) = (try Symbol(checking: symbol), try Shares(checking: shares), try Price(checking: price))
        try change.perform { (account, request) throws(PaperTradeError) in
            try account.buy(symbol, shares, at: price, request).receipt
        }
    }
}

struct SellCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "sell", abstract: "Sell shares at a price.")

    @Argument(help: "What to sell, such as AAPL.") var symbol: String
    @Argument(help: ArgumentHelp("How many shares; all sells the whole position.", valueName: "shares|all")) var shares: String
    @Argument(help: "The price of one share.") var price: String
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let (symbol, price) = (try Symbol(checking: symbol), try Price(checking: price))
        let shares = try numberOrAll()
        try change.perform { (account, request) throws(PaperTradeError) in
            try account.sell(symbol, shares, at: price, request).receipt
        }
    }

    /// `nil` for all of them.
    private func numberOrAll() throws(PaperTradeError) -> Shares? {
        if shares == "all" { return nil }
        do throws(PaperTradeError) {
            return try Shares(checking: shares)
        } catch {
            guard error.status == .invalidShares else { throw error }
            throw PaperTradeError(error.status, error.message + ", nor all")
        }
    }
}

struct DepositCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "deposit", abstract: "Add cash to the account.")

    @Argument(help: "How much, above 0.") var amount: String
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let amount = try Money(checking: amount)
        try change.perform { (account, request) throws(PaperTradeError) in try account.deposit(amount, request) }
    }
}

struct WithdrawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "withdraw", abstract: "Take cash out of the account.")

    @Argument(help: "How much, above 0.") var amount: String
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let amount = try Money(checking: amount)
        try change.perform { (account, request) throws(PaperTradeError) in try account.withdraw(amount, request) }
    }
}

struct SplitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split", abstract: "Apply a stock split to a position.",
        discussion: "'pt split AAPL 7:1' turns every share into 7; 'pt split GE 1:8' is a reverse split.")

    @Argument(help: "What was split, such as AAPL.") var symbol: String
    @Argument(help: ArgumentHelp("New shares for old shares, such as 7:1.", valueName: "new:old")) var ratio: String
    @Option(
        help: ArgumentHelp(
            "The price after the split at which a fraction that a millionth of a share cannot hold is paid out. Default: it is dropped.",
            valueName: "price"))
    var cashInLieuPrice: String?
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let symbol = try Symbol(checking: symbol)
        let sides = ratio.split(separator: ":", omittingEmptySubsequences: false)
        guard sides.count == 2, let new = try? Shares(String(sides[0])), let old = try? Shares(String(sides[1])) else {
            throw PaperTradeError(.invalidRatio, "ratio \"\(printable(ratio))\" is not new:old shares, such as 7:1")
        }
        let price = try cashInLieuPrice.map { text throws(PaperTradeError) in try Price(checking: text) }
        try change.perform { (account, request) throws(PaperTradeError) in
            try account.split(symbol, newShares: new, oldShares: old, cashInLieuPrice: price, request)
        }
    }
}

struct DividendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dividend", abstract: "Receive a cash dividend on a position.")

    @Argument(help: "Who pays it, such as AAPL.") var symbol: String
    @Argument(help: ArgumentHelp("The dividend of one share.", valueName: "per-share")) var perShare: String
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let (symbol, perShare) = (try Symbol(checking: symbol), try Price(checking: perShare))
        try change.perform { (account, request) throws(PaperTradeError) in
            try account.dividend(symbol, perShare: perShare, request)
        }
    }
}

struct WriteOffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write-off", abstract: "Remove a worthless position; its cost becomes a realized loss.")

    @Argument(help: "What became worthless.") var symbol: String
    @OptionGroup var change: ChangeArguments

    func run() throws {
        let symbol = try Symbol(checking: symbol)
        try change.perform { (account, request) throws(PaperTradeError) in try account.writeOff(symbol, request) }
    }
}
