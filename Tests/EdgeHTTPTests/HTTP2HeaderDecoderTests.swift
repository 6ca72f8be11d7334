import NIOCore
import Testing

@testable import EdgeHTTP

struct HTTP2HeaderDecoderTests {
    /// Seeded, so that a failure can be repeated: the seed is in the message.
    @Test(arguments: 0..<300 as Range<UInt64>) func `what is remembered reads as what libnghttp2 reads`(seed: UInt64) {
        var blocks = HeaderBlocks(seed: seed)
        let quick = HTTP2HeaderDecoder()
        let whole = HTTP2HeaderDecoder()
        for round in 0..<60 {
            let block = blocks.next()
            let expected = Self.read(block) { bytes, head throws(HTTP2Code) in try whole.readAny(bytes, into: &head) }
            let seen = Self.read(block) { bytes, head throws(HTTP2Code) in try quick.read(bytes, into: &head) }
            #expect(seen == expected, "seed \(seed), round \(round), block \(block)")
            guard seen == expected, !expected.hasPrefix("error") else { return }
        }
    }

    @Test func `the second request of a connection is read from memory, and says the same`() throws {
        let decoder = HTTP2HeaderDecoder()
        let opening: [UInt8] = [0x82, 0x87, 0x41, 1, UInt8(ascii: "h")]
        let path: [UInt8] = [0x04, 2, UInt8(ascii: "/"), UInt8(ascii: "a")]
        let later: [UInt8] = [0x82, 0x87, 0xBE]
        var heads: [String] = []
        for block in [opening + path, later + path, later + path] {
            heads.append(Self.read(block) { bytes, head throws(HTTP2Code) in try decoder.read(bytes, into: &head) })
        }
        #expect(heads[0].contains("path: /a"))
        #expect(heads[1] == heads[0] && heads[2] == heads[0])
    }

    @Test func `texts of common characters are decoded, others are left alone`() {
        // RFC 7541, C.4.1 and C.6.1.
        #expect(
            Self.decoded([0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B, 0xA0, 0xAB, 0x90, 0xF4, 0xFF]) == "www.example.com")
        #expect(Self.decoded([0xAE, 0xC3, 0x77, 0x1A, 0x4B]) == "private")
        #expect(Self.decoded([]) == "")
        // "#" takes twelve bits.
        #expect(Self.decoded([0xFF, 0xAF]) == nil)
        // Filled up with zeros, and with a whole byte of ones.
        #expect(Self.decoded([0x00]) == nil)
        #expect(Self.decoded([0xAE, 0xC3, 0x77, 0x1A, 0x4B, 0xFF]) == nil)
    }

    @Test func `every common character comes back from its code`() {
        for (character, bits, word) in HeaderBlocks.codes {
            let code = HeaderBlocks.packed([(bits, word)])
            #expect(Self.decoded(code) == String(UnicodeScalar(character)), "\(character)")
        }
        #expect(HeaderBlocks.codes.count == 79)
    }

    private static func decoded(_ code: [UInt8]) -> String? {
        var space = [UInt8](repeating: 0, count: HPACKText.bytesMax(code.count))
        let count = code.withUnsafeBytes { code in
            space.withUnsafeMutableBufferPointer { space in
                space.baseAddress.flatMap { HPACKText.decode(code, HPACKText.words, to: $0) }
            }
        }
        return count.map { String(decoding: space[..<$0], as: UTF8.self) }
    }

    private static func read(
        _ block: [UInt8], _ step: (UnsafeRawBufferPointer, inout HTTP2HeadReader) throws(HTTP2Code) -> Void
    ) -> String {
        var reader = HTTP2HeadReader()
        do throws(HTTP2Code) {
            try ByteBuffer(bytes: block).withUnsafeReadableBytes { bytes throws(HTTP2Code) in
                try step(bytes, &reader)
            }
        } catch {
            return "error \(error)"
        }
        let head = reader.end()
        let request = reader.request(head, id: 0, from: .unknown)
        func text(_ bytes: ByteBuffer?) -> String { bytes.map { String(buffer: $0) } ?? "none" }
        return "\(head.method) malformed: \(head.isMalformed) refusal: \(head.refusal.map { "\($0)" } ?? "none") "
            + "path: \(text(request.path)) query: \(text(request.query)) token: \(text(request.authorization)) "
            + "tags: \(text(request.ifNoneMatch)) gzip: \(request.acceptsGzip) body: \(head.hasContentLength)"
    }
}

