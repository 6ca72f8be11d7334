import Registry
import Testing

@testable import Origin

struct MirrorListTests {
    @Test func `a list has names, with versions or without`() throws {
        let entries = try MirrorList.read("# ours\nserde\n\n  tokio@1.40.0\nrand 0.8.5\r\n")
        #expect(entries.map(\.name.spelling) == ["serde", "tokio", "rand"])
        #expect(entries.map(\.version?.description) == [nil, "1.40.0", "0.8.5"])
    }

    @Test(arguments: [("serde\nno way!\n", "line 2"), ("a b c", "line 1"), ("serde@one", "line 1")])
    func `a bad line is named`(text: String, place: String) {
        let error = #expect(throws: MirrorList.Invalid.self) { try MirrorList.read(text) }
        #expect(error?.description.hasPrefix(place) == true)
    }

    @Test func `a lock file gives the packages of its registries, with checksums`() throws {
        let sum = String(repeating: "ab", count: 32)
        let lock = """
            version = 4
            [[package]]
            name = "app"
            version = "0.1.0"
            dependencies = ["serde"]
            [[package]]
            name = "serde"
            version = "1.0.217"
            source = "registry+https://github.com/rust-lang/crates.io-index"
            checksum = "\(sum)"
            [[package]]
            name = "patched"
            version = "1.0.0"
            source = "git+https://example.com/patched#0123"
            [[package]]
            name = "other"
            version = "1.0.0"
            source = "sparse+https://other.example/"
            """
        let (entries, others) = try MirrorList.readLock(lock, isOurs: IndexURL.isCratesIO)
        #expect(entries.map(\.name.spelling) == ["serde"])
        #expect(others == ["git+https://example.com/patched#0123", "sparse+https://other.example/"])
        #expect(entries.first?.version?.description == "1.0.217" && entries.first?.checksum?.description == sum)
    }

    @Test(arguments: ["<html>", "version = 4", "[[package]]\nsource = \"registry+x\"\nname = \"..\"\nversion = \"1\""])
    func `what is no lock file is refused`(text: String) {
        #expect(throws: MirrorList.Invalid.self) { try MirrorList.readLock(text) { _ in true } }
    }
}
