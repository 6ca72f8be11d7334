import CrateFile
import NIOCore
package import Postgres
import Registry

/// Reads a closure in one snapshot: first the list, then the files in batches.
package struct ClosureStore: Sendable {
    /// What a closure consists of, in this order: one list, any number of texts.
    enum Part: Sendable {
        ///
        /// - weights: how large each file will be when it is packed, roughly, in the list's order.
        case list(ClosureList, position: UInt64, weights: [Int])
        /// One or more files, whole, in the list's order.
        case text(ByteBuffer)
        /// One or more files as gzip members, in the list's order; the rest may take a while.
        case packed([ByteBuffer])
    }

    /// The database broke off in the middle; what was already sent can't be taken back.
    struct Broken: Error {}

    private static let batchBytes = 1 << 20
    private static let batchFilesMax = 64
    /// How many bytes of a usual index file become one of its gzip member.
    private static let packingRatio = 10

    let pool: PostgresPool
    let limits: ClosureItems.Limits
    /// Gzip members by the checksum of what is in them: what several edges ask for is packed once.
    private let packed = RecentlyUsed<Checksum, ByteBuffer>(bytesMax: 64 << 20)
    private let needs = NeedsStore()
    /// Each closure holds a connection while it is read. Those inside and in line are the route's 16 places.
    private let gate = Gate(insideMax: 4, waitingMax: 12, of: "closures")

    package init(pool: PostgresPool) { self.init(pool: pool, limits: ClosureItems.Limits()) }

    init(pool: PostgresPool, limits: ClosureItems.Limits) {
        self.pool = pool
        self.limits = limits
    }

    /// Hands the parts over as they are read. The connection goes back as soon as all is read, however slow the edge is.
    ///
    /// - Parameters:
    ///   - isPacked: files come as `packed` and not as `text`, and the way is a `ResolverWalk`.
    ///   - isFound: whether likely names that are not here are nowhere else; nil: it does not matter.
    /// - Returns: false if `isFound` said no; then nothing was handed over.
    @discardableResult
    func read(
        _ question: ClosureQuestion, in repository: Repository, isPacked: Bool = false,
        isFound: (@Sendable ([IndexPath], Transaction) async throws -> Bool)? = nil, _ hand: @Sendable (Part) -> Void
    ) async throws -> Bool {
        try await gate.pass {
            var hasBegun = false
            return try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
                // Run again after a lost connection; then the list is out already.
                guard !hasBegun else { throw Broken() }
                let knowsAll = !repository.readsThrough
                let (items, position, unknown) =
                    isPacked
                    ? try await walk(
                        ResolverWalk(question, limits: limits, knowsAll: knowsAll), in: repository, transaction)
                    : try await walk(
                        ClosureWalk(question, limits: limits, knowsAll: knowsAll), in: repository, transaction)
                if let isFound, !unknown.isEmpty, try await !isFound(unknown, transaction) { return false }
                hasBegun = true
                let known = isPacked ? packed.held(items.files.map(\.tag.checksum)) : [:]
                let weights = items.files.map {
                    known[$0.tag.checksum]?.readableBytes ?? $0.bytes / Self.packingRatio
                }
                hand(.list(ClosureList(items.list), position: position, weights: weights))
                for batch in Self.batches(items.files, known) {
                    if isPacked {
                        hand(.packed(try await packedTexts(batch, known, transaction)))
                    } else {
                        hand(.text(Self.joined(try await texts(batch, transaction))))
                    }
                }
                return true
            }
        }
    }

    /// Level by level: a recursive statement would know neither the limits nor an order.
    func walk(
        _ way: some ClosureWay, in repository: Repository, _ transaction: Transaction
    ) async throws -> (items: ClosureItems, position: UInt64, unknown: [IndexPath]) {
        var way = way
        var position: UInt64?
        while !way.frontier.isEmpty {
            let rows = try await transaction.query(Self.level(way.frontier, in: repository))
            guard let first = rows.first else { preconditionFailure("each asked name has a row") }
            position = try first.value("position", as: UInt64.self)
            var found = try Self.found(rows)
            if type(of: way).readsNeeds { try await needs.fill(&found, transaction) }
            way.visit(found)
        }
        guard let position else { preconditionFailure("a question has a root") }
        return (way.items, position, way.unknown)
    }

    /// What those of the crates need that are here.
    func needs(
        of paths: [IndexPath], in repository: Repository, _ transaction: Transaction
    ) async throws -> [IndexPath: CrateNeeds] {
        var found = try Self.found(try await transaction.query(Self.level(paths, in: repository)))
        try await needs.fill(&found, transaction)
        return found.compactMapValues(\.needs)
    }

    private static func found(_ rows: [Row]) throws -> [IndexPath: ClosureItems.Found] {
        var found: [IndexPath: ClosureItems.Found] = [:]
        for row in rows {
            guard let name = try? CrateName(row.value("asked", as: String.self)) else { continue }
            found[name.indexPath] = try Self.found(row)
        }
        return found
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

    private static func found(_ row: Row) throws -> ClosureItems.Found? {
        guard let id = try row.value("id", as: Int64?.self) else { return nil }
        let generation = try row.value("generation", as: UInt64.self)
        guard generation > 0, let bytes = try row.value("index_checksum", as: [UInt8]?.self) else { return nil }
        guard let checksum = Checksum(bytes: bytes) else {
            preconditionFailure("the checksum of an index file is a SHA-256")
        }
        return ClosureItems.Found(
            crateID: id, tag: EntityTag(generation: generation, checksum: checksum),
            bytes: try row.value("index_bytes", as: Int.self),
            names: try row.value("names", as: [String]?.self) ?? [])
    }

    /// Files that are read together; those whose member is known cost nothing.
    private static func batches(
        _ files: [ClosureItems.Found], _ known: [Checksum: ByteBuffer]
    ) -> [[ClosureItems.Found]] {
        var batches: [[ClosureItems.Found]] = []
        var bytes = 0
        var count = 0
        for file in files {
            if known[file.tag.checksum] == nil {
                bytes += file.bytes
                count += 1
            }
            if let last = batches.indices.last, count <= batchFilesMax, bytes <= batchBytes {
                batches[last].append(file)
            } else {
                batches.append([file])
                bytes = file.bytes
                count = 1
            }
        }
        return batches
    }

    /// - Returns: in the order of `batch`.
    private func texts(_ batch: [ClosureItems.Found], _ transaction: Transaction) async throws -> [String] {
        let rows = try await transaction.query(
            """
            SELECT crate_id, string_agg(line || E'\\n', '' ORDER BY id) AS text FROM versions
            WHERE crate_id = ANY(\(batch.map(\.crateID))::bigint[]) GROUP BY crate_id
            """)
        var texts: [Int64: String] = [:]
        for row in rows { texts[try row.value("crate_id", as: Int64.self)] = try row.value("text", as: String.self) }
        return try batch.map { file in
            let text = texts[file.crateID] ?? ""
            // The list has promised it; an edge could not tell where the next file begins.
            guard text.utf8.count == file.bytes else { throw Broken() }
            return text
        }
    }

    private static func joined(_ texts: [String]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(texts.reduce(0) { $0 + $1.utf8.count })
        texts.forEach { buffer.writeString($0) }
        return buffer
    }

    /// Those that were sent before are neither read nor packed again.
    private func packedTexts(
        _ batch: [ClosureItems.Found], _ known: [Checksum: ByteBuffer], _ transaction: Transaction
    ) async throws -> [ByteBuffer] {
        let missing = batch.filter { known[$0.tag.checksum] == nil }
        guard !missing.isEmpty else { return batch.compactMap { known[$0.tag.checksum] } }
        let texts = try await texts(missing, transaction)
        let made = try await withThrowingTaskGroup(of: (Checksum, ByteBuffer).self) { group in
            for (file, text) in zip(missing, texts) {
                group.addTask {
                    (file.tag.checksum, ByteBuffer(bytes: try Gzip.compress(Array(text.utf8))))
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (checksum, member) in made { packed.keep(checksum, member, bytes: member.readableBytes) }
        return batch.compactMap { known[$0.tag.checksum] ?? made[$0.tag.checksum] }
    }
}
