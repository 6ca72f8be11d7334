import HTTPTypes
import Postgres
package import Registry

/// What administrators change: each change is audited, and edges drop what they hold of the repository, since what was absent may
/// be there now, or the other way round.
extension UpstreamStore {
    /// A credential, and what it is sealed with.
    package struct ToSeal: Sendable {
        let credential: UpstreamCredential
        let seal: KeySeal
    }

    /// Adds an upstream.
    ///
    /// - Parameter position: in the order of the repository's upstreams, from 1 on; nil: behind those that are there.
    /// - Throws: 409 if the name is taken, 400 for a position that there is not.
    package func add(
        _ offer: UpstreamOffer, _ secret: ToSeal? = nil, at position: Int? = nil, to repository: Repository,
        by actor: Actor
    ) async throws {
        try await pool.withTransaction { transaction in
            guard try await insert(offer, repository, transaction) else {
                throw Refusal(.conflict, "`\(repository.name)` has an upstream `\(offer.name)` already")
            }
            try await complete(offer, secret, at: position, in: repository, by: actor, transaction)
        }
    }

    /// Adds an upstream, or makes one of this name what the offer says.
    ///
    /// With another index all that the old one said has to be said again, and until then it is served. The credential stays only
    /// with the index's scheme, host and port: whoever may move an upstream could otherwise have it sent to themselves.
    /// - Parameter position: as of `add`; nil: one that is there stays where it is.
    /// - Returns: true if it is new.
    func put(
        _ offer: UpstreamOffer, at position: Int? = nil, in repository: Repository, by actor: Actor
    ) async throws -> Bool {
        try await pool.withTransaction { transaction in
            if try await insert(offer, repository, transaction) {
                try await complete(offer, nil, at: position, in: repository, by: actor, transaction)
                return true
            }
            _ = try await rewrite(offer.name, nil, at: position, in: repository, by: actor, transaction) { _ in offer }
            return false
        }
    }

    /// What is to be done with an upstream that has just got its row.
    private func complete(
        _ offer: UpstreamOffer, _ secret: ToSeal?, at position: Int?, in repository: Repository, by actor: Actor,
        _ transaction: Transaction
    ) async throws {
        var said = UpstreamDetail(offer)
        let (upstream, move) = try await locked(offer.name, movedTo: position, repository, transaction)
        said.add(move)
        if let secret {
            try await write(secret, upstream, transaction)
            said.addCredential(.set)
        }
        try await CratesIORule.renew(in: repository.id, transaction)
        try await announce("upstream.add", repository, said.detail, by: actor, transaction)
    }

    /// Changes what is named of an upstream; otherwise as `put`.
    ///
    /// - Parameter secret: a new credential, for the index as it is then; nil: it stays, if the index stays where it is.
    /// - Returns: the upstream's credential is gone, because its index has moved.
    /// - Throws: 404 if there is no upstream of this name, 400 for a position that there is not.
    func change(
        _ name: RepositoryName, _ change: UpstreamChange, _ secret: ToSeal? = nil, in repository: Repository,
        by actor: Actor
    ) async throws -> Bool {
        try await pool.withTransaction { transaction in
            try await rewrite(name, secret, at: change.position, in: repository, by: actor, transaction) { old in
                change.offer(name, from: old)
            }
        }
    }

    /// - Parameter offer: what the upstream is to be, made of what it is.
    /// - Returns: the upstream's credential is gone, because its index has moved.
    private func rewrite(
        _ name: RepositoryName, _ secret: ToSeal?, at position: Int?, in repository: Repository, by actor: Actor,
        _ transaction: Transaction, _ offer: (Upstream) -> UpstreamOffer
    ) async throws -> Bool {
        let (old, move) = try await locked(name, movedTo: position, repository, transaction)
        let offer = offer(old)
        let keepsCredential = offer.index.address.isSameOrigin(as: old.index.address)
        _ = try await transaction.execute(
            """
            UPDATE upstreams SET index_url = \(offer.index.url),
              include = \(offer.filter.include.map(\.description))::text[],
              exclude = \(offer.filter.exclude.map(\.description))::text[], fresh_seconds = \(offer.freshSeconds),
              private_allowed = \(offer.privateAllowed), also_hosts = \(offer.alsoHosts.map(\.description))::text[],
              sealed_credential = CASE WHEN \(keepsCredential) THEN sealed_credential END
            WHERE id = \(old.id)
            """)
        if let secret { try await write(secret, old, transaction) }
        try await forgive(old.id, transaction)
        if old.index != offer.index { try await doubt(old.id, transaction) }
        try await CratesIORule.renew(in: repository.id, transaction)
        let isLost = secret == nil && old.sealedCredential != nil && !keepsCredential
        var said = UpstreamDetail(from: old, to: offer)
        said.add(move)
        if secret != nil || isLost { said.addCredential(isLost ? .removed : .set) }
        try await announce("upstream.set", repository, said.detail, by: actor, transaction)
        return isLost
    }

    /// Replaces the credential, or takes it away.
    ///
    /// - Throws: 404 if there is no upstream of this name.
    func setCredential(
        _ secret: ToSeal?, of name: RepositoryName, in repository: Repository, by actor: Actor
    ) async throws {
        try await pool.withTransaction { transaction in
            let upstream = try await locked(name, repository, transaction)
            try await write(secret, upstream, transaction)
            try await forgive(upstream.id, transaction)
            try await announce(
                "upstream.credential", repository,
                ["upstream": name.description, "credential": secret == nil ? "removed" : "set"], by: actor, transaction)
        }
    }

