import Registry
import Testing

struct EntityTagTests {
    static let hash = String(repeating: "ab", count: 32)

    let tag: EntityTag

    init() throws {
        tag = EntityTag(generation: 17, checksum: try #require(Checksum(hex: Self.hash)))
    }

    @Test func `a tag is strong and carries generation and hash`() {
        #expect(tag.description == "\"g17-\(Self.hash)\"")
        #expect(EntityTag(parsing: tag.description) == tag)
    }

    // A7
    @Test func `a weak spelling is the same tag`() {
        #expect(EntityTag(parsing: "W/" + tag.description) == tag)
        #expect(tag.isNamed(in: "W/\(tag)"))
    }

    // A8
    @Test func `a list and a star name the tag`() {
        #expect(EntityTag.list("\"foreign\", W/\(tag) ,\t\"g1-x\"") == [tag])
        #expect(tag.isNamed(in: "\"foreign\",\(tag)"))
        #expect(tag.isNamed(in: "*"))
        #expect(!tag.isNamed(in: "\"foreign\""))
        #expect(!tag.isNamed(in: ""))
    }

    // A25
    @Test func `the largest generation comes back`() throws {
        let largest = EntityTag(generation: .max, checksum: tag.checksum)
        #expect(EntityTag(parsing: largest.description) == largest)
        #expect(!tag.isNamed(in: largest.description))
    }

    @Test(arguments: [
        "", "\"\"", "g17-\(hash)", "\"g17\"", "\"g-\(hash)\"", "\"g0-\(hash)\"", "\"g+17-\(hash)\"", "\"g017-\(hash)\"",
        "\"g17-\(hash.uppercased())\"", "\"g17-\(hash)", "w/\"g17-\(hash)\"", "\"g17-\(hash)-gzip\"",
        "\"g18446744073709551616-\(hash)\"", "\"G17-\(hash)\"",
    ])
    func `a tag that we did not write is none of ours`(text: String) {
        #expect(EntityTag(parsing: text) == nil)
    }

    @Test func `bytes give a generation only if they are one tag as we write it`() throws {
        let hash = String(repeating: "0a9f", count: 16)
        let good = ["\"g1-\(hash)\"", "\"g170-\(hash)\"", "\"g\(UInt64.max)-\(hash)\""]
        for tag in good {
            let parsed = try #require(EntityTag(parsing: tag))
            #expect(Self.generation(tag) == parsed.generation)
        }
        let bad = [
            "", "*", "\"\"", "\"g\"", "\"g-\(hash)\"", "\"g0-\(hash)\"", "\"g017-\(hash)\"", "\"g+1-\(hash)\"",
            "\"g\(UInt64.max)0-\(hash)\"", "\"g18446744073709551616-\(hash)\"", "W/\(good[0])", "\(good[0]) ",
            "\(good[0]), \(good[1])", "\"g1-\(hash.uppercased())\"", "\"g1-\(hash)0\"", "\"g1-\(hash.dropLast())\"",
            "'g1-\(hash)\"", "\"g1-\(hash)'", "\"h1-\(hash)\"", "\"g1_\(hash)\"",
        ]
        for tag in bad { #expect(Self.generation(tag) == nil, "\(tag)") }
    }

    private static func generation(_ tag: String) -> UInt64? {
        Array(tag.utf8).withUnsafeBytes { EntityTag.generation(ofExact: $0) }
    }
}
