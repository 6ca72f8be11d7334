package import Postgres
package import Registry

/// Versions whose facts are new or are no longer what they were.
package struct FactsChanged: Hashable, Sendable {
    /// What changed them; `lines`: their index lines were made anew.
    package enum Cause: String, Hashable, Sendable {
        case published, imported, upstream, manifest, yank, advisories, lines
    }

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
    /// - Returns: what has to be recorded and told; the caller does that last, once all facts are written.
    func factsChanged(_ change: FactsChanged, in transaction: Transaction) async throws -> Verdicts
}

/// What new verdicts on versions leave to do at the end of their transaction: first the audit log, then the feed.
package struct Verdicts: Sendable {
    package static let none = Verdicts()

    package private(set) var entries: [AuditEntry]
    package private(set) var events: [RegistryEvent]

    package init(entries: [AuditEntry] = [], events: [RegistryEvent] = []) {
        self.entries = entries
        self.events = events
    }

    static func += (verdicts: inout Verdicts, more: Verdicts) {
        verdicts.entries += more.entries
        verdicts.events += more.events
    }
}

/// Nobody judges: every version may be used.
package struct NoFactsListener: FactsListener {
    package init() {}

    /// Nothing.
    package func factsChanged(_ change: FactsChanged, in transaction: Transaction) async throws -> Verdicts { .none }
}
