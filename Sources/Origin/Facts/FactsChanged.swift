package import Postgres
package import Registry

/// Versions whose facts are new or are no longer what they were.
package struct FactsChanged: Hashable, Sendable {
    /// What changed them.
    package enum Cause: String, Hashable, Sendable { case published, imported, upstream, manifest, yank, advisories }

    /// Ascending, each once, never empty.
    package let versionIDs: [Int64]
    package let cause: Cause

    package init(_ versionIDs: some Sequence<Int64>, cause: Cause) {
        self.versionIDs = Set(versionIDs).sorted()
        self.cause = cause
    }
}

/// Whoever judges versions by their facts, and so has to judge again when they change.
package protocol FactsListener: Sendable {
    /// Called inside the transaction of the change, which commits with the verdicts or not at all.
    ///
    /// Rows of `crates` are locked in ascending order of their ids, or two such transactions could wait for each other.
    /// - Returns: what the feed has to tell of the verdicts; the caller appends it last.
    func factsChanged(_ change: FactsChanged, in transaction: Transaction) async throws -> [RegistryEvent]
}

/// Nobody judges: every version may be used.
package struct NoFactsListener: FactsListener {
    package init() {}

    /// No events.
    package func factsChanged(_ change: FactsChanged, in transaction: Transaction) async throws -> [RegistryEvent] {
        []
    }
}
