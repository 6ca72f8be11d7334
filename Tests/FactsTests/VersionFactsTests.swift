import Facts
import Foundation
import Registry
import Testing

struct VersionFactsTests {
    private let facts = VersionFacts(
        repository: "main", name: "Foo-Bar", identity: "foo_bar", version: "1.2.3-rc.1+x", isPrerelease: true,
        checksum: String(repeating: "0", count: 64), bytes: nil, origin: .init(.upstream, upstream: "crates-io"),
        publishedAt: nil, firstSeenAt: "2026-11-25T10:00:00Z", yank: .init(isYanked: false),
        license: LicenseFacts(text: "MIT/Acme-1.0", hasFile: false), hasBuildScript: nil, isProcMacro: false,
        links: nil,
        dependencies: .init(normal: 2, build: 0, dev: 1),
        advisories: [
            AdvisoryMatch(
                id: "RUSTSEC-2021-0003", kind: .vulnerability, title: "Overflow", published: "2021-01-08",
                vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            AdvisoryMatch(id: "RUSTSEC-2025-0001", kind: .unmaintained, title: "Gone", published: "2025-01-01"),
        ], sources: ["license": .manifest, "bytes": .upstream])

    /// Engines of others read these keys: a change here is a change of the contract.
    @Test func `the JSON has every key, absent values as null`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(facts), as: UTF8.self)
        #expect(
            text == """
                {"advisories":[{"aliases":[],"architectures":[],"functions":[],"id":"RUSTSEC-2021-0003",\
                "kind":"vulnerability","published":"2021-01-08","score":9.8,"severity":"critical","systems":[],\
                "title":"Overflow","vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","withdrawn":null},\
                {"aliases":[],"architectures":[],"functions":[],"id":"RUSTSEC-2025-0001","kind":"unmaintained",\
                "published":"2025-01-01","score":null,"severity":"unscored","systems":[],"title":"Gone","vector":null,\
                "withdrawn":null}],"build_script":null,"bytes":null,"checksum":"\(facts.checksum)",\
                "dependencies":{"build":0,"dev":1,"normal":2},"first_seen_at":"2026-11-25T10:00:00Z",\
                "identity":"foo_bar","license":{"expression":"MIT OR Acme-1.0","ids":["MIT","Acme-1.0"],\
                "problem":null,"state":"expression","text":"MIT/Acme-1.0","unknown_ids":["Acme-1.0"]},"links":null,\
                "name":"Foo-Bar","origin":{"kind":"upstream","upstream":"crates-io"},"prerelease":true,\
                "proc_macro":false,"published_at":null,"repository":"main","schema":"longshore.version/1",\
                "sources":{"bytes":"upstream","license":"manifest"},"version":"1.2.3-rc.1+x",\
                "yank":{"by":null,"since":null,"yanked":false}}
                """)
        #expect(try JSONDecoder().decode(VersionFacts.self, from: Data(text.utf8)) == facts)
    }

    @Test func `facts of another schema are not read`() throws {
        let text = String(decoding: try JSONEncoder().encode(facts), as: UTF8.self)
        let other = text.replacing("version\\/1", with: "version\\/2")
        #expect(other != text)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(VersionFacts.self, from: Data(other.utf8)) }
    }

    @Test(arguments: [
        (nil, false, LicenseFacts.State.none), (nil, true, .file), ("  ", true, .file), ("MIT", true, .expression),
        ("MIT, ISC", false, .unreadable),
    ])
    func `a licence is text, a file, both or neither`(text: String?, hasFile: Bool, state: LicenseFacts.State) {
        let license = LicenseFacts(text: text, hasFile: hasFile)
        #expect(license.state == state)
        #expect((license.tree != nil) == (state == .expression))
        #expect((license.problem != nil) == (state == .unreadable))
    }
}

struct ManifestTraitsTests {
    @Test(arguments: [
        (nil, false, false), (nil, true, true), (ManifestValue.bool(false), true, false), (.bool(true), false, true),
        (.string("b.rs"), false, true), (.array([.string("a.rs")]), false, true), (.array([]), true, false),
        (.integer(1), true, true),
    ])
    func `a build script is what cargo would run`(build: ManifestValue?, hasFile: Bool, expected: Bool) {
        let manifest = ManifestValue.table(["package": .table(build.map { ["build": $0] } ?? [:])])
        #expect(ManifestTraits(manifest, hasBuildFile: hasFile).hasBuildScript == expected)
    }

    @Test(arguments: [
        (["proc-macro": ManifestValue.bool(true)], true), (["proc_macro": .bool(true)], true),
        (["crate-type": .array([.string("proc-macro")])], true), (["crate-type": .array([.string("lib")])], false),
        (["proc-macro": .string("true")], false), ([:], false),
    ])
    func `a macro is told by the library's table`(library: [String: ManifestValue], expected: Bool) {
        #expect(ManifestTraits(.table(["lib": .table(library)]), hasBuildFile: false).isProcMacro == expected)
    }

    @Test func `an old manifest says project and license_file`() {
        let manifest = ManifestValue.table([
            "project": .table(["license_file": .string("LICENSE"), "links": .string("z")])
        ])
        let traits = ManifestTraits(manifest, hasBuildFile: false)
        #expect(traits.license.state == .file)
        #expect(traits.links == "z")
    }
}
