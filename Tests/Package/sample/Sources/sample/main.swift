import PaperTrade

let account = try Account("my-account")
let fill = try account.buy("MSFT", 2, at: 410.5)
print("bought; cash is now \(fill.cashAfter)")
account.close()
