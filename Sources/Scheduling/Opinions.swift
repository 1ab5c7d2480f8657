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

    /// The first thing that went wrong, with its symbol.
    public var firstProblem: String? {
        all.lazy.compactMap { opinion in opinion.problem.map { "\(opinion.symbol): \($0)" } }.first
    }
}