/// Makes header blocks as clients send them, some of them damaged.
private struct HeaderBlocks {
    private var numbers: SplitMix
    /// How many fields the table got; more than there are, once some were pushed out.
    private var inserted = 0

    init(seed: UInt64) { numbers = SplitMix(seed: seed) }

    /// Character, bits and word, read from the decoder's table.
    static let codes: [(UInt8, Int, Int)] = {
        var seen: [UInt8: (Int, Int)] = [:]
        for (place, entry) in HPACKText.words.enumerated() where entry >> 8 > 0 {
            let bits = Int(entry >> 8)
            seen[UInt8(truncatingIfNeeded: entry)] = (bits, place >> (10 - bits))
        }
        return seen.map { ($0.key, $0.value.0, $0.value.1) }.sorted { $0.0 < $1.0 }
    }()

    static func packed(_ words: [(bits: Int, word: Int)]) -> [UInt8] {
        var bits = words.flatMap { word in (0..<word.bits).map { word.word >> (word.bits - 1 - $0) & 1 } }
        while bits.count % 8 != 0 { bits.append(1) }
        return stride(from: 0, to: bits.count, by: 8).map { bits[$0..<$0 + 8].reduce(0) { $0 << 1 | UInt8($1) } }
    }

    mutating func next() -> [UInt8] {
        var block: [UInt8] = [0x82, 0x87]
        if inserted == 0 || chance(20) {
            block += insert(place: 1, "registry.example")
            block += insert(place: 16, "gzip, br")
            block += insert(place: 58, "cargo/1.95")
        } else {
            block += (0..<3).map { UInt8(0x80 | (62 + $0)) }
        }
        block += literal(place: 4, path())
        if chance(2) { block += literal(place: 41, "\"g\(number(99))-\(String(repeating: "b3", count: 16))\"") }
        if chance(5) { block += literal(place: 23, "lsh_t\(number(9999))") }
        if chance(8) { block += anything() }
        if chance(12) { block.insert(contentsOf: anything(), at: number(block.count)) }
        if chance(12) { block[number(block.count)] = UInt8.random(in: 0...255, using: &numbers) }
        return block
    }

    private mutating func path() -> String {
        ["/main/index/se/rd/serde", "/a?b=c", "/", "*", "/\u{7f}", "/x#y", "/private/index/3/s/syn"][number(7)]
    }

    private mutating func anything() -> [UInt8] {
        switch number(7) {
        case 0: [UInt8(0x80 | number(80))]
        case 1: insert(place: [4, 16, 28, 41, 58][number(5)], "0")
        case 2: literal(place: number(61) + 1, "value")
        case 3: [0x20 | UInt8(number(31))]
        case 4: [0x00] + text(["te", "connection", "x-a", "X", "content-length", ""][number(6)]) + text("trailers")
        case 5: [0x10] + text("x-never") + text(" spaced ")
        default: [0x3F, 0xE1, UInt8(number(31))]
        }
    }

    private mutating func insert(place: Int, _ value: String) -> [UInt8] {
        inserted += 1
        return [0x40 | UInt8(place)] + text(value)
    }

    private mutating func literal(place: Int, _ value: String) -> [UInt8] {
        let kind: UInt8 = chance(2) ? 0x00 : 0x10
        return (place < 15 ? [kind | UInt8(place)] : [kind | 0x0F, UInt8(place - 15)]) + text(value)
    }

    /// In Huffman's code where all characters have a known one, mostly.
    private mutating func text(_ value: String) -> [UInt8] {
        let words = value.utf8.compactMap { byte in Self.codes.first { $0.0 == byte }.map { (bits: $0.1, word: $0.2) } }
        guard words.count == value.utf8.count, !chance(4) else { return [UInt8(value.utf8.count)] + Array(value.utf8) }
        let code = Self.packed(words)
        return [0x80 | UInt8(code.count)] + code
    }

    private mutating func number(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &numbers) }
    private mutating func chance(_ one: Int) -> Bool { number(one) == 0 }
}
