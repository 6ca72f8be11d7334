import Testing

@testable import LoadTest

struct LockedCratesTests {
    private static let sum = String(repeating: "0a", count: 32)

    @Test func `a lock file names the crates of registries, and no others`() throws {
        let lock = try LockedCrates(
            """
            version = 4

            [[package]]
            name = "mine"
            version = "0.1.0"
            dependencies = [
             "serde",
            ]

            [[package]]
            name = "serde"
            version = "1.0.228+build"
            source = "registry+https://github.com/rust-lang/crates.io-index"
            checksum = "\(Self.sum)"
            """)
        #expect(lock.crates == [.init(name: "serde", version: "1.0.228+build", sha256: Self.sum)])
    }

    @Test(arguments: ["", "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n"])
    func `a lock file without crates to fetch is refused`(text: String) {
        #expect(throws: BenchFailure.self) { try LockedCrates(text) }
    }

    @Test func `a name that could leave its place is refused`() {
        let text = "[[package]]\nname = \"../a\"\nversion = \"1.0.0\"\nchecksum = \"\(Self.sum)\"\n"
        #expect(throws: BenchFailure.self) { try LockedCrates(text) }
    }

    @Test(arguments: [
        ("https://a/dl", "https://a/dl/Serde/1.0.0/download"),
        ("https://a/{prefix}/{crate}-{version}.crate", "https://a/Se/rd/Serde-1.0.0.crate"),
        ("https://a/{lowerprefix}/{sha256-checksum}", "https://a/se/rd/\(sum)"),
    ])
    func `dl is expanded as cargo does it`(template: String, url: String) {
        let crate = LockedCrates.Crate(name: "Serde", version: "1.0.0", sha256: Self.sum)
        #expect(DownloadTemplate(text: template).url(crate) == url)
    }

    @Test func `paths may bring their checksum`() throws {
        let base = try #require(WebBase("http://a/main"))
        let items = try FetchList.items("/x.crate\n/y.crate \(Self.sum)\n", below: base)
        #expect(items.map(\.path) == ["/main/x.crate", "/main/y.crate"])
        #expect(items.map(\.sha256) == [nil, Self.sum])
        #expect(throws: BenchFailure.self) { try FetchList.items("x.crate", below: base) }
    }
}
