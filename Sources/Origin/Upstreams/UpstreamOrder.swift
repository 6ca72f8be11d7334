import Postgres
import Registry

/// Whose lines count, if several upstreams have a crate: the first that has it, in the repository's order.
///
/// A change of the order moves no lines by itself: what the upstream that comes first now says has to be heard. Edges hear of the
/// change and ask anew, so it is asked for each name when that is next wanted, and its answer takes over, and has judged again,
/// in the transaction that writes it. What is held is served if it can't answer.
struct UpstreamOrder: Hashable, Sendable {
    /// From 1 on.
    struct Move: Hashable, Sendable {
        let from: Int
        let to: Int
    }

    /// The first one is asked first.
    private(set) var upstreams: [Int64]

    init(_ upstreams: [Int64]) { self.upstreams = upstreams }

    /// - Parameter position: from 1 on; the others keep their order.
    /// - Returns: nil for a position or an upstream that there is not.
    mutating func move(_ upstream: Int64, to position: Int) -> Move? {
        guard position >= 1, position <= upstreams.count, let place = upstreams.firstIndex(of: upstream) else {
            return nil
        }
        upstreams.remove(at: place)
        upstreams.insert(upstream, at: position - 1)
        return Move(from: place + 1, to: position)
    }
}

extension UpstreamStore {
    /// The order as it is and stays until the transaction ends: none is moved, changed or removed by others meanwhile.
    ///
    /// Taken before any single upstream is locked, so that two who change the order can't lock each other out.
    func lockOrder(of repository: Repository, _ transaction: Transaction) async throws -> UpstreamOrder {
        let rows = try await transaction.query(
            """
            SELECT id FROM upstreams WHERE repository_id = \(repository.id) AND removed_at IS NULL
            ORDER BY place, id FOR NO KEY UPDATE
            """)
        return UpstreamOrder(try rows.map { try $0.value("id", as: Int64.self) })
    }

    /// - Parameter order: from `lockOrder`.
    /// - Throws: 400 for a position that there is not.
    func move(
        _ upstream: Upstream, to position: Int, in order: UpstreamOrder, of repository: Repository,
        _ transaction: Transaction
    ) async throws -> UpstreamOrder.Move {
        var order = order
        guard let move = order.move(upstream.id, to: position) else {
            throw Refusal.badRequest(
                "`\(repository.name)` has \(order.upstreams.count) upstreams: a position is a number from 1, which is asked "
                    + "first, to \(order.upstreams.count), not \(position)")
        }
        _ = try await transaction.execute(
            """
            UPDATE upstreams SET place = ordered.place
            FROM unnest(\(order.upstreams)::bigint[]) WITH ORDINALITY AS ordered (id, place)
            WHERE upstreams.id = ordered.id AND upstreams.place <> ordered.place
            """)
        return move
    }

    /// True if the crate has lines of an upstream that comes first.
    ///
    /// Read in the transaction that would write, since the order may be another than when the question left.
    func isBehind(
        _ upstream: Upstream, _ name: CrateName, _ crate: CrateRows.Crate, in repository: Repository,
        _ transaction: Transaction
    ) async throws -> Bool {
        let rows = try await transaction.query(
            """
            SELECT \(literal: Self.columns) FROM upstreams
            WHERE repository_id = \(repository.id) AND removed_at IS NULL
              AND place < (SELECT place FROM upstreams WHERE id = \(upstream.id))
              AND EXISTS (SELECT 1 FROM versions WHERE crate_id = \(crate.id) AND upstream_id = upstreams.id)
            """)
        return try rows.contains { try Self.upstream($0).filter.covers(name) }
    }

    /// Lines that came from another upstream, such as one that was removed, are this one's now: it has the crate.
    ///
    /// - Returns: versions whose facts named the other one until now. They have to be judged again, since rules may name
    ///   upstreams; one that the transaction deletes meanwhile may be among them.
    func takeOver(
        _ crate: CrateRows.Crate, _ upstream: Upstream, _ transaction: Transaction
    ) async throws -> [Int64] {
        _ = try await transaction.execute(
            """
            UPDATE versions SET upstream_id = \(upstream.id)
            WHERE crate_id = \(crate.id) AND upstream_id <> \(upstream.id)
            """)
        return try await facts.nameUpstream(upstream.name, upstream.id, ofCrate: crate.id, in: transaction)
    }
}
