#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Random numbers that can be drawn again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// `PAPERTRADE_SEED` if it is given, else a new seed; printed with `what`, so that a failure can be repeated.
    init(for what: String) {
        var system = SystemRandomNumberGenerator()
        state = setting("PAPERTRADE_SEED").map { UInt64($0) } ?? system.next() % 1_000_000_000
        print("PAPERTRADE_SEED=\(state) repeats: \(what)")
    }

    /// splitmix64: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A number from the environment, by which a run is made fuller or repeated.
func setting(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
