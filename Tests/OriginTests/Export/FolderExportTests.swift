import Foundation
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct FolderExportTests {
    private struct Export {
        let tally: FolderReport.Tally
        let faults: [String]
    }

    private func export(_ scene: MirrorScene, to folder: String, fetches: Bool = false) async throws -> Export {
        let faults = Collected<String>()
        let report = FolderReport { faults.add($0) }
        let stored = StoredCrates(pool: scene.origin.slices.pool)
        let target = RegistryFolder(path: folder)
        try await target.writeConfig(url: "https://registry.example/")
        try await FolderExporter(
            repository: scene.repository, stored: stored, blobs: scene.blobs, folder: target, report: report,
            desk: fetches ? scene.origin.slices.upstreamDesk : nil
        ).run(stored.names(in: scene.repository))
        return Export(tally: report.current, faults: faults.all)
    }

    private func files(_ folder: String) throws -> [String] {
        let all = FileManager.default.subpaths(atPath: folder) ?? []
        var isFolder: ObjCBool = false
        return all.filter {
            FileManager.default.fileExists(atPath: "\(folder)/\($0)", isDirectory: &isFolder) && !isFolder.boolValue
        }
        .sorted()
    }

    /// Own and proxied, yanked, with fields that we do not know, with dependencies everywhere.
    private func fill(_ scene: MirrorScene) async throws {
        _ = try await scene.origin.slices.repositories.update(
            scene.repository.name, RepositorySettings(cratesIO: .on), by: .commandLine)
        try await scene.publish(MadeCrate("Own", "1.0.0").needs("foo", "^1"))
        try await scene.publish(
            MadeCrate("Own", "1.1.0+meta").needs("far", "^1", registry: "sparse+https://far.example/"))
        try scene.offer(MadeCrate("foo", "1.0.0"))
        let odd = MadeCrate("foo", "1.1.0").needs("bar", "^1")
        let line = try ImportScene.line(of: odd, odd.crate(), pubtime: "2020-01-02T03:04:05Z", isYanked: true)
        try scene.upstream.offer(
            odd, line: #"{ "later": [1], "# + (line.withCratesIOInside ?? line).json.dropFirst())
        _ = try await scene.mirror([("foo", .all)])
    }

    @Test func `an export imported elsewhere serves the same bytes: lines, checksums, yanks, times`() async throws {
        try await MirrorScene.with { scene in
            try await fill(scene)
            try await ImportScene.with { other in
                let exported = try await export(scene, to: other.source)
                #expect(exported.faults == [] && exported.tally.written == 4 && exported.tally.leftOut == 0)
                let result = try await other.importAll()
                #expect(result.refusals == [] && result.tally.versions == 4)
                for name in ["own", "foo"] {
                    let path = try CrateName(name).indexPath
                    let here = try await scene.origin.call("GET", "/main/index/\(path)").text
                    let store = IndexStore(pool: other.pool)
                    guard case .file(_, let there) = try await store.file(path, in: other.repository, known: []).content
                    else {
                        Issue.record("\(name) did not come over")
                        continue
                    }
                    #expect(here == there)
                }
                let (_, problems) = try await other.verify()
                #expect(problems == [])
                let rows = try await other.pool.query(
                    """
                    SELECT yanked::text AS yanked, origin, facts.published_at::date::text AS day FROM versions
                    JOIN facts ON version_id = versions.id WHERE number = '1.1.0'
                    """)
                let row = try #require(rows.first)
                #expect(try row.value("yanked", as: String.self) == "true")
                #expect(try row.value("origin", as: String.self) == "imported")
                #expect(try row.value("day", as: String.self) == "2020-01-02")
            }
        }
    }

    @Test func `a second export writes only what is missing or damaged, and no half of a file ever has a name`()
        async throws
    {
        try await MirrorScene.with { scene in
            try await fill(scene)
            try await withTemporaryFolder("export") { folder in
                _ = try await export(scene, to: folder)
                let whole = try files(folder)
                #expect(
                    whole == [
                        "crates/Own/Own-1.0.0.crate", "crates/Own/Own-1.1.0+meta.crate", "crates/foo/foo-1.0.0.crate",
                        "crates/foo/foo-1.1.0.crate", "index/3/f/foo", "index/3/o/own", "index/config.json",
                    ])
                let again = try await export(scene, to: folder)
                #expect(again.tally.present == 4 && again.tally.written == 0)

                // As a program leaves it that is killed while it writes.
                try Data("half".utf8).write(to: URL(fileURLWithPath: folder + "/crates/foo/foo-1.0.0.crate.part"))
                try FileManager.default.removeItem(atPath: folder + "/crates/foo/foo-1.0.0.crate")
                try Data("damaged".utf8).write(to: URL(fileURLWithPath: folder + "/crates/foo/foo-1.1.0.crate"))
                let mended = try await export(scene, to: folder)
                #expect(mended.tally.present == 2 && mended.tally.written == 2)
                #expect(try files(folder) == whole)
            }
        }
    }

    @Test func `what was never fetched is left out and counted, or fetched`() async throws {
        try await MirrorScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0"))
            try scene.offer(MadeCrate("foo", "1.1.0"))
            _ = try await scene.mirror([("foo", .newest(1))])
            try await withTemporaryFolder("export") { folder in
                let left = try await export(scene, to: folder)
                #expect(left.tally.leftOut == 1 && left.tally.written == 1 && left.faults == [])
                let index = folder + "/index/3/f/foo"
                #expect(try String(contentsOfFile: index, encoding: .utf8).split(separator: "\n").count == 1)
                let whole = try await export(scene, to: folder, fetches: true)
                #expect(whole.tally.leftOut == 0 && whole.tally.written == 1 && whole.tally.present == 1)
                #expect(try String(contentsOfFile: index, encoding: .utf8).split(separator: "\n").count == 2)
            }
        }
    }

    @Test func `a damaged blob is a fault, and its line stays out`() async throws {
        try await MirrorScene.with { scene in
            try await scene.publish(MadeCrate("own", "1.0.0"))
            try await scene.publish(MadeCrate("own", "1.1.0"))
            let sum = ImportScene.checksum(try MadeCrate("own", "1.0.0").crate())
            try Data("damaged".utf8).write(to: URL(fileURLWithPath: scene.blobs.path(sum)))
            try await withTemporaryFolder("export") { folder in
                let result = try await export(scene, to: folder)
                #expect(result.faults.count == 1 && result.faults.first?.contains("own 1.0.0") == true)
                #expect(try files(folder) == ["crates/own/own-1.1.0.crate", "index/3/o/own", "index/config.json"])
            }
        }
    }
}
