import Registry
import TestSupport
import Testing

@testable import Origin

struct ServedLineTests {
    private let made = MadeCrate("foo", "1.0.0").needs("serde", "^1").needs(
        "ours", "^1", registry: "sparse+https://o/i/")

    private func line() throws -> IndexLine { try ImportScene.line(of: made, made.crate()) }

    @Test func `a line goes inside and comes back byte for byte, unknown fields included`() throws {
        let text = try line().json.dropLast() + #","later":[1]}"#
        let inside = ServedLine(String(text), try line(), rewrites: true)
        #expect(inside.published == String(text))
        #expect(!inside.served.contains(IndexURL.cratesIO) && inside.served.contains("sparse+https://o/i/"))
        #expect(try inside.renewed(rewrites: true) == nil)
        let back = try #require(try inside.renewed(rewrites: false))
        #expect(back == ServedLine(served: String(text), published: nil))
        #expect(try back.renewed(rewrites: true) == inside)
    }

    @Test func `what was yanked inside is yanked outside, and the other way round`() throws {
        for isYanked in [true, false] {
            let published = try line().with(yanked: !isYanked)
            let inside = ServedLine(published.json, published, rewrites: true)
            let changed = ServedLine(
                served: try IndexLine(parsing: inside.served).with(yanked: isYanked).json, published: inside.published)
            let back = try #require(try changed.renewed(rewrites: false))
            #expect(try back == ServedLine(served: line().with(yanked: isYanked).json, published: nil))
        }
    }

    @Test(arguments: [true, false]) func `a line without dependencies on crates.io is one line only`(rewrites: Bool)
        throws
    {
        let plain = MadeCrate("bar", "1.0.0").needs("ours", "^1", registry: "sparse+https://o/i/")
        let line = try ImportScene.line(of: plain, plain.crate())
        let held = ServedLine(line.json, line, rewrites: rewrites)
        #expect(held == ServedLine(served: line.json, published: nil))
        #expect(try held.renewed(rewrites: true) == nil)
        #expect(try held.renewed(rewrites: false) == nil)
    }
}
