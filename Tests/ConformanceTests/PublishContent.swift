import CrateFile
import Foundation
import TestSupport
import Testing

extension Conformance {
    /// F: names, versions and metadata.
    struct PublishMetadata {
        @Test(
            arguments: [
                "1foo", "_foo", "-foo", "foo+bar", "e\u{301}", "", String(repeating: "a", count: 65), "foo/bar", "..",
            ])
        func `F1 a bad name is refused`(name: String) async throws {
            let said = try await Live.here.publish(MadeCrate(name, "1.0.0"))
            #expect(said.status == 400 && details(said)?.count == 1, said.all)
            #expect(said.text.contains("name"), said.all)
        }

        @Test(arguments: ["F2_Crate", "f2_crate", "F2-crate"])
        func `F2 another spelling of a name is refused`(name: String) async throws {
            let live = try Live.here
            _ = try await live.publish(MadeCrate("f2-crate", "1.0.0"))
            expectRefused(
                try await live.publish(MadeCrate(name, "1.1.0")), 400, "crate was previously named 'f2-crate'")
        }

        @Test(arguments: ["1.0", "v1.0.0", "01.0.0", "1.0.0-" + String(repeating: "a", count: 145), "", "1.0.0 "])
        func `F4 a bad version is refused`(version: String) async throws {
            let said = try await Live.here.publish(MadeCrate("f4-crate", version))
            #expect(said.status == 400 && details(said)?.count == 1, said.all)
            #expect(said.text.contains("version"), said.all)
        }

        @Test func `F5 other build metadata does not make another version`() async throws {
            let live = try Live.here
            try await live.have(MadeCrate("f5-crate", "1.0.0+a"))
            for version in ["1.0.0+b", "1.0.0", "1.0.0+a"] {
                expectRefused(try await live.publish(MadeCrate("f5-crate", version)), 400, "already uploaded")
            }
        }

        @Test func `F7 F8 older and unfinished versions are accepted`() async throws {
            let live = try Live.here
            try await live.have(
                MadeCrate("f7-crate", "2.0.0"), MadeCrate("f7-crate", "1.0.0"), MadeCrate("f7-crate", "3.0.0-rc.1"))
            #expect(try await live.lines("f7-crate").count == 3)
        }

        @Test func `F10 a licence that is no SPDX expression is refused`() async throws {
            expectRefused(
                try await Live.here.publish(MadeCrate("f10-crate", "1.0.0").license("apache 2.0")), 400,
                "license expression")
        }

        @Test func `F11 a licence file is enough`() async throws {
            let live = try Live.here
            try await live.system.origin.command(["repository", "create", "strict", "--metadata-required", "true"])
            let crate = MadeCrate("f11-crate", "1.0.0").described("A crate.")
            expectRefused(try await live.publish(crate, in: "strict"), 400, "license")
            let said = try await live.publish(
                crate.with("license-file", "LICENSE").file("LICENSE", "do as you like"), in: "strict")
            #expect(said.status == 200, said.all)
        }

        @Test(
            arguments: [
                ["a", "b", "c", "d", "e", "f"], [String(repeating: "a", count: 21)], ["?@?%"],
            ])
        func `F13 bad keywords are refused`(words: [String]) async throws {
            expectRefused(
                try await Live.here.publish(MadeCrate("f13-crate", "1.0.0").keywords(words)), 400, "keyword")
        }

        @Test func `F14 a category that nobody knows is accepted without a text about crates io`() async throws {
            let crate = MadeCrate("f14-crate", "1.0.0").manifest(
                "[package]\nname = \"f14-crate\"\nversion = \"1.0.0\"\ncategories = [\"no-such-category\"]\n")
            let said = try await Live.here.publish(crate)
            #expect(said.status == 200 && said.text.contains("\"invalid_categories\":[]"), said.all)
        }

        @Test func `F16 301 features are refused`() async throws {
            let crate = (1...301).reduce(MadeCrate("f16-crate", "1.0.0")) { $0.feature("f\($1)") }
            expectRefused(try await Live.here.publish(crate), 400, "features")
        }

        @Test func `F17 a dependency on any version at all is refused`() async throws {
            expectRefused(
                try await Live.here.publish(MadeCrate("f17-crate", "1.0.0").needs("a", "*")), 400,
                "wildcard (`*`) dependency constraints are not allowed")
        }

        @Test func `F19 a dependency that is not here yet is accepted`() async throws {
            let live = try Live.here
            let own = "sparse+\(live.origin)/main/index/"
            try await live.have(MadeCrate("f19-crate", "1.0.0").needs("f19-later", "^1", registry: own))
        }

        @Test(arguments: ["1bar", "_bar", "b\u{E4}r"])
        func `F20 a dependency with a bad name is refused`(name: String) async throws {
            let crate = MadeCrate("f20-crate", "1.0.0").manifest(
                "[package]\nname = \"f20-crate\"\nversion = \"1.0.0\"\n[dependencies]\n\"\(name)\" = \"1\"\n")
            let said = try await Live.here.publish(crate)
            #expect(said.status == 400 && details(said)?.count == 1, said.all)
        }

        @Test(arguments: ["1.70-nightly", ">=1.70"])
        func `F22 a rust-version that is no plain version is refused`(version: String) async throws {
            expectRefused(
                try await Live.here.publish(MadeCrate("f22-crate", "1.0.0").with("rust-version", version)), 400,
                "rust-version")
        }
    }

    /// G: what is in the archive.
    @Suite(.serialized)
    struct PublishArchive {
        // G1, G2, G4, G5, G7, G8, G10, G13, G14, and the rest of the list of bad archives.
        @Test(arguments: ["G1", "G2", "G4", "G5", "G7", "G8", "G10", "G13", "G14", "-"])
        func `G1 to G14 a bad archive is refused with its reason`(number: String) async throws {
            let live = try Live.here
            let good = MadeCrate("bar", "1.0.0")
            let crates = HostileCrate.all.filter { $0.number == number }
            try #require(!crates.isEmpty)
            for crate in crates {
                let body = MadeCrate.publishBody(metadata: good.metadata, crate: try crate.bytes())
                let said = try await live.publish(body: body)
                #expect(said.status == 400, "\(crate): \(said.all)")
                let told = details(said) ?? []
                #expect(told.count == 1 && told[0].contains(crate.refusal), "\(crate): \(said.all)")
            }
            for said in try await live.index("bar") { #expect(said.status == 404, said.all) }
        }

        @Test func `G11 a manifest that disagrees with the metadata is refused`() async throws {
            let live = try Live.here
            let announced = MadeCrate("g11-crate", "1.0.0")
            for (name, version, words) in [
                ("g11-other", "1.0.0", "metadata name"), ("g11-crate", "1.0.1", "metadata version"),
            ] {
                let crate = announced.manifest(MadeCrate(name, version).manifest)
                expectRefused(try await live.publish(crate), 400, words)
            }
        }

        @Test func `G16 the index follows the manifest, not the metadata`() async throws {
            let live = try Live.here
            let (claimed, real) = (
                MadeCrate("g16-crate", "1.0.0").needs("claimed", "^1"),
                MadeCrate("g16-crate", "1.0.0").needs("real", "^2")
            )
            let said = try await live.publish(
                body: MadeCrate.publishBody(metadata: claimed.metadata, crate: try real.crate()))
            #expect(said.status == 200, said.all)
            let dependencies = try await live.lines("g16-crate")[0]["deps"] as? [IndexObject]
            #expect(dependencies?.compactMap { $0["name"] as? String } == ["real"])
        }
    }
}
