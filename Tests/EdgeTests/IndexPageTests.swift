import EdgeCache
import EdgeHTTP
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

struct IndexPageTests {
    private let responses = Responses(servedBy: "test-edge")

    // I9: an edge that was filled with many small files took three times the memory that it counted.
    @Test(arguments: [1, 600, 1_449, 14_545, 90_444])
    func `I9: a page keeps no more memory than it counts, whatever its bytes came in`(size: Int) throws {
        let block = ByteBuffer(repeating: UInt8(ascii: " "), count: 1 << 18)
        let body = try #require(block.getSlice(at: 0, length: size))
        let tag = EntityTag(generation: 1, checksum: try #require(Checksum(bytes: [UInt8](repeating: 7, count: 32))))
        for page in [IndexPage(body, tag, responses), IndexPage(uncompressed: body, tag, responses)] {
            let held = page.full.body.storageCapacity + (page.full.gzip?.storageCapacity ?? 0)
            #expect(page.full.body == body)
            #expect(page.full.body.storageCapacity < 2 * size)
            #expect((page.full.gzip?.storageCapacity ?? 0) < 1_024)
            #expect(page.value.bytes >= held)
        }
    }
}
