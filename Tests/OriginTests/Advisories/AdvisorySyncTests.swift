import Facts
import Foundation
import Postgres
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Origin

struct AdvisorySyncTests {
    @Test func `a new advisory finds the versions that are there, and new versions find it`() async throws {
        try await SliceOrigin.with { origin, alice in
            for version in ["1.0.0", "1.1.0-rc.1", "1.1.0"] {
                #expect(try await origin.publish(MadeCrate("Foo-Bar", version), alice).status == 200)
            }
            _ = try await origin.publish(MadeCrate("other", "1.0.0"), alice)
            let scene = Scene(origin.pool)
            let outcome = try await scene.sync([scene.advisory("RUSTSEC-2026-0001", "foo-bar", fixed: "1.1.0")])
            #expect(outcome.added == 1 && outcome.versions == 2)
            #expect(try await scene.ids("foo-bar", "1.0.0") == ["RUSTSEC-2026-0001"])
            #expect(try await scene.ids("foo-bar", "1.1.0-rc.1") == ["RUSTSEC-2026-0001"])
            #expect(try await scene.ids("foo-bar", "1.1.0") == [])
            #expect(try await scene.ids("other", "1.0.0") == [])
            _ = try await origin.publish(MadeCrate("Foo-Bar", "0.9.0"), alice)
            #expect(try await scene.ids("foo-bar", "0.9.0") == ["RUSTSEC-2026-0001"])
            #expect(scene.told == [2])
            #expect(
                try await FactsStore(pool: origin.pool).advisories.reach(of: "RUSTSEC-2026-0001").map(\.versions) == [3]
            )
        }
    }

    @Test func `what changes, is withdrawn or goes is undone, and only that is judged again`() async throws {
        try await SliceOrigin.with { origin, alice in
            for name in ["foo", "bar"] {
                for version in ["1.0.0", "2.0.0"] { _ = try await origin.publish(MadeCrate(name, version), alice) }
            }
            let scene = Scene(origin.pool)
            let kept = scene.advisory("RUSTSEC-2026-0002", "bar", fixed: "2.0.0")
            _ = try await scene.sync([scene.advisory("RUSTSEC-2026-0001", "foo", fixed: "3.0.0"), kept])
            #expect(
                try await scene.sync([scene.advisory("RUSTSEC-2026-0001", "foo", fixed: "3.0.0"), kept]).versions == 0)

            // Now from 2.0.0 on: one version gains nothing, one loses it.
            let narrower = try await scene.sync([scene.advisory("RUSTSEC-2026-0001", "foo", fixed: "2.0.0"), kept])
            #expect(narrower.changed == 1 && narrower.unchanged == 1 && narrower.versions == 2)
            #expect(try await scene.ids("foo", "2.0.0") == [])

            let withdrawn = try await scene.sync(
                [scene.advisory("RUSTSEC-2026-0001", "foo", fixed: "2.0.0", withdrawn: "2026-02-02"), kept])
            #expect(withdrawn.versions == 1)
            let facts = try await scene.facts("foo", "1.0.0")
            #expect(facts?.advisories.map(\.isWithdrawn) == [true])

            // It is moved to another crate.
            let moved = try await scene.sync([scene.advisory("RUSTSEC-2026-0001", "bar", fixed: "1.5.0"), kept])
            #expect(moved.versions == 2)
            #expect(try await scene.ids("foo", "1.0.0") == [])
            #expect(try await scene.ids("bar", "1.0.0") == ["RUSTSEC-2026-0001", "RUSTSEC-2026-0002"])

            let removed = try await scene.sync([kept], mayShrink: true)
            #expect(removed.removed == 1 && removed.versions == 1)
            #expect(try await scene.ids("bar", "1.0.0") == ["RUSTSEC-2026-0002"])
            #expect(try await scene.count("advisories") == 1)
        }
    }

    @Test func `an empty database, or one that lost much, is refused and nothing changes`() async throws {
        try await TestDatabase.with { pool, _ in
            let scene = Scene(pool)
            let all = (1...20).map { scene.advisory("RUSTSEC-2026-00\($0 + 10)", "foo", fixed: "1.0.0") }
            _ = try await scene.sync(all)
            await #expect(throws: Refusal.self) { try await scene.sync([]) }
            await #expect(throws: Refusal.self) { try await scene.sync(Array(all.prefix(17))) }
            #expect(try await scene.count("advisories") == 20)
            #expect(try await scene.sync(Array(all.prefix(18))).removed == 2)
            #expect(try await scene.sync(Array(all.prefix(5)), mayShrink: true).removed == 13)
        }
    }

    @Test func `a file that can't be read keeps what it said before`() async throws {
        try await TestDatabase.with { pool, _ in
            let scene = Scene(pool)
            let all = (1...20).map { scene.advisory("RUSTSEC-2026-00\($0 + 10)", "foo", fixed: "1.0.0") }
            _ = try await scene.sync(all)
            #expect(try await scene.sync(Array(all.prefix(19)), broken: true).removed == 0)
            #expect(try await scene.count("advisories") == 20)
        }
    }

    @Test func `what a sync left half done the next one ends`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let scene = Scene(origin.pool, fails: true)
            let advisory = scene.advisory("RUSTSEC-2026-0001", "foo", fixed: "2.0.0")
            await #expect(throws: Scene.Failure.self) { try await scene.sync([advisory]) }
            #expect(try await scene.ids("foo", "1.0.0") == [])
            // A version that comes in between has it at once.
            _ = try await origin.publish(MadeCrate("foo", "1.5.0"), alice)
            #expect(try await scene.ids("foo", "1.5.0") == ["RUSTSEC-2026-0001"])
            let again = Scene(origin.pool)
            #expect(try await again.sync([advisory]).versions == 2)
            #expect(try await again.ids("foo", "1.0.0") == ["RUSTSEC-2026-0001"])
            #expect(again.told == [2])
        }
    }

    @Test func `verdicts of a new advisory reach the feed`() async throws {
        try await SliceOrigin.with { origin, alice in
            _ = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
            let scene = Scene(origin.pool, announces: true)
            let before = try await FeedSurvey.read(origin.pool).head ?? 0
            let outcome = try await scene.sync([scene.advisory("RUSTSEC-2026-0001", "foo", fixed: "2.0.0")])
            #expect(outcome.position == before + 1)
        }
    }

    @Test func `a folder, a tar and a packed tar are the same database`() async throws {
        try await withTemporaryFolder("advisories") { folder in
            let root = folder + "/db/crates/foo"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            let text = """
                ```toml
                [advisory]
                id = "RUSTSEC-2026-0001"
                package = "foo"
                date = "2026-01-02"
                [versions]
                patched = []
                ```
                # Gone
                """
            try text.write(toFile: root + "/RUSTSEC-2026-0001.md", atomically: true, encoding: .utf8)
            for (flag, name) in [("-cf", "a.tar"), ("-czf", "a.tar.gz")] {
                let made = try await runTool("tar", [flag, "\(folder)/\(name)", "-C", folder, "db"])
                #expect(made.status == 0, "\(made.text)")
            }
            let read = try AdvisoryFolder.read(folder + "/db").advisories
            #expect(read.keys.sorted() == ["RUSTSEC-2026-0001"])
            #expect(try AdvisoryFolder.read(folder + "/a.tar").advisories == read)
            #expect(try AdvisoryFolder.read(folder + "/a.tar.gz").advisories == read)
        }
    }

    @Test(arguments: [
        ("https://a.example/db.tar.gz", AdvisorySource.url("https://a.example/db.tar.gz")),
        ("git+https://a.example/db", .git("https://a.example/db")), ("/srv/db.git", .git("/srv/db.git")),
        ("./db", .path("./db")), ("db.tar", .path("db.tar")),
    ])
    func `a source is told by its beginning or end`(text: String, source: AdvisorySource) {
        #expect(AdvisorySource(text) == source)
    }
}