    private func write(_ secret: ToSeal?, _ upstream: Upstream, _ transaction: Transaction) async throws {
        let sealed = try secret.map {
            try $0.seal.seal(Array($0.credential.text.utf8), for: UpstreamCredential.purpose(upstream.id))
        }
        _ = try await transaction.execute(
            "UPDATE upstreams SET sealed_credential = \(sealed) WHERE id = \(upstream.id)")
    }

    /// What came from it stays; nothing new does.
    ///
    /// - Throws: 404 if there is none of this name.
    package func remove(_ name: RepositoryName, from repository: Repository, by actor: Actor) async throws {
        try await pool.withTransaction { transaction in
            let upstream = try await locked(name, repository, transaction)
            _ = try await transaction.execute(
                "UPDATE upstreams SET removed_at = now(), sealed_credential = NULL WHERE id = \(upstream.id)")
            try await CratesIORule.renew(in: repository.id, transaction)
            try await announce("upstream.remove", repository, ["upstream": name.description], by: actor, transaction)
        }
    }

    /// Replaces the patterns of names that no upstream is asked for.
    package func reserve(_ patterns: [CratePattern], in repository: Repository, by actor: Actor) async throws {
        let texts = patterns.map(\.description)
        try await pool.withTransaction { transaction in
            _ = try await transaction.execute(
                "DELETE FROM upstream_reserved WHERE repository_id = \(repository.id)")
            _ = try await transaction.execute(
                """
                INSERT INTO upstream_reserved (repository_id, pattern)
                SELECT DISTINCT \(repository.id)::bigint, pattern FROM unnest(\(texts)::text[]) AS pattern
                """)
            try await announce(
                "upstream.reserve", repository, ["patterns": texts.joined(separator: ",")], by: actor, transaction)
        }
    }

    /// - Returns: false if the name is taken.
    private func insert(
        _ offer: UpstreamOffer, _ repository: Repository, _ transaction: Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            INSERT INTO upstreams (repository_id, name, place, index_url, include, exclude, fresh_seconds,
              private_allowed, also_hosts)
            SELECT \(repository.id), \(offer.name.description), coalesce(max(place), 0) + 1, \(offer.index.url),
              \(offer.filter.include.map(\.description))::text[],
              \(offer.filter.exclude.map(\.description))::text[], \(offer.freshSeconds), \(offer.privateAllowed),
              \(offer.alsoHosts.map(\.description))::text[]
            FROM upstreams WHERE repository_id = \(repository.id)
            ON CONFLICT (repository_id, name) WHERE removed_at IS NULL DO NOTHING
            """) > 0
    }

    /// An upstream as it is, and at its new place in the order, if it is to have one.
    private func locked(
        _ name: RepositoryName, movedTo position: Int?, _ repository: Repository, _ transaction: Transaction
    ) async throws -> (Upstream, UpstreamOrder.Move?) {
        guard let position else { return (try await locked(name, repository, transaction), nil) }
        let order = try await lockOrder(of: repository, transaction)
        let upstream = try await locked(name, repository, transaction)
        return (upstream, try await move(upstream, to: position, in: order, of: repository, transaction))
    }

    private func locked(
        _ name: RepositoryName, _ repository: Repository, _ transaction: Transaction
    ) async throws -> Upstream {
        let rows = try await transaction.query(
            """
            SELECT \(literal: Self.columns) FROM upstreams
            WHERE repository_id = \(repository.id) AND name = \(name.description) AND removed_at IS NULL FOR NO KEY UPDATE
            """)
        guard let row = rows.first else { throw Refusal.noUpstream(name, in: repository) }
        return try Self.upstream(row)
    }

    /// What was changed may be what was wrong: it is asked again at once.
    private func forgive(_ upstream: Int64, _ transaction: Transaction) async throws {
        _ = try await transaction.execute(
            "UPDATE upstreams SET paused_until = NULL, pause_cause = NULL WHERE id = \(upstream)")
        // Still later than `at`: a changed checksum is told from other faults by that.
        _ = try await transaction.execute(
            """
            UPDATE upstream_faults SET retry_at = at + interval '1 millisecond'
            WHERE upstream_id = \(upstream) AND retry_at > now()
            """)
    }

    /// Answers that are under way come from the index before, so they are dropped; each name's turn comes at once.
    private func doubt(_ upstream: Int64, _ transaction: Transaction) async throws {
        _ = try await transaction.execute(
            """
            UPDATE upstream_files SET checked_at = 'epoch', etag = NULL, last_modified = NULL, claimed_until = NULL,
              stamp = stamp + 1
            WHERE upstream_id = \(upstream)
            """)
    }

    private func announce(
        _ action: String, _ repository: Repository, _ detail: [String: String], by actor: Actor,
        _ transaction: Transaction
    ) async throws {
        try await audit.record(
            AuditEntry(
                actor: actor.name, tokenID: actor.tokenID, action: action, repository: repository.name,
                detail: detail), in: transaction)
        _ = try await events.append([.repository(repository.name)], in: transaction)
    }
}

extension Refusal {
    static func noUpstream(_ name: RepositoryName, in repository: Repository) -> Refusal {
        .notFound("`\(repository.name)` has no upstream `\(name)`")
    }
}
