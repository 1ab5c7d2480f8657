// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "PaperTrade",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "PaperTrade", targets: ["PaperTrade"]),
        .library(name: "papertrade", type: .dynamic, targets: ["PaperTradeC"]),
        .executable(name: "pt", targets: ["pt"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // What the operating system and jansson offer, as seen from Swift. Headers only.
        .systemLibrary(name: "CSystem", path: "Sources/CSystem"),
        .systemLibrary(
            name: "CJansson", path: "Sources/CJansson", pkgConfig: "jansson",
            providers: [.apt(["libjansson-dev"]), .brew(["jansson"])]),
        .systemLibrary(name: "CPaperTrade", path: "include"),

        // The library, from the pure core outwards: each part sees only those before it.
        .target(name: "Ledger"),
        .target(name: "Storage", dependencies: ["Ledger", "CJansson", "CSystem"]),
        .target(name: "Scheduling", dependencies: ["Ledger"]),
        .target(name: "PaperTrade", dependencies: ["Ledger", "Scheduling", "Storage"]),
        .target(
            name: "PaperTradeC", dependencies: ["PaperTrade", "Storage", "CPaperTrade"], exclude: ["exports.map"]),

        .executableTarget(
            name: "pt",
            dependencies: [
                "PaperTrade", "PaperTradeC", "CPaperTrade",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .testTarget(name: "LedgerTests", dependencies: ["Ledger"]),
        .testTarget(name: "SchedulingTests", dependencies: ["Scheduling", "Ledger"]),
        .testTarget(name: "StorageTests", dependencies: ["Storage", "Ledger", "PaperTrade", "CJansson"]),
        .testTarget(name: "PaperTradeTests", dependencies: ["PaperTrade", "Storage"]),
    ],
    swiftLanguageModes: [.v6]
)
