import Registry
import Testing

struct ChecksumTests {
    static let hex = "00ff" + String(repeating: "5a", count: 30)

    // B14
    @Test func `64 lower-case hex digits come back as they were`() throws {
        let checksum = try #require(Checksum(hex: Self.hex))
        #expect(checksum.bytes.prefix(3) == [0, 255, 0x5A])
        #expect(checksum.description == Self.hex)
        #expect(Checksum(bytes: checksum.bytes) == checksum)
    }

    // B14: cargo compares the text.
    @Test(arguments: ["", "00", hex.uppercased(), hex + "00", String(hex.dropLast()) + "g", String(hex.dropLast())])
    func `anything else is no checksum`(text: String) {
        #expect(Checksum(hex: text) == nil)
    }

    @Test(arguments: [0, 31, 33]) func `other than 32 bytes are no checksum`(count: Int) {
        #expect(Checksum(bytes: Array(repeating: UInt8(1), count: count)) == nil)
    }
}
