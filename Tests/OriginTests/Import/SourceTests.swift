import NIOCore
import Registry
import TestSupport
import Testing

@testable import Origin

struct SourceTests {
    // C-section: "Expanding `dl`".
    @Test(arguments: [
        ("https://d/dl", "https://d/dl/BarBaz/1.0.0+b/download"),
        ("https://d/{crate}/{version}.crate", "https://d/BarBaz/1.0.0+b.crate"),
        ("https://d/{prefix}/{crate}", "https://d/Ba/rB/BarBaz"),
        ("https://d/{lowerprefix}/{sha256-checksum}", "https://d/ba/rb/" + String(repeating: "ab", count: 32)),
    ])
    func `dl is expanded as cargo does`(template: String, url: String) throws {
        let checksum = try #require(Checksum(hex: String(repeating: "ab", count: 32)))
        let expanded = DownloadTemplate(text: template)
            .url(try CrateName("BarBaz"), try Version("1.0.0+b"), checksum)
        #expect(expanded == url)
    }

    @Test(arguments: [("a", "1"), ("ab", "2"), ("abc", "3/a"), ("abcd", "ab/cd")])
    func `the prefix depends on the length of the name`(name: String, prefix: String) throws {
        let url = DownloadTemplate(text: "{prefix}").url(try CrateName(name), try Version("1.0.0"), nil)
        #expect(url == prefix)
    }

    @Test(arguments: [
        ("crates/foo/foo-1.0.0.crate", "foo", "1.0.0"), ("foo-bar-1-1.0.0-rc.1.crate", "foo-bar-1", "1.0.0-rc.1"),
        ("a/foo/1.0.0/download.crate", "foo", "1.0.0"), ("foo-1.0.0-2.0.0+b.crate", "foo", "1.0.0-2.0.0+b"),
    ])
    func `a path says which version it is`(path: String, name: String, version: String) throws {
        let found = try #require(CrateFiles.identity(of: path))
        #expect(found.0.spelling == name && found.1.description == version)
    }

    @Test(arguments: ["foo.crate", "foo-1.0.crate", "a/b/c.crate", "1foo-1.0.0.crate"])
    func `a path that names no version is passed over`(path: String) {
        #expect(CrateFiles.identity(of: path) == nil)
    }

    @Test func `a sparse registry comes over its own protocol, and its URL becomes ours`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            let token = try await origin.token("ann", [.publishNew, .publishUpdate], in: ["main"])
            let index = "sparse+\(origin.url)/main/index/"
            for made in [MadeCrate("foo", "1.0.0"), MadeCrate("foo", "1.1.0").needs("bar", "^1", registry: index)] {
                let answer = try await httpCall(
                    "PUT", origin.url + "/main/api/v1/crates/new", headers: [("authorization", token)],
                    body: .init(bytes: try made.publishBody()))
                #expect(answer.status == 200, "\(answer.text)")
            }
            let copy = try await origin.repository("copy")
            let blobs = try await DiskBlobs(folder: origin.dataFolder + "/blobs", logger: .test)
            let scene = ImportScene(
                pool: origin.slices.pool, slices: origin.slices, repository: copy, blobs: blobs, source: "")
            let names = [try CrateName("foo"), try CrateName("absent")]
            let result = try await ImportScene.withWeb { web in
                let source = try await ImportSource.sparse(index, downloads: nil, indexURLs: [], web: web)
                return try await scene.importAll(from: source, names: names)
            }
            #expect(result.refusals.map(\.crate) == ["absent"])
            #expect(result.tally.versions == 2)
            let lines = try await scene.lines("foo")
            #expect(lines.map(\.version.description) == ["1.0.0", "1.1.0"])
            #expect(lines[1].dependencies.map(\.registry) == [nil])
        }
    }

    @Test func `a folder without crates is told apart from an empty registry`() async throws {
        try await withTemporaryFolder("source") { folder in
            try await ImportScene.withWeb { web in
                _ = #expect(throws: SourceFailure.self) {
                    try ImportSource.folder(folder, downloads: nil, indexURLs: [], web: web)
                }
            }
        }
    }
}
