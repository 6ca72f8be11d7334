import NIOCore
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct ImporterTests {
    @Test func `a folder comes over whole, with times and yanks, one event and one audit line a crate`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0").described("what it is"), pubtime: "2020-01-02T03:04:05Z")
            try scene.offer(MadeCrate("foo", "1.1.0").needs("Bar_Baz", "^2"), isYanked: true)
            try scene.offer(MadeCrate("Bar_Baz", "2.0.0+meta"))
            let before = try await scene.head()
            let result = try await scene.importAll()

            #expect(result.refusals == [])
            #expect(result.tally.versions == 3 && result.tally.crates == 2)
            let foo = try await scene.lines("foo")
            #expect(foo.map(\.version.description) == ["1.0.0", "1.1.0"])
            #expect(foo.map(\.isYanked) == [false, true])
            #expect(foo[0].pubtime?.description == "2020-01-02T03:04:05Z")
            #expect(try await scene.lines("bar_baz").map(\.name.spelling) == ["Bar_Baz"])
            #expect(try await scene.head() == before + 2)
            let audit = try await scene.pool.query("SELECT crate, actor FROM audit WHERE action = 'import'")
            #expect(try Set(audit.map { try $0.value("crate", as: String.self) }) == ["foo", "Bar_Baz"])
            let search = try await scene.pool.query("SELECT description, newest FROM crates WHERE name = 'foo'")
            #expect(try search.first?.value("newest", as: String.self) == "1.0.0")
            #expect(try search.first?.value("description", as: String.self) == "what it is")
            #expect(try await scene.verify().problems == [])
        }
    }

    @Test func `a second import finds everything there and changes nothing`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0"), MadeCrate("foo", "1.1.0"))
            try scene.offer(MadeCrate("unindexed", "1.0.0"), isIndexed: false)
            try await scene.importAll()
            let before = try await scene.head()
            let again = try await scene.importAll()
            #expect(again.tally.present == 3 && again.tally.versions == 0 && again.tally.refused == 0)
            #expect(try await scene.head() == before)

            try scene.offer(MadeCrate("foo", "1.2.0"))
            let third = try await scene.importAll()
            #expect(third.tally.present == 3 && third.tally.versions == 1)
            #expect(try await scene.lines("foo").map(\.version.description) == ["1.0.0", "1.1.0", "1.2.0"])
        }
    }

    // I1: whatever was committed before the interruption is whole.
    @Test func `an import that is stopped anywhere leaves whole crates, and the next run goes on`() async throws {
        try await ImportScene.with { scene in
            for name in ["a", "b", "c"] { try scene.offer(MadeCrate(name, "1.0.0"), MadeCrate(name, "1.1.0")) }
            // Each run goes on behind the last: from four commits on, one may come to the end.
            for stopAfter in 0..<4 {
                await #expect(throws: CancellationError.self) {
                    try await scene.importAll(blobs: StoppingBlobs(scene.blobs, commitsMax: stopAfter))
                }
                let (tally, problems) = try await scene.verify()
                #expect(problems == [])
                #expect(tally.versions % 2 == 0)
                #expect(tally.unfinishedUploads == 0)
            }
            try await scene.importAll()
            let (tally, problems) = try await scene.verify()
            #expect(problems == [])
            #expect(tally.crates == 3 && tally.versions == 6 && tally.orphanBlobs == 0)
        }
    }

    @Test func `a file whose bytes are not those of the index is refused, its neighbours come over`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0"), MadeCrate("foo", "1.1.0"))
            try scene.put(MadeCrate("foo", "1.0.0").described("changed").crate(), at: "crates/foo/foo-1.0.0.crate")
            let result = try await scene.importAll()
            #expect(result.refusals.count == 1)
            #expect(result.refusals.first?.version == "1.0.0")
            #expect(result.refusals.first?.cause.contains("changed after it was published") == true)
            #expect(try await scene.lines("foo").map(\.version.description) == ["1.1.0"])
            #expect(try await scene.verify().tally.unfinishedUploads == 0)
        }
    }

    @Test func `hostile archives are refused one by one, and nothing of them stays`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("good", "1.0.0"), isIndexed: false)
            let hostile = HostileCrate.all.filter { ["G1", "G4", "G10"].contains($0.number) }
            for (number, crate) in hostile.enumerated() {
                // Each in a folder of its own: which of them is the file of bar 1.0.0 is left to the order of paths.
                try scene.put(crate.bytes(), at: "crates/\(number)/bar-1.0.0.crate")
            }
            let result = try await scene.importAll()
            #expect(result.tally.refused == hostile.count)
            #expect(try await scene.lines("good").count == 1)
            let (tally, problems) = try await scene.verify()
            #expect(problems == [])
            #expect(tally.crates == 1 && tally.orphanBlobs == 0 && tally.unfinishedUploads == 0)
        }
    }

    @Test func `without an index the manifest makes the line, and the source's own URL becomes ours`() async throws {
        try await ImportScene.with { scene in
            let old = "sparse+https://old.example/index/"
            let made = MadeCrate("foo", "1.0.0").needs("bar", "^1", registry: old)
                .needs("serde", "^1").needs("ours", "^1", registry: "sparse+https://ours.example/main/index/")
                .feature("fast", ["bar/fast"])
            try scene.put(made.crate(), at: "deep/er/foo/1.0.0/download.crate")
            let result = try await scene.importAll(indexURLs: [old])
            #expect(result.refusals == [])
            let line = try #require(try await scene.lines("foo").first)
            let registries = Dictionary(uniqueKeysWithValues: line.dependencies.map { ($0.name, $0.registry) })
            #expect(registries == ["bar": nil, "ours": nil, "serde": IndexURL.cratesIO])
            #expect(line.features == ["fast": ["bar/fast"]])
            #expect(line.pubtime?.description == "2023-11-14T22:13:20Z")
        }
    }

    // I2
    @Test func `a version that is there with other bytes is a refusal that names both checksums`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0"), isIndexed: false)
            try await scene.importAll()
            let held = try #require(try await scene.lines("foo").first?.checksum)
            let other = try MadeCrate("foo", "1.0.0").described("other").crate()
            try scene.put(other, at: "crates/foo/foo-1.0.0.crate")
            let result = try await scene.importAll()
            let cause = try #require(result.refusals.first?.cause)
            #expect(cause.contains("\(held)") && cause.contains("\(ImportScene.checksum(other))"))
            #expect(try await scene.lines("foo").map(\.checksum) == [held])
        }
    }

    @Test func `bad lines, missing files, other spellings and unknown files are refused with their place`() async throws
    {
        try await ImportScene.with { scene in
            let foo = try CrateName("foo")
            try scene.offer(MadeCrate("foo", "1.0.0"))
            try scene.addLine("{\"name\":\"foo\",\"vers\":\"1.1.0\",\"deps\":null}", to: foo)
            try scene.addLine("garbage", to: foo)
            let absent = MadeCrate("foo", "1.2.0")
            try scene.addLine(ImportScene.line(of: absent, absent.crate()).json, to: foo)
            try scene.put(MadeCrate("foo", "1.3.0").crate(), at: "crates/foo/foo-1.3.0.crate")
            let result = try await scene.importAll()
            #expect(result.refusals.map(\.version) == ["1.1.0", "1.2.0", "1.3.0", "line 3"])
            #expect(try await scene.lines("foo").count == 1)

            try scene.offer(MadeCrate("FOO", "2.0.0"), isIndexed: false)
            try scene.put(Array("".utf8), at: "index/3/f/foo")
            let second = try await scene.importAll()
            #expect(second.tally.versions == 0)
        }
    }

    @Test func `whoever is named becomes owner`() async throws {
        try await ImportScene.with { scene in
            try scene.offer(MadeCrate("foo", "1.0.0"))
            await #expect(throws: Refusal.self) { try await scene.slices.owners.holder(login: "ann") }
            let grant = Grant(actions: [.read], repositories: nil)
            _ = try await scene.slices.tokens.create(
                try TokenRequest(login: "ann", name: "t", grants: [grant], secondsToLive: nil), by: .commandLine)
            let id = try await scene.slices.owners.holder(login: "ann")
            try await scene.importAll(owner: ImportOwner(userID: id, login: "ann"))
            let owners = try await scene.slices.owners.owners(of: CrateName("foo"), in: scene.repository)
            #expect(owners?.map(\.login) == ["ann"])
        }
    }
}

