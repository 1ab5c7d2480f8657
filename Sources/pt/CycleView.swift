import PaperTrade

/// A cycle's record as people and programs see it.
struct CycleView {
    private let cycle: Cycle

    init(_ cycle: Cycle) { self.cycle = cycle }

    /// The members of its line in the journal, in the same order.
    var members: [(String, JSON)] {
        let counts = cycle.counts
        var members: [(String, JSON)] = [
            ("cycle", .string(cycle.kind.rawValue)), ("outcome", .string(cycle.outcome.rawValue)),
        ]
        if let reason = cycle.reason { members.append(("reason", .text(reason))) }
        members += [
            ("analysed", .integer(counts.analysed)), ("unanalysed", .integer(counts.unanalysed)),
            ("changes", .integer(counts.changes)), ("queued", .integer(counts.queued)), ("bought", .integer(counts.bought)),
            ("sold", .integer(counts.sold)), ("rejected", .integer(counts.rejected)), ("deferred", .integer(counts.deferred)),
        ]
        if let value = cycle.value { members.append(("value", .amount(value))) }
        if let problem = cycle.problem { members.append(("problem", .text(problem))) }
        return members
    }

    /// `monitoring done: 5 analysed, 2 changes, 1 queued; value 10,240.00`
    var sentence: String { "\(cycle.kind.rawValue) \(cycle.outcome.rawValue): \(summary)" }

    /// What it did, or why it did not.
    var summary: String {
        var parts = cycle.reason.map { [$0.description] } ?? []
        let counts = cycle.counts
        if cycle.outcome == .done || counts.analysed > 0 {
            var figures = ["\(counts.analysed) analysed"]
            for (count, what) in [
                (counts.unanalysed, "without analysis"), (counts.changes, counts.changes == 1 ? "change" : "changes"),
                (counts.queued, "queued"), (counts.sold, "sold"), (counts.bought, "bought"), (counts.rejected, "rejected"),
                (counts.deferred, "deferred"),
            ] where count > 0 { figures.append("\(count) \(what)") }
            parts.append(figures.joined(separator: ", "))
        }
        if let value = cycle.value { parts.append("value \(value.money)") }
        if let problem = cycle.problem, problem != cycle.reason { parts.append(problem.description) }
        return parts.joined(separator: "; ")
    }
}

/// A known signal for programs.
struct SignalView {
    private let known: KnownSignal

    init(_ known: KnownSignal) { self.known = known }

    var members: [(String, JSON)] {
        [
            ("signal", .text(known.signal)), ("score", .amount(known.score)), ("price", .amount(known.price)),
        ] + (known.confidence.map { [("confidence", .string($0.name))] } ?? [])
            + (known.sector.map { [("sector", .text($0))] } ?? [])
    }
}
