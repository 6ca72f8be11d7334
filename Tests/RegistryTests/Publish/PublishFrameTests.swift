import Registry
import Testing

struct PublishFrameTests {
    typealias Invalid = PublishFrame.Invalid

    static func length(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

    static func body(json: [UInt8], crate: [UInt8]) -> [UInt8] {
        length(json.count) + json + length(crate.count) + crate
    }

    static let json = Array(#"{"name":"foo"}"#.utf8)
    static let crate = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
    static let whole = body(json: json, crate: crate)

    // E1
    @Test(arguments: [1, 2, 3, 5, 17, 18, 19, 22, 23, 100, 5_000], [true, false])
    func `a body is read the same however it is cut`(size: Int, knowsLength: Bool) throws {
        var frame = PublishFrame(contentLength: knowsLength ? Self.whole.count : nil, crateBytesMax: 1_000)
        var (metadata, crate): ([[UInt8]], [UInt8]) = ([], [])
        for start in stride(from: 0, to: Self.whole.count, by: size) {
            #expect(!frame.isComplete)
            let part = try frame.read(Self.whole[start..<min(start + size, Self.whole.count)])
            if let json = part.metadata { metadata.append(json) }
            crate += part.crate ?? []
        }
        try frame.finish()
        #expect(frame.isComplete)
        #expect(metadata == [Self.json])
        #expect(crate == Self.crate)
        #expect(frame.crateBytes == 1_000)
    }

    @Test func `empty metadata and an empty crate are a body`() throws {
        var frame = PublishFrame(contentLength: 8, crateBytesMax: 0)
        let part = try frame.read(Self.body(json: [], crate: []))
        try frame.finish()
        #expect(part.metadata == [])
        #expect(part.crate == nil)
    }

    // E2, E4, E7, E8: what stands in the body, and why it is refused.
    @Test(
        arguments: [
            ([], .noMetadataLength), ([1, 0, 0], .noMetadataLength), (length(5) + Array("{}".utf8), .metadataCutOff(5)),
            (length(2) + Array("{}".utf8), .noCrateLength), (length(2) + Array("{}".utf8) + [1, 0], .noCrateLength),
            (length(2) + Array("{}".utf8) + length(9) + [1], .crateCutOff(9)),
            (body(json: json, crate: crate) + [0, 0], .trailingBytes(2)),
        ] as [([UInt8], Invalid)], [true, false])
    func `a body that is cut off or too long is refused`(_ row: (bytes: [UInt8], reason: Invalid), knowsLength: Bool) {
        var frame = PublishFrame(contentLength: knowsLength ? row.bytes.count : nil, crateBytesMax: 1_000)
        #expect(throws: row.reason) {
            _ = try frame.read(row.bytes)
            try frame.finish()
        }
    }

    // E4, E7, E8: before the rest has come.
    @Test func `with a content length a false announcement is refused at once`() {
        var short = PublishFrame(contentLength: 104, crateBytesMax: 1_000)
        #expect(throws: Invalid.metadataCutOff(101)) { try short.read(Self.length(101)) }
        var long = PublishFrame(contentLength: 100, crateBytesMax: 1_000)
        #expect(throws: Invalid.trailingBytes(90)) {
            try long.read(Self.body(json: [0x7B, 0x7D], crate: []) + [0, 0, 0])
        }
        var none = PublishFrame(contentLength: 3, crateBytesMax: 1_000)
        #expect(throws: Invalid.noMetadataLength) { try none.read([1]) }
    }

    // E5
    @Test(arguments: [0xFFFF_FFFF, 0x8000_0000, (1 << 20) + 1])
    func `too long metadata is refused by its length alone`(length: Int) {
        var frame = PublishFrame(contentLength: nil, crateBytesMax: 1_000)
        #expect(throws: Invalid.metadataTooLarge) { try frame.read(Self.length(length)) }
        #expect(Invalid.metadataTooLarge.isTooLarge)
    }

    @Test func `a mebibyte of metadata is taken`() throws {
        var frame = PublishFrame(contentLength: nil, crateBytesMax: 1_000)
        _ = try frame.read(Self.length(1 << 20))
        #expect(try frame.read([UInt8](repeating: 1, count: 1 << 20)).metadata?.count == 1 << 20)
    }

    @Test func `a crate over the limit is refused by its length alone`() {
        var frame = PublishFrame(contentLength: nil, crateBytesMax: 1_000)
        let reason = Invalid.crateTooLarge(bytesMax: 1_000)
        #expect(throws: reason) { try frame.read(Self.length(2) + [1, 2] + Self.length(1_001)) }
        #expect(reason.isTooLarge)
        #expect(reason.description == "max upload size is: 1000")
    }
}
