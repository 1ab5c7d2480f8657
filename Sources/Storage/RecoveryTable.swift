/// What open finds, and what it does about it: every combination.
///
/// | journal \ portfolio | absent  | empty   | edited       | behind  | equal  | ahead          | lost    | foreign |
/// |---------------------|---------|---------|--------------|---------|--------|----------------|---------|---------|
/// | absent              | create  | missing | missing      | missing | missing| missing        | missing | missing |
/// | empty               | missing | missing | missing      | missing | missing| missing        | missing | missing |
/// | whole               | publish | publish | keep+publish | publish | trust  | keep+publish   | missing | wrong   |
/// | torn tail           | wipe    | wipe    | keep+wipe    | wipe    | wipe   | keep+wipe      | missing | wrong   |
/// | corrupt             | corrupt | corrupt | corrupt      | corrupt | corrupt| corrupt        | corrupt | wrong   |
///
/// - *ahead*: portfolio.json names events that the journal does not have, none of them known to be synced: a power cut took what
///   was never acknowledged. *lost*: one of them was known to be synced, or the journal is of an earlier generation: acknowledged
///   data is missing. *foreign*: the two files are of different accounts.
/// - Leftovers do not change the outcome. A `portfolio.json.tmp` is removed, or kept aside if it may be somebody's edit. A
///   `journal.jsonl.next` beside a journal is a half-done reset: its file is sealed if the exchange had happened, else removed. A
///   `journal.jsonl.next` with nothing else is a half-done creation and is removed. Sealed journals without a journal mean that
///   the journal is missing.
/// - Every outcome that stops changes nothing.
enum JournalFinding: CaseIterable {
    case absent, empty, whole, torn, corrupt
}

enum PortfolioFinding: CaseIterable {
    case absent, empty, edited, behind, equal, ahead, lost, foreign
}

enum RecoveryAction: Equatable {
    /// Make a new account.
    case create
    /// Nothing: the two agree.
    case trust
    /// Publish the state that the journal gives; keep the file that is there, if it is somebody's.
    case publish(keepsOld: Bool)
    /// Remove the unacknowledged tail of the journal first.
    case wipe(keepsOld: Bool)
    case stop(StorageError.Kind)
}

func recoveryAction(_ journal: JournalFinding, _ portfolio: PortfolioFinding) -> RecoveryAction {
    switch (journal, portfolio) {
    case (.absent, .absent): .create
    case (.absent, _), (.empty, _): .stop(.missingData)
    case (_, .foreign): .stop(.wrongAccount)
    case (.corrupt, _): .stop(.corrupt)
    case (_, .lost): .stop(.missingData)
    case (.whole, .equal): .trust
    case (.whole, .absent), (.whole, .empty), (.whole, .behind): .publish(keepsOld: false)
    case (.whole, .edited), (.whole, .ahead): .publish(keepsOld: true)
    case (.torn, .absent), (.torn, .empty), (.torn, .behind), (.torn, .equal): .wipe(keepsOld: false)
    case (.torn, .edited), (.torn, .ahead): .wipe(keepsOld: true)
    }
}
