import CrateFile
import Registry
import Testing

@testable import LoadTest

struct CargoConfigurationTests {
    private let address: RepositoryAddress
    private let eu: SourceReplacement
    private let us: SourceReplacement

    init() throws {
        let address = try RepositoryAddress("sparse+https://registry.example/main/index/")
        func replacement(_ name: String) -> SourceReplacement {
            SourceReplacement(
                address: address, registry: "main", edgeName: name, edgeURL: "https://\(name).example", provider: nil,
                replacesCratesIO: false)
        }
        self.address = address
        eu = replacement("eu")
        us = replacement("us")
    }

    @Test(arguments: [
        "", "\n", "# mine", "[net]\noffline = false\n", "[net]\r\noffline = false\r\n", "[a]\nb = 1\n\n\n",
        "[a]\nb = \"é\u{301}\"",
    ])
    func `what was written comes out again, byte for byte`(own: String) throws {
        let written = try CargoConfiguration(text: own).writing(eu, isNewFile: false)
        #expect(Array(written.utf8).starts(with: own.utf8))
        let tree = try ManifestReader.read(written)
        #expect(tree["source"]?["main-canonical"]?["registry"]?.string == "sparse+https://registry.example/main/index/")
        #expect(tree["source"]?["main-canonical"]?["replace-with"]?.string == "main-nearest")
        #expect(tree["registries"]?["main-nearest"]?["index"]?.string == "sparse+https://eu.example/main/index/")
        let rest = try #require(try CargoConfiguration(text: written).removing(address))
        #expect(Array(rest.utf8) == Array(own.utf8))
    }

    @Test func `writing twice replaces, wherever the block stands by now`() throws {
        let first = try CargoConfiguration(text: "[a]\nb = 1").writing(eu, isNewFile: false) + "[c]\nd = 2\n"
        let second = try CargoConfiguration(text: first).writing(us, isNewFile: false)
        #expect(!second.contains("eu.example"))
        #expect(second.contains("us.example"))
        #expect(second.hasSuffix("[c]\nd = 2\n"))
        // What was written behind the block keeps its line.
        #expect(try CargoConfiguration(text: second).removing(address) == "[a]\nb = 1\n[c]\nd = 2\n")
    }

    @Test func `a file that was made for the block goes with it`() throws {
        let made = try CargoConfiguration(text: "").writing(eu, isNewFile: true)
        #expect(try CargoConfiguration(text: made).removing(address) == nil)
        let again = try CargoConfiguration(text: made).writing(us, isNewFile: false)
        #expect(try CargoConfiguration(text: again).removing(address) == nil)
        #expect(try CargoConfiguration(text: again + "[a]\n").removing(address) == "[a]\n")
    }

    @Test func `blocks of two registries do not touch each other`() throws {
        let other = SourceReplacement(
            address: try RepositoryAddress("https://registry.example/secret/index"), registry: "secret", edgeName: "eu",
            edgeURL: "https://eu.example", provider: ["cargo:token-from-stdout", "cat", "/home/a \"b\"/token"],
            replacesCratesIO: true)
        let one = try CargoConfiguration(text: "# mine\n").writing(eu, isNewFile: false)
        let both = try CargoConfiguration(text: one).writing(other, isNewFile: false)
        let tree = try ManifestReader.read(both)
        #expect(
            tree["registries"]?["secret-nearest"]?["credential-provider"]?.array?.map(\.string) == other.provider)
        #expect(tree["source"]?["crates-io"]?["replace-with"]?.string == "secret-nearest")
        let rest = try #require(try CargoConfiguration(text: both).removing(address))
        #expect(try CargoConfiguration(text: rest).removing(other.address) == "# mine\n")
    }

    @Test(arguments: [
        ("[source.main-canonical]\n", "[source.main-canonical] already"),
        ("[registries]\nmain-nearest = { index = \"x\" }\n", "[registries.main-nearest] already"),
        ("[source.mine]\nregistry = \"sparse+https://registry.example/main/index\"\n", "names sparse+https"),
        ("[registries.eu]\nindex = \"sparse+https://eu.example/main/index/\"\n", "names the edge eu itself"),
        ("source = { a = { directory = \"x\" } }\n", "can't be added"),
        ("[source\n", "no TOML: line 1"),
        ("# >>> longshore-bench nearest sparse+https://registry.example/main/index/\n", "once and in order"),
    ])
    func `what contradicts is named and nothing is written`(own: String, said: String) throws {
        let failure = #expect(throws: BenchFailure.self) {
            try CargoConfiguration(text: own).writing(eu, isNewFile: false)
        }
        #expect(failure?.description.contains(said) == true, "\(String(describing: failure))")
    }

    @Test func `crates.io that is replaced already is left alone`() throws {
        let all = SourceReplacement(
            address: address, registry: "main", edgeName: "eu", edgeURL: "https://eu.example", provider: nil,
            replacesCratesIO: true)
        let own = CargoConfiguration(text: "[source.crates-io]\nreplace-with = \"x\"\n")
        #expect(throws: BenchFailure.self) { try own.writing(all, isNewFile: false) }
        #expect(throws: Never.self) { try own.writing(eu, isNewFile: false) }
    }

    @Test func `the registry's own name is found by its index`() throws {
        let text = "[registries]\nzoo = { index = \"sparse+https://registry.example/main/index/\" }\n"
        #expect(try CargoConfiguration(text: text).registryName(of: address) == "zoo")
        #expect(try CargoConfiguration(text: "").registryName(of: address) == nil)
    }

    @Test(arguments: [
        "https://registry.example/", "ftp://registry.example/main/index/",
        "sparse+https://a:b@registry.example/main/index/",
        "https://registry.example/Main/index/", "https://registry.example/main/index/?x=1", "main",
        "https://registry.example/\"/index/",
    ])
    func `what is no index of a repository is refused`(text: String) {
        #expect(throws: BenchFailure.self) { try RepositoryAddress(text) }
    }
}
