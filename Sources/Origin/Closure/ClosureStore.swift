import NIOCore
package import Postgres
import Registry

/// Reads a closure in one snapshot: first the list, then the files in batches.
package struct ClosureStore: Sendable {
    /// What a closure consists of, in this order: one list, any number of texts.
    enum Part: Sendable {
        case list(ClosureList, position: UInt64)
        /// One or more files, whole, in the list's order.
        case text(ByteBuffer)
    }

    /// The database broke off in the middle; what was already sent can't be taken back.
    struct Broken: Error {}

    private static let batchBytes = 1 << 20
    private static let batchFilesMax = 64

    let pool: PostgresPool
    let limits: ClosureWalk.Limits
    /// Each closure holds a connection while it is read. Those inside and in line are the route's 16 places.
    private let gate = Gate(insideMax: 4, waitingMax: 12, of: "closures")

    package init(pool: PostgresPool) { self.init(pool: pool, limits: ClosureWalk.Limits()) }

    init(pool: PostgresPool, limits: ClosureWalk.Limits) {
        self.pool = pool
        self.limits = limits
    }

    /// Hands the parts over as they are read. The connection goes back as soon as all is read, however slow the edge is.
    func read(
        _ question: ClosureQuestion, in repository: Repository, _ hand: @Sendable (Part) -> Void
    ) async throws {
        try await gate.pass {
            var hasBegun = false
            try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
                // Run again after a lost connection; then the list is out already.
                guard !hasBegun else { throw Broken() }
                let (walk, position) = try await walk(question, in: repository, transaction)
                hasBegun = true
                hand(.list(ClosureList(walk.items), position: position))
                try await readTexts(walk.files, transaction, hand)
            }
        }
    }

    /// Level by level: a recursive statement would know neither the limits nor an order.
    func walk(
        _ question: ClosureQuestion, in repository: Repository, _ transaction: Transaction
    ) async throws -> (walk: ClosureWalk, position: UInt64) {
        var walk = ClosureWalk(question, limits: limits, knowsAll: !repository.readsThrough)
        var position: UInt64?
        while !walk.frontier.isEmpty {
            let rows = try await transaction.query(Self.level(walk.frontier, in: repository))
            guard let first = rows.first else { preconditionFailure("each asked name has a row") }
            position = try first.value("position", as: UInt64.self)
            var found: [IndexPath: ClosureWalk.Found] = [:]
            for row in rows {
                guard let name = try? CrateName(row.value("asked", as: String.self)) else { continue }
                found[name.indexPath] = try Self.found(row)
            }
            walk.visit(found)
        }
        guard let position else { preconditionFailure("a question has a root") }
        return (walk, position)
    }

    /// One row for each name.
    static func level(_ paths: [IndexPath], in repository: Repository) -> Query {
        let names = paths.map(\.name)
        return """
            SELECT asked.name AS asked, (SELECT position FROM feed_head) AS position, crates.id, crates.generation,
              crates.index_checksum, crates.index_bytes, dependencies.names
            FROM unnest(\(names)::text[]) AS asked (name)
            LEFT JOIN crates ON crates.repository_id = \(repository.id)
              AND crates.identity = replace(asked.name, '-', '_') AND lower(crates.name) = asked.name
            LEFT JOIN dependencies ON dependencies.crate_id = crates.id
            """
    }

    private static func found(_ row: Row) throws -> ClosureWalk.Found? {
        guard let id = try row.value("id", as: Int64?.self) else { return nil }
        let generation = try row.value("generation", as: UInt64.self)
        guard generation > 0, let bytes = try row.value("index_checksum", as: [UInt8]?.self) else { return nil }
        guard let checksum = Checksum(bytes: bytes) else {
            preconditionFailure("the checksum of an index file is a SHA-256")
        }
        return ClosureWalk.Found(
            crateID: id, tag: EntityTag(generation: generation, checksum: checksum),
            bytes: try row.value("index_bytes", as: Int.self),
            names: try row.value("names", as: [String]?.self) ?? [])
    }

    private func readTexts(
        _ files: [ClosureWalk.Found], _ transaction: Transaction, _ hand: (Part) -> Void
    ) async throws {
        var rest = files[...]
        while let first = rest.first {
            var bytes = first.bytes
            var batch = [rest.removeFirst()]
            while let next = rest.first, batch.count < Self.batchFilesMax, bytes + next.bytes <= Self.batchBytes {
                bytes += next.bytes
                batch.append(rest.removeFirst())
            }
            hand(.text(try await texts(batch, bytes: bytes, transaction)))
        }
    }

    private func texts(
        _ batch: [ClosureWalk.Found], bytes: Int, _ transaction: Transaction
    ) async throws -> ByteBuffer {
        let rows = try await transaction.query(
            """
            SELECT crate_id, string_agg(line || E'\\n', '' ORDER BY id) AS text FROM versions
            WHERE crate_id = ANY(\(batch.map(\.crateID))::bigint[]) GROUP BY crate_id
            """)
        var texts: [Int64: String] = [:]
        for row in rows { texts[try row.value("crate_id", as: Int64.self)] = try row.value("text", as: String.self) }
        var buffer = ByteBuffer()
        buffer.reserveCapacity(bytes)
        for file in batch {
            let begun = buffer.writerIndex
            buffer.writeString(texts[file.crateID] ?? "")
            // The list has promised it; an edge could not tell where the next file begins.
            guard buffer.writerIndex - begun == file.bytes else { throw Broken() }
        }
        return buffer
    }
}
