// swift-tools-version: 6.1
// A package that depends on PaperTrade as any other would: by URL and tag. The test puts the URL of a copy of this repository in.
import PackageDescription

let package = Package(
    name: "sample",
    platforms: [.macOS(.v15)],
    dependencies: [.package(url: "PAPERTRADE_URL", from: "0.1.0")],
    targets: [
        .executableTarget(name: "sample", dependencies: [.product(name: "PaperTrade", package: "PaperTrade")])
    ]
)
