// swift-tools-version: 6.1
// The fuzzers. `run`, beside this file, builds them with libFuzzer and the address sanitizer; a plain build has no main function.
import PackageDescription

let account: Target.Dependency = .product(name: "PaperTrade", package: "PaperTrade")

/// What feeds the fuzzer's bytes to one of the targets.
func fuzzer(_ name: String) -> Target {
    .executableTarget(name: "fuzz-\(name)", dependencies: ["FuzzTargets"])
}

let package = Package(
    name: "PaperTradeFuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "PaperTrade", path: "../..")],
    targets: [
        // Symbolic links to the files of StorageTests that the ordinary tests use too.
        .target(name: "FuzzTargets", dependencies: [account]),
        fuzzer("journal"), fuzzer("portfolio"), fuzzer("config"), fuzzer("import"),
        .executableTarget(
            name: "fuzz-c-api", dependencies: [.product(name: "papertrade", package: "PaperTrade")], publicHeadersPath: "."),
    ],
    swiftLanguageModes: [.v6]
)
