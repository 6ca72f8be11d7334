import Registry
import Testing

struct CratePathTests {
    static let hash = String(repeating: "0f", count: 32)

    @Test(arguments: ["serde/1.0.0/\(hash).crate", "Foo_Bar/1.0.0-rc.1/\(hash).crate", "a/1.0.0+b.7/\(hash).crate"])
    func `printing undoes reading`(path: String) {
        #expect(CratePath(parsing: path)?.description == path)
    }

    @Test(arguments: ["%2B", "%2b"]) func `an encoded plus is a plus`(plus: String) {
        #expect(
            CratePath(parsing: "a/1.0.0\(plus)b/\(Self.hash).crate")?.description == "a/1.0.0+b/\(Self.hash).crate")
    }

    @Test(arguments: [
        "", "a", "a/1.0.0", "/a/1.0.0/\(hash).crate", "a/1.0.0/\(hash).crate/", "a//1.0.0/\(hash).crate",
        "a/1.0.0/\(hash)", "a/1.0.0/\(hash).CRATE", "a/1.0.0/\(hash.uppercased()).crate", "a/1.0/\(hash).crate",
        "a/1%2e0.0/\(hash).crate", "%61/1.0.0/\(hash).crate", "a/1.0.0%2B%2e/\(hash).crate", "../1.0.0/\(hash).crate",
        "a/1.0.0 b/\(hash).crate", "a/1.0.0%20b/\(hash).crate", "a/1.0.0%252Bb/\(hash).crate",
        "a/1.0.0/\(hash).crate?x", "a%2F1.0.0/\(hash).crate", "a%2Bb/1.0.0/\(hash).crate",
    ])
    func `any other spelling is no path`(path: String) {
        #expect(CratePath(parsing: path) == nil)
    }
}
