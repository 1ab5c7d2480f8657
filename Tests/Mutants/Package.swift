// swift-tools-version: 6.1
// The library and its tests without the command line: what `run` builds for each mutant.
import PackageDescription

let package = Package(
    name: "PaperTrade",
    platforms: [.macOS(.v15)],
    products: [.library(name: "papertrade", type: .dynamic, targets: ["PaperTradeC"])],
    targets: [
        .systemLibrary(name: "CSystem", path: "Sources/CSystem"),
        .systemLibrary(name: "CJansson", path: "Sources/CJansson", pkgConfig: "jansson"),
        .systemLibrary(name: "CPaperTrade", path: "include"),
        .target(name: "Ledger"),
        .target(name: "Storage", dependencies: ["Ledger", "CJansson", "CSystem"]),
        .target(name: "Scheduling", dependencies: ["Ledger"]),
        .target(name: "PaperTrade", dependencies: ["Ledger", "Scheduling", "Storage"]),
        .target(name: "PaperTradeC", dependencies: ["PaperTrade", "Storage", "CPaperTrade"], exclude: ["exports.map"]),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger"]),
        .testTarget(name: "SchedulingTests", dependencies: ["Scheduling", "Ledger"]),
        .testTarget(name: "StorageTests", dependencies: ["Storage", "Ledger", "PaperTrade", "CJansson"]),
        .testTarget(name: "PaperTradeTests", dependencies: ["PaperTrade", "Storage"]),
    ],
    swiftLanguageModes: [.v6]
)
