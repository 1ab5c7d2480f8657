import Ledger

/// Comparing what an analyst says with what was last known.
///
/// | change | when |
/// |---|---|
/// | `NEW` | nothing was known |
/// | `CRITICAL_DOWNGRADE` | from BUY or better to WEAK SELL or worse |
/// | `MAJOR_DOWNGRADE` | down by `monitoring.major_downgrade_levels` (2) levels or more |
/// | `DOWNGRADE` | down by less |
/// | `MAJOR_UPGRADE` | up by `monitoring.major_upgrade_levels` (3) levels or more |
/// | `UPGRADE` | up by less |
/// | `SCORE_CHANGE` | the same signal, and the score moved by `monitoring.score_change` (3) points or more |
///
/// The first that applies counts. Anything less is no change, and what was known stays known: a score that creeps is compared with
/// where it was last recorded, so that it is recorded one day.
public func signalChange(of symbol: Symbol, to analysis: Analysis, from known: KnownSignal?, under rules: Rules) -> SignalChange?
{
    guard let kind = changeKind(from: known, to: analysis, under: rules) else { return nil }
    return SignalChange(
        kind: kind, urgency: kind.urgency, symbol: symbol, signal: analysis.signal, score: analysis.score, price: analysis.price,
        previousSignal: known?.signal, previousScore: known?.score, confidence: analysis.confidence,
        sector: analysis.sector ?? known?.sector, reason: analysis.reason)
}

private func changeKind(from known: KnownSignal?, to analysis: Analysis, under rules: Rules) -> SignalChangeKind? {
    guard let known else { return .new }
    let levels = analysis.signal.rawValue - known.signal.rawValue
    if known.signal >= .buy && analysis.signal <= .weakSell { return .criticalDowngrade }
    if levels < 0 { return -levels >= rules.count(.monitoringMajorDowngradeLevels) ? .majorDowngrade : .downgrade }
    if levels > 0 { return levels >= rules.count(.monitoringMajorUpgradeLevels) ? .majorUpgrade : .upgrade }
    let moved = (analysis.score.micros - known.score.micros).magnitude
    return moved > 0 && moved >= rules[.monitoringScoreChange].micros.magnitude ? .scoreChange : nil
}

extension SignalChangeKind {
    public var urgency: Urgency {
        switch self {
        case .criticalDowngrade: .critical
        case .majorDowngrade, .majorUpgrade: .high
        case .downgrade, .upgrade: .medium
        case .new, .scoreChange: .low
        }
    }

    /// Whether the change can make an opportunity of its symbol, if it is to BUY or better.
    public var isUpward: Bool {
        switch self {
        case .new, .upgrade, .majorUpgrade: true
        case .downgrade, .majorDowngrade, .criticalDowngrade, .scoreChange: false
        }
    }
}
