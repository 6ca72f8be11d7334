import CrateFile
import Testing

struct GzipTests {
    let text = Array(String(repeating: "a crate is a tar in a gzip, ", count: 20_000).utf8)

    @Test(arguments: [1, 7, 4096, .max])
    func `unpacking undoes packing, however the stream is cut`(chunkBytesMax: Int) throws {
        let packed = try Gzip.compress(text)
        #expect(try unpacked(BytesSource(packed, chunkBytesMax: chunkBytesMax)) == text)
    }

    @Test func `nothing packs, too`() throws {
        #expect(try unpacked(BytesSource(Gzip.compress([]))) == [])
    }

    @Test func `the same bytes make the same member, without a time in it`() throws {
        let member = try Gzip.compress(text)
        #expect(try Gzip.compress(text) == member)
        #expect(Array(member[4..<8]) == [0, 0, 0, 0])
    }

    // G8
    @Test func `one byte over the limit is refused`() throws {
        let packed = try Gzip.compress(text)
        #expect(try unpacked(BytesSource(packed), bytesMax: text.count) == text)
        #expect(throws: Objection.tooLargeUnpacked(bytesMax: text.count - 1)) {
            try unpacked(BytesSource(packed), bytesMax: text.count - 1)
        }
    }

    @Test func `a stream that is cut anywhere is refused`() throws {
        let packed = try Gzip.compress(Array("abc".utf8))
        for count in 1..<packed.count {
            #expect(throws: Objection.cut) { try unpacked(BytesSource(Array(packed.prefix(count)))) }
        }
    }

    @Test func `a byte behind the member is refused, even in a read of its own`() throws {
        let packed = try Gzip.compress(text) + [0]
        for chunkBytesMax in [1, packed.count - 1, packed.count] {
            #expect(throws: Objection.trailingBytes) {
                try unpacked(BytesSource(packed, chunkBytesMax: chunkBytesMax))
            }
        }
    }
}
