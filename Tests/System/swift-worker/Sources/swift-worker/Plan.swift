/// The requests of a worker: a function of seed, worker and index, so that a restarted worker can repeat its last request exactly.
/// workers/worker.c and workers/worker.py have the same plan; see workers.py.
struct Plan {
    let seed: UInt64
    let worker: UInt64

    enum Step {
        case buy, sell, sellAll, deposit, withdraw, split, dividend, writeOff, enqueue, execute, dequeueAll, clearQueue
    }

    func draw(_ index: UInt64, _ number: UInt64) -> UInt64 {
        mixed(mixed(seed) &+ (worker &* 1_000_000 &+ index) &* 8 &+ number)
    }

    private func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    func step(_ index: UInt64) -> Step {
        switch draw(index, 0) % 100 {
        case 0..<45: .buy
        case 45..<75: .sell
        case 75..<80: .sellAll
        case 80..<84: .deposit
        case 84..<87: .withdraw
        case 87..<89: .split
        case 89..<91: .dividend
        case 91..<92: .writeOff
        case 92..<96: .enqueue
        case 96..<98: .execute
        case 98..<99: .dequeueAll
        default: .clearQueue
        }
    }

    func symbol(_ index: UInt64) -> String {
        ["AAPL", "MSFT", "NVDA", "BRK.B", "BTC-USD", "^GSPC"][Int(draw(index, 1) % 6)]
    }

    /// Up to 20 shares.
    func shares(_ index: UInt64) -> Int64 { 1 + Int64(draw(index, 2) % 20_000_000) }
    /// 1 to 201.
    func price(_ index: UInt64) -> Int64 { 1_000_000 + Int64(draw(index, 3) % 200_000_000) }
    /// Up to 1,000.
    func amount(_ index: UInt64) -> Int64 { 1 + Int64(draw(index, 2) % 1_000_000_000) }
    /// Up to 5.
    func perShare(_ index: UInt64) -> Int64 { 1 + Int64(draw(index, 3) % 5_000_000) }
    /// 1 to 7.
    func ratio(_ index: UInt64) -> (new: Int64, old: Int64) { (1 + Int64(draw(index, 2) % 7), 1 + Int64(draw(index, 3) % 7)) }
    func score(_ index: UInt64) -> Int64 { Int64(draw(index, 2) % 100_000_001) }
    func signal(_ index: UInt64) -> Int { 1 + Int(draw(index, 4) % 6) }
}
