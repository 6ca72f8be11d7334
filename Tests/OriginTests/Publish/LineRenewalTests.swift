import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct LineRenewalTests {
    /// Two batches and a bit, every second one with a dependency on crates.io.
    private func fill(_ scene: ImportScene) async throws {
        for number in 0..<220 {
            let made = MadeCrate("crate-\(number)", "1.0.0")
            try scene.offer(number % 2 == 0 ? made.needs("serde", "^1") : made)
        }
        let result = try await scene.importAll()
        #expect(result.tally.versions == 220 && result.refusals == [])
    }

    private func set(_ rule: CratesIORewriting, _ scene: ImportScene) async throws {
        _ = try await scene.slices.repositories.update(
            scene.repository.name, RepositorySettings(cratesIO: rule), by: .commandLine)
    }

    private func inside(_ scene: ImportScene) async throws -> Int {
        try await scene.pool.query("SELECT FROM versions WHERE published_line IS NOT NULL").count
    }

    @Test func `a renewal that ends in the middle is gone on with, one event a changed crate`() async throws {
        try await ImportScene.with { scene in
            try await fill(scene)
            try await set(.on, scene)
            let before = try await scene.head()
            let first = try await scene.slices.lineRenewal.batch(scene.repository)
            #expect(first == LineRenewal.cratesABatch)
            #expect(try await inside(scene) == LineRenewal.cratesABatch)
            #expect(try await CratesIORule.behind(scene.pool) == [scene.repository.name])

            // Another program, which knows nothing of the first.
            let other = OriginSlices(pool: scene.pool, logger: .test)
            #expect(try await other.lineRenewal.renew(scene.repository) == 110 - LineRenewal.cratesABatch)
            #expect(try await inside(scene) == 110)
            #expect(try await scene.head() == before + 110)
            #expect(try await CratesIORule.behind(scene.pool).isEmpty)
            #expect(try await scene.verify().problems == [])

            try await set(.off, scene)
            #expect(try await other.lineRenewal.renew(scene.repository) == 110)
            #expect(try await inside(scene) == 0)
            #expect(try await scene.verify().problems == [])
        }
    }

    @Test func `a rule that changes back in the middle leaves no line behind`() async throws {
        try await ImportScene.with { scene in
            try await fill(scene)
            try await set(.on, scene)
            _ = try await scene.slices.lineRenewal.batch(scene.repository)
            try await set(.off, scene)
            #expect(try await scene.slices.lineRenewal.renew(scene.repository) == LineRenewal.cratesABatch)
            #expect(try await inside(scene) == 0)
        }
    }

    @Test func `verify finds a served line that does not follow from the published one`() async throws {
        try await ImportScene.with { scene in
            try await set(.on, scene)
            try scene.offer(MadeCrate("foo", "1.0.0").needs("serde", "^1"))
            try await scene.importAll()
            #expect(try await scene.verify().problems == [])
            _ = try await scene.pool.execute(
                "UPDATE versions SET published_line = replace(published_line, 'serde', 'other')")
            #expect(try await scene.verify().problems.map(\.kind) == [.line])
        }
    }
}
