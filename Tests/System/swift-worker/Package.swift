// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "swift-worker",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "PaperTrade", path: "../../..")],
    targets: [
        .executableTarget(name: "swift-worker", dependencies: [.product(name: "PaperTrade", package: "PaperTrade")])
    ],
    swiftLanguageModes: [.v6]
)
