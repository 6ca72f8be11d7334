import Registry
import Testing

struct CratesIOTests {
    @Test(arguments: [
        ("https://github.com/rust-lang/crates.io-index", true),
        ("https://github.com/rust-lang/crates.io-index/", true),
        ("https://github.com/rust-lang/crates.io-index.git", true),
        ("https://GitHub.com/Rust-Lang/crates.io-index", true),
        ("registry+https://github.com/rust-lang/crates.io-index", true),
        ("sparse+https://index.crates.io/", true),
        ("sparse+https://index.crates.io", true),
        ("https://github.com/rust-lang/crates.io-index-archive", false),
        ("https://github.com/somebody/crates.io-index", false),
        ("sparse+https://index.crates.io.example/", false),
        ("sparse+https://index.crates.io/other/", false),
        ("ssh://git@github.com/rust-lang/crates.io-index", false),
    ])
    func `crates.io is known by each of its addresses and by no other`(address: String, isCratesIO: Bool) {
        #expect(IndexURL.isCratesIO(address) == isCratesIO)
    }

    @Test func `dependencies on crates.io come inside, all else stays`() throws {
        let line = try IndexLine(parsing: IndexLineTests.full)
        let inside = try #require(line.withCratesIOInside)
        #expect(inside.dependencies.map(\.registry) == [nil, nil, nil])
        let text = IndexLineTests.full.replacing(
            #""registry":"https://github.com/rust-lang/crates.io-index","#, with: "")
        #expect(inside.json == text)
        #expect(inside.withCratesIOInside == nil)
    }

    @Test func `a line that depends on other registries only is left alone`() throws {
        let text = IndexLineTests.full.replacing(IndexURL.cratesIO, with: "sparse+https://other.example/index/")
        #expect(try IndexLine(parsing: text).withCratesIOInside == nil)
    }
}
