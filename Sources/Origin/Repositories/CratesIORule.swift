import Postgres
import Registry

/// Whether dependencies of a repository's own crates on crates.io are served as dependencies on the repository.
///
/// | raw value | dependencies on crates.io                                                 |
/// |-----------|---------------------------------------------------------------------------|
/// | `auto`    | stay inside as long as one of the repository's upstreams is crates.io     |
/// | `on`      | stay inside: for mirrors of crates.io, and where its crates are imported  |
/// | `off`     | lead to crates.io, as they were published                                 |
package enum CratesIORewriting: String, Hashable, Sendable, CaseIterable, Codable {
    case auto
    case on
    case off
}

/// What holds in a repository, and how far its lines follow: columns of `repositories`.
///
/// Whoever adds lines holds the rule until they are committed (`hold`); whoever changes it waits for them, so that
/// renewing lines after the change finds every line that was made before it.
enum CratesIORule {
    /// Keeps the rule as it is until the transaction ends. Comes first in it: the repository's row is locked before crates'.
    ///
    /// - Returns: whether dependencies on crates.io stay inside; false if there is no such repository.
    static func hold(in repositoryID: Int64, _ transaction: Transaction) async throws -> Bool {
        try await transaction.query(
            "SELECT rewrites_crates_io FROM repositories WHERE id = \(repositoryID) FOR SHARE"
        ).first?.value("rewrites_crates_io") ?? false
    }

    /// Works out what holds, after the setting or the upstreams were changed in the same transaction.
    ///
    /// - Returns: whether it changed, so that lines must be renewed.
    @discardableResult
    static func renew(in repositoryID: Int64, _ transaction: Transaction) async throws -> Bool {
        // Two statements: the second one must see what a transaction that we waited for has committed.
        _ = try await transaction.query("SELECT FROM repositories WHERE id = \(repositoryID) FOR NO KEY UPDATE")
        let changed = try await transaction.execute(
            """
            UPDATE repositories SET rewrites_crates_io = rule.holds, lines_renewed_to = 0,
              rewrites_changed = rewrites_changed + 1
            FROM (
              SELECT id, rewrite_crates_io = 'on' OR (rewrite_crates_io = 'auto' AND EXISTS (
                SELECT FROM upstreams WHERE repository_id = repositories.id AND removed_at IS NULL
                  AND lower(index_url) = 'https://index.crates.io/')) AS holds
              FROM repositories WHERE id = \(repositoryID)
            ) AS rule
            WHERE repositories.id = rule.id AND rewrites_crates_io <> rule.holds
            """)
        return changed > 0
    }

    /// How far the lines of a repository follow its rule.
    struct Standing: Hashable, Sendable {
        let rewrites: Bool
        /// How often that has changed.
        let changes: Int64
        /// Lines of crates up to this id are as the rule says; nil: all.
        let renewedTo: Int64?
    }

    /// Just looks.
    static func standing(of repositoryID: Int64, _ pool: PostgresPool) async throws -> Standing? {
        try await pool.query(
            "SELECT \(literal: standingColumns) FROM repositories WHERE id = \(repositoryID)"
        ).first.map(Standing.init)
    }

    /// Keeps everybody from adding lines and renewing them until the transaction ends.
    static func lock(_ repositoryID: Int64, _ transaction: Transaction) async throws -> Standing? {
        try await transaction.query(
            "SELECT \(literal: standingColumns) FROM repositories WHERE id = \(repositoryID) FOR NO KEY UPDATE"
        ).first.map(Standing.init)
    }

    private static let standingColumns: StaticString = "rewrites_crates_io, rewrites_changed, lines_renewed_to"

    /// - Parameter id: of the last crate whose lines follow; nil: all do.
    static func note(renewedTo id: Int64?, in repositoryID: Int64, _ transaction: Transaction) async throws {
        _ = try await transaction.execute(
            "UPDATE repositories SET lines_renewed_to = \(id) WHERE id = \(repositoryID)")
    }

    /// Repositories with lines that do not follow their rule yet.
    static func behind(_ pool: PostgresPool) async throws -> [RepositoryName] {
        try await pool.query("SELECT name FROM repositories WHERE lines_renewed_to IS NOT NULL ORDER BY name").map {
            try RepositoryName(try $0.value("name", as: String.self))
        }
    }
}

extension CratesIORule.Standing {
    fileprivate init(_ row: Row) throws {
        rewrites = try row.value("rewrites_crates_io", as: Bool.self)
        changes = try row.value("rewrites_changed", as: Int64.self)
        renewedTo = try row.value("lines_renewed_to", as: Int64?.self)
    }
}