/// Syncs of made advisories, and what they tell.
private final class Scene: FactsListener {
    struct Failure: Error {}

    private let pool: PostgresPool
    private let fails: Bool
    private let announces: Bool
    private let counts = Mutex<[Int]>([])

    init(_ pool: PostgresPool, fails: Bool = false, announces: Bool = false) {
        self.pool = pool
        self.fails = fails
        self.announces = announces
    }

    /// How many versions each telling spoke of.
    var told: [Int] { counts.withLock { $0 } }

    func factsChanged(_ change: FactsChanged, in transaction: Transaction) async throws -> Verdicts {
        #expect(change.cause == .advisories)
        if fails { throw Failure() }
        counts.withLock { $0.append(change.versionIDs.count) }
        guard announces else { return .none }
        let name = try CrateName("foo")
        guard let checksum = Checksum(bytes: [UInt8](repeating: 0, count: 32)) else { return .none }
        return Verdicts(events: [
            .index(
                .init(
                    repository: try RepositoryName("main"), crate: name, generation: 2, checksum: checksum, bytes: 1))
        ])
    }

    func sync(
        _ advisories: [Advisory], mayShrink: Bool = false, broken: Bool = false
    ) async throws -> AdvisorySync.Outcome {
        var database = AdvisoryDatabase()
        for advisory in advisories {
            try database.add(Self.osv(advisory), path: advisory.id, form: .osv)
        }
        #expect(database.problems == [])
        if broken { try database.add([], path: "broken.json", form: .osv) }
        let sync = AdvisorySync(
            pool: pool, facts: FactsStore(pool: pool, listener: self), events: EventLog(), audit: AuditStore())
        return try await sync.sync(database, mayShrink: mayShrink, by: .commandLine)
    }

    func advisory(_ id: String, _ package: String, fixed: String, withdrawn: String? = nil) -> Advisory {
        Advisory(
            id: id, collection: .crates, package: package, kind: .vulnerability, title: "T", details: "",
            published: "2026-01-02", withdrawn: withdrawn, aliases: [], related: [], categories: [], vector: nil,
            references: [], functions: [], architectures: [], systems: [], license: "CC0-1.0",
            affected: [VersionInterval(introduced: nil, fixed: try? Version(fixed))])
    }

    private static func osv(_ advisory: Advisory) -> [UInt8] {
        let withdrawn = advisory.withdrawn.map { "\"\($0)T00:00:00Z\"" } ?? "null"
        let fixed = advisory.affected[0].fixed?.description ?? ""
        return Array(
            """
            {"id":"\(advisory.id)","published":"2026-01-02T00:00:00Z","withdrawn":\(withdrawn),"summary":"T","affected":[
            {"package":{"ecosystem":"crates.io","name":"\(advisory.package)"},"ranges":[{"type":"SEMVER","events":[
            {"introduced":"0.0.0-0"},{"fixed":"\(fixed)"}]}]}]}
            """.utf8)
    }

    func facts(_ name: String, _ version: String) async throws -> VersionFacts? {
        try await FactsStore(pool: pool).facts(of: Version(version), CrateName(name), in: RepositoryName("main"))
    }

    func ids(_ name: String, _ version: String) async throws -> [String]? {
        try await facts(name, version)?.advisories.map(\.id)
    }

    func count(_ table: String) async throws -> Int {
        try await pool.query("SELECT count(*) AS count FROM \(identifier: table)")[0].value("count")
    }
}
