package import Postgres
import Registry

/// Finds crates by name, keywords and description; reads the search column that publish keeps.
///
/// Crates of upstreams have no words there, since an index tells none: they are found by the beginning of their name, once
/// somebody has asked for them.
package struct SearchStore: Sendable {
    let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    struct Page {
        let hits: [CargoAnswer.Hit]
        /// Of all that match, on every page.
        let total: UInt32
    }

    /// Exact names first, then names that begin so, then by rank; an empty query lists all by name.
    func find(
        _ query: SearchQuery, in repository: Repository, within scope: CrateScope, page: SearchPage
    ) async throws -> Page {
        let rows = try await pool.query(Self.statement(query, in: repository, within: scope, page: page))
        let total = try rows.first?.value("count", as: Int.self) ?? 0
        return Page(hits: try rows.compactMap(Self.hit), total: UInt32(clamping: total))
    }

    /// Behind a beginning, nothing that begins so comes later, in whatever collation: of names' characters `z` is the last. That
    /// bounds the walk through the index.
    private static let behindAllNames = String(repeating: "z", count: CrateName.bytesMax)

    /// At least one row, which has the total; pages are cut before the joined rows are read.
    static func statement(
        _ query: SearchQuery, in repository: Repository, within scope: CrateScope, page: SearchPage
    ) -> Query {
        """
        WITH query AS MATERIALIZED (
          SELECT to_tsquery('simple', \(query.prefixes)) || plainto_tsquery('english', \(query.text)) AS words
        ), matching AS MATERIALIZED (
          SELECT crates.id FROM crates CROSS JOIN query
          WHERE crates.repository_id = \(repository.id) AND crates.search @@ query.words
          UNION ALL
          SELECT id FROM crates
          WHERE repository_id = \(repository.id) AND search = ''::tsvector AND \(query.identity) <> ''
            AND identity BETWEEN \(query.identity) AND \(query.identity + Self.behindAllNames)
            AND starts_with(identity, \(query.identity))
        ), hits AS MATERIALIZED (
          SELECT crates.identity, crates.name, crates.newest, crates.description,
            ts_rank(crates.search, query.words) AS rank
          FROM crates CROSS JOIN query
          WHERE crates.repository_id = \(repository.id) AND crates.generation > 0
            AND \(literal: query.isEmpty ? "true" : "crates.id IN (SELECT id FROM matching)")
            AND (\(scope.isEverything) OR crates.identity = ANY(\(scope.exact)::text[]) OR EXISTS (
              SELECT 1 FROM unnest(\(scope.prefixes)::text[]) AS prefix WHERE starts_with(crates.identity, prefix)))
        ), page AS (
          SELECT * FROM hits ORDER BY identity = \(query.identity) DESC,
            \(query.identity) <> '' AND starts_with(identity, \(query.identity)) DESC, rank DESC, identity
          LIMIT \(page.perPage) OFFSET \(page.offset)
        )
        SELECT total.count, page.* FROM (SELECT count(*) AS count FROM hits) AS total LEFT JOIN page ON true
        ORDER BY page.identity = \(query.identity) DESC,
          \(query.identity) <> '' AND starts_with(page.identity, \(query.identity)) DESC, page.rank DESC, page.identity
        """
    }

    private static func hit(_ row: Row) throws -> CargoAnswer.Hit? {
        // The one row of a page without hits carries the total alone.
        guard let name = try row.value("name", as: String?.self) else { return nil }
        let description = try row.value("description", as: String.self)
        return CargoAnswer.Hit(
            name: try CrateName(name), newest: try Version(row.value("newest", as: String.self)),
            description: description.isEmpty ? nil : description)
    }
}

/// Which crates the one who asks may hear of.
struct CrateScope: Equatable {
    var isEverything = false
    /// Identities.
    var exact: [String] = []
    var prefixes: [String] = []

    /// - Precondition: the principal may read the repository.
    init(_ principal: Principal, in repository: Repository) {
        guard repository.isPrivate, case .token(let holder) = principal else {
            isEverything = !repository.isPrivate
            return
        }
        for grant in holder.grants where grant.allows(.read, in: repository.name, of: nil) {
            for pattern in grant.crates.map(\.description) {
                if pattern == "*" { isEverything = true }
                if pattern.hasSuffix("*") { prefixes.append(String(pattern.dropLast())) } else { exact.append(pattern) }
            }
        }
    }
}
