import Ledger

/// What an analyst said of one security, or why it said nothing of use.
public struct Opinion: Hashable, Sendable {
    public let symbol: Symbol
    /// `nil` if the analyst had no opinion, failed or answered nonsense.
    public let analysis: Analysis?
    /// What went wrong; `nil` if nothing did: having no opinion is no fault.
    public let problem: String?

    public init(symbol: Symbol, analysis: Analysis?, problem: String? = nil) {
        self.symbol = symbol
        self.analysis = analysis
        self.problem = problem
    }

    /// Whether nothing is known of what the analyst thinks. Having no opinion is an answer.
    var isFailure: Bool { analysis == nil && problem != nil }
}

/// What an analyst said of everything that a cycle asked about.
public struct Opinions: Sendable {
    /// In the order of the symbols, each once, so that the same opinions lead to the same events.
    public let all: [Opinion]
    private let bySymbol: [Symbol: Opinion]

    public init(_ opinions: [Opinion]) {
        bySymbol = Dictionary(opinions.map { ($0.symbol, $0) }, uniquingKeysWith: { first, _ in first })
        all = bySymbol.values.sorted { $0.symbol < $1.symbol }
    }

    public subscript(symbol: Symbol) -> Opinion? { bySymbol[symbol] }

    public func analysis(of symbol: Symbol) -> Analysis? { bySymbol[symbol]?.analysis }

    /// The prices that the analyst gave.
    public var quotes: [Symbol: Price] { bySymbol.compactMapValues { $0.analysis?.price } }

    /// What went wrong, each with its symbol.
    var problems: [String] {
        all.compactMap { opinion in opinion.problem.map { "\(opinion.symbol): \($0)" } }
    }

    /// Why nothing can be decided: the first failure, where somebody was asked and failed on everything.
    var failure: String? { all.allSatisfy(\.isFailure) ? problems.first : nil }

    /// Without those that a cycle of a later moment has overtaken: it was quicker, and what this one was told is no longer so.
    ///
    /// Compared are the moments of the cycles, not those at which analyses were formed: an analyst may work on prices of some minutes
    /// ago.
    ///
    /// - Parameter now: `time` and as long as the cycle has taken since: what lies further ahead than clocks may be apart does not count.
    func withoutOvertaken(in state: AccountState, at time: Timestamp, now: Timestamp) -> Opinions {
        let monitored = state.cycles.last(.monitoring, at: now)?.lastDone
        return Opinions(
            all.map { opinion in
                guard opinion.analysis != nil, let known = state.signal(of: opinion.symbol) else { return opinion }
                let later = [known.time, monitored].compactMap { $0 }.filter { $0 > time && !$0.isFarAhead(of: now) }.max()
                guard let later else { return opinion }
                return Opinion(symbol: opinion.symbol, analysis: nil, problem: "overtaken by the cycle of \(later)")
            })
    }
}
