package import Facts
package import Postgres
import Registry

/// What is known of a version when it is added.
struct NewFacts: Sendable {
    let versionID: Int64
    let identity: String
    let version: Version
    let origin: VersionFacts.Origin
    /// Nil if nobody vouches for a time.
    let publishedAt: Pubtime?
    /// Nil until the manifest can be read: of a version whose file an upstream still has.
    let traits: ManifestTraits?
    let links: String?
    let dependencies: DependencyCounts
}

extension NewFacts {
    /// - Parameter line: what it says of `links` and dependencies counts; the manifest says the rest.
    init(_ versionID: Int64, _ version: CheckedVersion, _ kind: VersionFacts.Origin.Kind) {
        self.init(
            versionID: versionID, identity: version.facts.name.identity, version: version.facts.version,
            origin: .init(kind), publishedAt: version.publishedAt, traits: version.traits, links: version.line.links,
            dependencies: DependencyCounts(version.line.dependencies))
    }
}

/// Gathers the facts of versions once, when they come, and puts them together for those who ask; owns `facts`.
package struct FactsStore: Sendable {
    let pool: PostgresPool
    let advisories: AdvisoryStore
    /// Judges again what has changed.
    let listener: any FactsListener

    package init(pool: PostgresPool, listener: any FactsListener = NoFactsListener()) {
        self.pool = pool
        self.listener = listener
        advisories = AdvisoryStore(pool: pool)
    }

    /// Keeps the facts of versions that this transaction adds, finds their advisories, and has them judged.
    ///
    func record(
        _ new: [NewFacts], cause: FactsChanged.Cause, in transaction: Transaction
    ) async throws -> Verdicts {
        guard !new.isEmpty else { return .none }
        func flags(_ fact: (ManifestTraits) -> Bool) -> [String] {
            new.map { $0.traits.map(fact) == true ? "t" : "f" }
        }
        _ = try await transaction.execute(
            Self.insert.bind(
                new.map(\.versionID), new.map(\.origin.kind.rawValue), new.map(\.origin.upstream),
                new.map { $0.publishedAt?.description }, flags { _ in true },
                new.map { Self.storable($0.traits?.license.text) }, flags(\.hasLicenseFile), flags(\.hasBuildScript),
                flags(\.isProcMacro), new.map { Self.storable($0.traits?.links ?? $0.links) },
                new.map(\.dependencies.normal), new.map(\.dependencies.build), new.map(\.dependencies.dev)))
        try await advisories.match(
            new.map { .init(id: $0.versionID, identity: $0.identity, version: $0.version) }, in: transaction)
        return try await changed(new.map(\.versionID), cause: cause, in: transaction)
    }

    /// Keeps what a manifest says that could be read only now, and has its version judged again.
    func fill(
        _ traits: ManifestTraits, of versionID: Int64, in transaction: Transaction
    ) async throws -> Verdicts {
        let count = try await transaction.execute(
            """
            UPDATE facts SET has_manifest = true, license = \(Self.storable(traits.license.text)),
              has_license_file = \(traits.hasLicenseFile), build_script = \(traits.hasBuildScript),
              proc_macro = \(traits.isProcMacro), links = coalesce(\(Self.storable(traits.links)), links)
            WHERE version_id = \(versionID) AND NOT has_manifest
            """)
        return count == 0 ? .none : try await changed([versionID], cause: .manifest, in: transaction)
    }

    /// Notes who yanked a version, or that nobody does any more, and has it judged again.
    func yanked(
        _ versionID: Int64, by whom: VersionFacts.Yank.By?, in transaction: Transaction
    ) async throws -> Verdicts {
        _ = try await transaction.execute(
            """
            UPDATE facts SET yanked_by = \(whom?.rawValue), yanked_at = CASE WHEN \(whom?.rawValue)::text IS NOT NULL THEN now() END
            WHERE version_id = \(versionID)
            """)
        return try await changed([versionID], cause: .yank, in: transaction)
    }

    /// The crate's versions from this upstream say so, whoever they came from before.
    ///
    /// - Returns: those that said something else, ascending; they are not judged yet.
    func nameUpstream(
        _ name: String, _ upstreamID: Int64, ofCrate crateID: Int64, in transaction: Transaction
    ) async throws -> [Int64] {
        try await transaction.query(
            """
            UPDATE facts SET upstream = \(name) FROM versions
            WHERE versions.id = facts.version_id AND versions.crate_id = \(crateID)
              AND versions.upstream_id = \(upstreamID) AND facts.origin = 'upstream'
              AND facts.upstream IS DISTINCT FROM \(name)
            RETURNING facts.version_id
            """
        ).map { try $0.value("version_id", as: Int64.self) }.sorted()
    }

    /// Has versions judged again; nothing happens for none.
    func changed(
        _ versionIDs: some Collection<Int64>, cause: FactsChanged.Cause, in transaction: Transaction
    ) async throws -> Verdicts {
        guard !versionIDs.isEmpty else { return .none }
        return try await listener.factsChanged(FactsChanged(versionIDs, cause: cause), in: transaction)
    }

    /// JSON and TOML can spell U+0000, which PostgreSQL can't hold.
    private static func storable(_ text: String?) -> String? { text?.replacing("\0", with: "\u{FFFD}") }

    /// $1 version, $2 origin, $3 upstream, $4 published, $5 manifest read, $6 licence, $7 licence file, $8 build script,
    /// $9 macro, $10 links, $11 to $13 dependencies: normal, build, dev. One place in each list a version.
    private static let insert: Query = """
        INSERT INTO facts (version_id, origin, upstream, published_at, has_manifest, license, has_license_file,
          build_script, proc_macro, links, dependencies_normal, dependencies_build, dependencies_dev)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[], $6::text[],
          $7::boolean[], $8::boolean[], $9::boolean[], $10::text[], $11::integer[], $12::integer[], $13::integer[])
        """
}
