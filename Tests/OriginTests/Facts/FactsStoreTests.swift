import Facts
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct FactsStoreTests {
    @Test func `a publish gathers the facts from manifest and files`() async throws {
        try await SliceOrigin.with { origin, alice in
            let crate = MadeCrate("Foo-Bar", "1.0.0-rc.1").license("MIT/Apache-2.0").with("links", "z")
                .file("build.rs", "fn main() {}").needs("a", "1").needs("b", "1", kind: .dev)
                .needs("c", "1", kind: .build)
            #expect(try await origin.publish(crate, alice).status == 200)
            let facts = try #require(try await read("foo_bar", "1.0.0-rc.1", origin.pool))
            #expect(facts.name == "Foo-Bar" && facts.identity == "foo_bar" && facts.isPrerelease)
            #expect(facts.license.expression == "MIT OR Apache-2.0")
            #expect(facts.hasBuildScript == true && facts.isProcMacro == false && facts.links == "z")
            #expect(facts.dependencies == .init(normal: 1, build: 1, dev: 1))
            #expect(facts.origin == .init(.published))
            #expect(facts.publishedAt == "2023-11-14T22:13:20Z")
            #expect(facts.sources["published_at"] == .registry && facts.sources["license"] == .manifest)
            #expect(facts.bytes == (try crate.crate()).count)
            #expect(!facts.yank.isYanked && facts.advisories == [])
            #expect(try await read("foo_bar", "1.0.0", origin.pool) == nil)
        }
    }

    @Test func `an import keeps the index's time, and has none where nobody tells`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("old", "1.0.0").license("MIT"), pubtime: "2020-01-02T03:04:05Z", isYanked: true)
            try scene.offer(MadeCrate("bare", "1.0.0").with("license-file", "LICENSE"), isIndexed: false)
            try await scene.importAll()
            let old = try #require(try await read("old", "1.0.0", scene.pool))
            #expect(old.publishedAt == "2020-01-02T03:04:05Z" && old.sources["published_at"] == .index)
            #expect(old.origin == .init(.imported) && old.yank.isYanked)
            #expect(old.license.ids == ["MIT"])
            let bare = try #require(try await read("bare", "1.0.0", scene.pool))
            #expect(bare.publishedAt == nil && bare.sources["published_at"] == nil)
            #expect(bare.license.state == .file)
        }
    }

    @Test func `a yank says who and since when, until it is taken back`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let yank = "/main/api/v1/crates/foo/1.0.0"
            #expect(try await origin.send("DELETE", yank + "/yank", token: alice).status == 200)
            let yanked = try #require(try await read("foo", "1.0.0", origin.pool)?.yank)
            #expect(yanked.isYanked && yanked.by == .owner && yanked.since.flatMap { Pubtime($0) } != nil)
            #expect(try await origin.send("PUT", yank + "/unyank", token: alice).status == 200)
            #expect(try await read("foo", "1.0.0", origin.pool)?.yank == .init(isYanked: false))
        }
    }

    @Test func `whoever judges is told in the transaction, and can undo it`() async throws {
        try await ImportScene.with { scene in
            let store = ImportStore(
                pool: scene.pool, owners: scene.slices.owners, events: EventLog(), audit: AuditStore(),
                facts: FactsStore(pool: scene.pool, listener: Refusing()))
            let crate = MadeCrate("foo", "1.0.0")
            let line = try ImportScene.line(of: crate, crate.crate())
            let version = CheckedVersion(
                facts: ManifestFacts(name: line.name, version: line.version), line: line, traits: nil,
                publishedAt: nil, bytes: 1)
            await #expect(throws: Refusing.Refusal.self) {
                try await store.add(
                    [ImportedCrate(name: line.name, versions: [version])], to: scene.repository, owner: nil)
            }
            #expect(try await scene.lines("foo") == [])
            #expect(try await scene.head() == 1)
        }
    }

    @Test func `a version whose manifest is read later is judged again`() async throws {
        try await ImportScene.with { scene in
            let crate = MadeCrate("foo", "1.0.0")
            let line = try ImportScene.line(of: crate, crate.crate())
            let version = CheckedVersion(
                facts: ManifestFacts(name: line.name, version: line.version), line: line, traits: nil,
                publishedAt: nil, bytes: 1)
            let store = ImportStore(
                pool: scene.pool, owners: scene.slices.owners, events: EventLog(), audit: AuditStore(),
                facts: scene.slices.facts)
            _ = try await store.add(
                [ImportedCrate(name: line.name, versions: [version])], to: scene.repository, owner: nil)
            let before = try #require(try await read("foo", "1.0.0", scene.pool))
            #expect(before.license == .unknown && before.hasBuildScript == nil && before.sources["license"] == nil)

            let traits = ManifestTraits(
                license: LicenseFacts(text: "MIT", hasFile: false), hasBuildScript: true, isProcMacro: false, links: "z"
            )
            let id: Int64 = try await scene.pool.query("SELECT id FROM versions")[0].value("id")
            try await scene.pool.withTransaction { transaction in
                _ = try await scene.slices.facts.fill(traits, of: id, in: transaction)
            }
            let after = try #require(try await read("foo", "1.0.0", scene.pool))
            #expect(after.license.ids == ["MIT"] && after.hasBuildScript == true && after.links == "z")
        }
    }

    @Test func `manifests from before there were facts are read after the start`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0").license("MIT").file("build.rs", "fn main() {}"))
            try scene.offer(MadeCrate("gone", "1.0.0").license("MIT"))
            try await scene.importAll()
            _ = try await scene.pool.execute(
                "UPDATE facts SET has_manifest = false, license = NULL, build_script = false")
            let gone = try await scene.lines("gone")[0].checksum
            #expect(try await scene.blobs.delete(gone))
            let catchUp = FactsCatchUp(
                facts: scene.slices.facts, events: scene.slices.events, audit: scene.slices.audit, blobs: scene.blobs,
                logger: .test)
            #expect(try await catchUp.catchUp() == 1)
            #expect(try await catchUp.catchUp() == 0)
            let foo = try #require(try await read("foo", "1.0.0", scene.pool))
            #expect(foo.license.ids == ["MIT"] && foo.hasBuildScript == true)
            #expect(try await read("gone", "1.0.0", scene.pool)?.license == .unknown)
        }
    }

    @Test func `a database that has versions gets their facts, damaged lines or not`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, connectionString in
            let configuration = PostgresConfiguration(connectionString: connectionString)
            let before = Migration.all.prefix { $0.name != "facts" }
            _ = try await Migrator(Array(before)).migrate(configuration, logger: .test)
            let dependency = #"{"name":"leaf","req":"^1","kind":"normal"},{"name":"leaf","req":"^1","kind":"dev"}"#
            let line = #"{"name":"app","deps":[\#(dependency)],"links":"z","pubtime":"2020-01-02T03:04:05Z"}"#
            try await pool.withTransaction { transaction in
                try await transaction.run(
                    script: """
                        INSERT INTO repositories (name, is_private) VALUES ('main', false);
                        INSERT INTO users (login) VALUES ('ann');
                        INSERT INTO crates (repository_id, identity, name, generation, index_checksum)
                        SELECT id, 'app', 'app', 1, decode(repeat('00', 32), 'hex') FROM repositories;
                        """)
                for (number, text, owner) in [
                    ("1.0.0", line, nil), ("2.0.0", line, Int32(1)), ("3.0.0", "no line", nil),
                ] {
                    _ = try await transaction.execute(
                        """
                        INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line, published_by)
                        SELECT id, \(number), \(number), decode(repeat('00', 32), 'hex'), 1, \(text), \(owner) FROM crates
                        """)
                }
            }
            _ = try await Migrator().migrate(configuration, logger: .test)
            let imported = try #require(try await read("app", "1.0.0", pool))
            #expect(imported.publishedAt == "2020-01-02T03:04:05Z" && imported.origin == .init(.imported))
            #expect(imported.dependencies == .init(normal: 1, build: 0, dev: 1) && imported.links == "z")
            #expect(imported.license == .unknown)
            let published = try #require(try await read("app", "2.0.0", pool))
            #expect(published.publishedAt == published.firstSeenAt && published.origin == .init(.published))
            let damaged = try #require(try await read("app", "3.0.0", pool))
            #expect(damaged.publishedAt == nil && damaged.dependencies == .init(normal: 0, build: 0, dev: 0))
        }
    }

    private struct Refusing: FactsListener {
        struct Refusal: Error {}

        func factsChanged(_ change: FactsChanged, in transaction: Transaction) async throws -> Verdicts {
            #expect(change.cause == .imported && change.versionIDs.count == 1)
            // The facts are there already for whoever judges.
            let facts = try await transaction.query(
                "SELECT 1 AS one FROM facts WHERE version_id = ANY(\(change.versionIDs)::bigint[])")
            #expect(facts.count == 1)
            throw Refusal()
        }
    }

    private func read(_ name: String, _ version: String, _ pool: PostgresPool) async throws -> VersionFacts? {
        try await FactsStore(pool: pool).facts(of: Version(version), CrateName(name), in: RepositoryName("main"))
    }
}
