import PaperTrade
do {
    let account = try Account(CommandLine.arguments[1])
    let fill = try account.buy("AAPL", 40, at: 150.0, RequestOptions(id: CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : nil))
    print(fill.cashAfter, fill.receipt.isRepeated)
    _ = try account.enqueue(Opportunity(symbol: Symbol("NVDA"), signal: .strongBuy, score: Rate(82.5), price: nil, reason: Text("break\nout", field: "reason")))
    print(try account.summary())
    account.close()
} catch { print(error) }
let r = try Account.verify(CommandLine.arguments[1])
print(r.events, r.problems, r.isPortfolioCurrent, r.hasUnfinishedTail, r.durableSeq)