/// A blob store that is cancelled after so many commits, as a run is by Ctrl-C.
private struct StoppingBlobs: BlobStore {
    let inner: DiskBlobs
    let commits: Countdown

    init(_ inner: DiskBlobs, commitsMax: Int) {
        self.inner = inner
        commits = Countdown(commitsMax)
    }

    func begin() async throws -> any BlobWriter { Writer(inner: try await inner.begin(), commits: commits) }
    func open(_ checksum: Checksum) async throws -> (any BlobReader)? { try await inner.open(checksum) }
    func size(_ checksum: Checksum) async throws -> Int? { try await inner.size(checksum) }
    func delete(_ checksum: Checksum) async throws -> Bool { try await inner.delete(checksum) }
    func list(after last: Checksum?, limit: Int) async throws -> [Checksum] {
        try await inner.list(after: last, limit: limit)
    }

    private struct Writer: BlobWriter {
        let inner: any BlobWriter
        let commits: Countdown

        func write(_ bytes: ByteBuffer) async throws { try await inner.write(bytes) }
        var written: BlobDigest { inner.written }
        var draftPath: String { inner.draftPath }
        func commit(_ expected: Checksum) async throws {
            guard commits.take() else { throw CancellationError() }
            try await inner.commit(expected)
        }
        func discard() async { await inner.discard() }
    }
}
